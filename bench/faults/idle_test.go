package faults

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"haldane/bench/process"
)

// idleCrowd is how many connections are kept open, where there are descriptors for them.
const idleCrowd = 10_000

// TestIdleConnections keeps ten thousand clients connected after one request each, and holds what each of them costs. Normal
// clients are served meanwhile, and so is each of the idle ones when it has something to say again.
func TestIdleConnections(t *testing.T) {
	alone(t)
	binary := process.Build(t)
	for _, one := range []struct {
		name    string
		secured bool
		most    int64 // KiB for each
	}{
		{"plain", false, 8},
		{"TLS", true, 20}, // the library keeps its own state and buffers for each connection
	} {
		t.Run(one.name, func(t *testing.T) { idleConnections(t, binary, one.secured, one.most) })
	}
}

func idleConnections(t *testing.T, binary string, secured bool, most int64) {
	text, address := configuration, ""
	if secured {
		dir := t.TempDir()
		selfSigned(t, dir)
		address = process.FreeAddress(t)
		text = strings.Replace(text, `"%ADDRESS%"`, fmt.Sprintf(
			`"%%ADDRESS%%", tls: {address: %q, certificates: [{cert_file: %[2]s/cert.pem, key_file: %[2]s/key.pem}]}`, address, dir), 1)
	}
	s := setUp(t, process.Options{Binary: binary, Config: text})
	began := time.Now()
	load := startLoad(t, s.Address, rate, mixed)
	dial := func() (net.Conn, error) { return net.Dial("tcp", s.Address) }
	if secured {
		dial = func() (net.Conn, error) {
			return tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
		}
	}
	crowd := gather(t, affordable(t), dial)
	opened := time.Since(began)
	process.Until(t, "all to be idle", func() bool { return s.Metric(t, "go_goroutines") < float64(s.baseline.Goroutines+600) })
	each := 0.0
	process.Within(30*time.Second, func() bool { // what they were served with goes back within seconds, if there is a processor for it
		each = float64(s.Resident(t)-s.baseline.Resident) / 1024 / float64(len(crowd))
		return each <= float64(most)
	})
	if connected := s.Metric(t, "haldane_client_connections"); connected < float64(len(crowd)) {
		t.Errorf("%.0f of %d connections are open", connected, len(crowd))
	}
	if each > float64(most) {
		t.Errorf("an idle connection costs %.1f KiB", each)
	}
	for n := 0; n < len(crowd); n += 10 {
		if err := crowd[n].again(); err != nil {
			t.Fatalf("a connection that was idle: %v", err)
		}
	}
	r := load.stop()
	if len(r.bad()) > 0 {
		t.Errorf("clients saw %s", r.saw())
	}
	for _, v := range crowd {
		v.conn.Close()
	}
	t.Logf("%d idle connections, opened in %v: %.2f KiB each; p99 of normal clients %v", len(crowd), opened.Round(time.Millisecond), each, r.slowest(0.99))
	s.conclude(t, r, began)
}

// affordable is how many connections there are descriptors for, in the process under test and here.
func affordable(t *testing.T) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	// Go has raised the limit to the hard one. The process keeps some back, for endpoints and for itself.
	if limit.Max >= 2*idleCrowd {
		return idleCrowd
	}
	fewer := int(limit.Max) / 3
	t.Logf("with %d descriptors, %d connections have to do instead of %d", limit.Max, fewer, idleCrowd)
	return fewer
}

// gather opens connections as fast as it can, and makes one request on each of them.
func gather(t *testing.T, count int, dial func() (net.Conn, error)) []*visitor {
	t.Helper()
	const hands = 16
	crowd := make([]*visitor, count)
	failures := make(chan error, hands)
	var wait sync.WaitGroup
	for hand := range hands {
		wait.Go(func() {
			for n := hand; n < count; n += hands {
				conn, err := dial()
				if err != nil {
					failures <- err
					return
				}
				_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
				crowd[n] = &visitor{conn, bufio.NewReaderSize(conn, 512)}
				if err := crowd[n].again(); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	wait.Wait()
	t.Cleanup(func() {
		for _, v := range crowd {
			if v != nil {
				v.conn.Close()
			}
		}
	})
	select {
	case err := <-failures:
		t.Fatal(err)
	default:
	}
	return crowd
}

// selfSigned writes a certificate and its key into a folder.
func selfSigned(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"a.test"}, NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: certificate},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
