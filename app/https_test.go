package app_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	product "haldane/bench/process"
)

// newCertificate writes a certificate for localhost and its key, and gives the PEM text of the key.
func newCertificate(t *testing.T, dir string, serial int64) (key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	for name, content := range map[string][]byte{"tls.key": text, "tls.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path+".new", content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	return string(text)
}

// HTTPS stands beside HTTP, its certificate is renewed while a connection stays open, the metrics say so, and no dump shows the
// key.
func TestHTTPS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys := []string{newCertificate(t, dir, 1)}
	i := launch(t, strings.Replace(preamble, `listen: {address: "127.0.0.1:0"}`, fmt.Sprintf(`
listen:
  address: "127.0.0.1:0"
  tls: {address: "127.0.0.1:0", certificates: [{cert_file: %q, key_file: %q}]}`, dir+"/tls.crt", dir+"/tls.key"), 1)+fmt.Sprintf(`
services:
  shop:
    variants: {v1: {endpoints: [%q]}}
`, newBackend(t, "v1").address))
	open := dialTLS(t, i.SecureAddress().String())
	ask := func(conn *tls.Conn) {
		t.Helper()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("got %+v, %v", response, err)
		}
		response.Body.Close()
	}
	ask(open)
	keys = append(keys, newCertificate(t, dir, 2))
	product.Until(t, "the new certificate is shown", func() bool {
		conn := dialTLS(t, i.SecureAddress().String())
		ask(conn)
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64() == 2
	})
	ask(open)
	if err := os.WriteFile(dir+"/tls.key", []byte(keys[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	product.Until(t, "the wrong key is counted", func() bool {
		return strings.Contains(i.admin(t, "/metrics"), `haldane_tls_certificate_reloads_total{result="failure"} 1`)
	})
	metrics := i.admin(t, "/metrics")
	for _, want := range []string{
		fmt.Sprintf("haldane_tls_certificate_expiry_timestamp_seconds{file=%q} ", dir+"/tls.crt"),
		`haldane_tls_certificate_reloads_total{result="success"} 1`, `haldane_client_connections_refused_total{reason="tls"} 0`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics do not hold %s", want)
		}
	}
	for _, page := range []string{metrics, i.admin(t, "/api/v1/config"), i.admin(t, "/api/v1/services")} {
		for _, key := range keys {
			if strings.Contains(page, strings.Split(key, "\n")[1]) {
				t.Error("a page shows a private key")
			}
		}
	}
}

func dialTLS(t *testing.T, address string) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: "localhost", InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { conn.Close() })
	return conn
}
