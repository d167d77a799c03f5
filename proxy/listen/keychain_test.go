package listen

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haldane/config"
)

func TestCertificateByName(t *testing.T) {
	dir := t.TempDir()
	made := map[string]issued{
		"first": issue(t, tomorrow(), "default.test"),
		"shop":  issue(t, tomorrow(), "shop.test", "www.shop.test"),
		"wild":  issue(t, tomorrow(), "*.shop.test", "Mixed.Test"),
		"again": issue(t, tomorrow(), "shop.test"),
	}
	settings := config.ListenTLS{MinVersion: config.TLS12}
	for _, name := range []string{"first", "shop", "wild", "again"} {
		settings.Certificates = append(settings.Certificates, made[name].store(t, dir, name))
	}
	k, err := NewKeychain(settings)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"default.test": "first", "shop.test": "shop", "SHOP.test": "shop", "www.shop.test": "shop", "a.shop.test": "wild",
		"a.b.shop.test": "first", "mixed.test": "wild", "other.test": "first", "": "first", "shop.test.": "shop",
	} {
		if got := shown(t, k, name); got != made[want].serial(t) {
			t.Errorf("%q: not the certificate %q", name, want)
		}
	}
	certificates := k.Certificates()
	if len(certificates) != 4 || certificates[1].File != settings.Certificates[1].CertFile || certificates[1].Expires.Before(time.Now()) {
		t.Errorf("got %+v", certificates)
	}
}

func TestVersionAndProtocol(t *testing.T) {
	settings := config.ListenTLS{Certificates: []config.Certificate{issue(t, tomorrow(), "a.test").store(t, t.TempDir(), "a")}}
	for _, lowest := range []string{config.TLS12, config.TLS13} {
		settings.MinVersion = lowest
		k, err := NewKeychain(settings)
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range []uint16{tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
			state, err := shake(t, k, &tls.Config{MinVersion: tls.VersionTLS11, MaxVersion: version, NextProtos: []string{"h2", "http/1.1"}})
			want := version == tls.VersionTLS13 || version == tls.VersionTLS12 && lowest == config.TLS12
			if (err == nil) != want || err == nil && state.NegotiatedProtocol != "http/1.1" {
				t.Errorf("at least %s, client %x: %v, %q", lowest, version, err, state.NegotiatedProtocol)
			}
		}
	}
}

func TestSessionTickets(t *testing.T) {
	k, err := NewKeychain(config.ListenTLS{Certificates: []config.Certificate{issue(t, tomorrow(), "a.test").store(t, t.TempDir(), "a")}})
	if err != nil {
		t.Fatal(err)
	}
	client := &tls.Config{ServerName: "a.test", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	for i, want := range []bool{false, true} {
		if state, err := shake(t, k, client); err != nil || state.DidResume != want {
			t.Errorf("handshake %d: resumed %v, %v", i, state.DidResume, err)
		}
	}
}

func TestClientCertificates(t *testing.T) {
	dir := t.TempDir()
	ours, theirs := issue(t, tomorrow(), "client"), issue(t, tomorrow(), "stranger")
	ca := filepath.Join(dir, "ca.crt")
	replace(t, ca, ours.chain)
	settings := config.ListenTLS{
		Certificates: []config.Certificate{issue(t, tomorrow(), "a.test").store(t, dir, "a")}, ClientCAFile: ca,
	}
	keys := func(i issued) []tls.Certificate {
		pair, err := tls.X509KeyPair(i.chain, i.key)
		if err != nil {
			t.Fatal(err)
		}
		return []tls.Certificate{pair}
	}
	force := func(of []tls.Certificate) *tls.Config {
		// The library would keep a certificate to itself that the server did not ask for.
		return &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &of[0], nil }}
	}
	for auth, allowed := range map[string][3]bool{config.ClientAuthRequire: {false, true, false}, config.ClientAuthOptional: {true, true, false}} {
		settings.ClientAuth = auth
		k, err := NewKeychain(settings)
		if err != nil {
			t.Fatal(err)
		}
		for i, client := range []*tls.Config{{}, force(keys(ours)), force(keys(theirs))} {
			if _, err := shake(t, k, client); (err == nil) != allowed[i] {
				t.Errorf("%s, client %d: %v", auth, i, err)
			}
		}
		replace(t, ca, theirs.chain)
		k.renew(func(string, error) {})
		if _, err := shake(t, k, force(keys(theirs))); err != nil {
			t.Errorf("%s: the new authority is not known: %v", auth, err)
		}
		replace(t, ca, []byte("nothing"))
		k.renew(func(string, error) {})
		if _, err := shake(t, k, force(keys(theirs))); err != nil || k.Renewals() != (Renewals{Taken: 1, Refused: 1}) {
			t.Errorf("%s: a broken file changed something: %v, %+v", auth, err, k.Renewals())
		}
		replace(t, ca, ours.chain)
	}
}

func TestBadFilesAtTheStart(t *testing.T) {
	dir := t.TempDir()
	a, b := issue(t, tomorrow(), "a.test"), issue(t, tomorrow(), "b.test")
	good := a.store(t, dir, "a")
	for name, settings := range map[string]config.ListenTLS{
		"none":    {},
		"missing": {Certificates: []config.Certificate{{CertFile: dir + "/none", KeyFile: good.KeyFile}}},
		"no key":  {Certificates: []config.Certificate{{CertFile: good.CertFile, KeyFile: dir + "/none"}}},
		"wrong":   {Certificates: []config.Certificate{good, (issued{a.chain, b.key}).store(t, dir, "wrong")}},
		"no ca":   {Certificates: []config.Certificate{good}, ClientCAFile: good.KeyFile},
	} {
		if _, err := NewKeychain(settings); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	expired := issue(t, time.Now().Add(-time.Hour), "a.test").store(t, dir, "expired")
	if _, err := NewKeychain(config.ListenTLS{Certificates: []config.Certificate{expired}}); err != nil {
		t.Errorf("an expired certificate: %v", err)
	}
}

// following runs the keychain; await waits until so many files were taken and refused.
func following(t *testing.T, k *Keychain) (await func(Renewals)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done, stirred := make(chan error, 1), make(chan struct{}, 64)
	go func() { done <- k.Run(ctx, func(string, error) { stirred <- struct{}{} }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return func(want Renewals) {
		t.Helper()
		for timeout := time.After(patience); k.Renewals() != want; {
			select {
			case <-stirred:
			case <-timeout:
				t.Fatalf("got %+v, want %+v", k.Renewals(), want)
			}
		}
	}
}

// Of what is put in the place of a pair, what cannot be used changes nothing, and what can be is shown from then on, while
// not one of many handshakes fails.
func TestRenewalUnderLoad(t *testing.T) {
	dir := t.TempDir()
	old, other := issue(t, tomorrow(), "a.test"), issue(t, tomorrow(), "a.test")
	k, err := NewKeychain(config.ListenTLS{Certificates: []config.Certificate{old.store(t, dir, "a")}})
	if err != nil {
		t.Fatal(err)
	}
	await := following(t, k)
	var load sync.WaitGroup
	var shakes atomic.Int64
	stop := make(chan struct{})
	for range 4 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := shake(t, k, &tls.Config{ServerName: "a.test"}); err != nil {
					t.Errorf("a handshake failed: %v", err)
				}
				shakes.Add(1)
			}
		})
	}
	defer load.Wait()
	defer close(stop)
	want := Renewals{}
	for name, bad := range map[string]issued{
		"wrong key": {other.chain, old.key},
		"partial":   {other.chain[:len(other.chain)/2], other.key},
		"empty":     {nil, other.key},
		"expired":   issue(t, time.Now().Add(-time.Hour), "a.test"),
	} {
		bad.store(t, dir, "a")
		want.Refused++
		await(want)
		if got := shown(t, k, "a.test"); got != old.serial(t) {
			t.Errorf("%s: it took the place of a good one", name)
		}
	}
	for range 5 {
		next := issue(t, tomorrow(), "a.test")
		next.store(t, dir, "a")
		want.Taken++
		await(want)
		if got := shown(t, k, "a.test"); got != next.serial(t) {
			t.Error("the new certificate is not shown")
		}
	}
	if shakes.Load() == 0 {
		t.Error("no load")
	}
}

// Kubernetes changes the target of a symbolic link, two steps away from the files.
func TestRenewalBehindLinks(t *testing.T) {
	dir := t.TempDir()
	old, next := issue(t, tomorrow(), "a.test"), issue(t, tomorrow(), "a.test")
	for name, pair := range map[string]issued{"..1": old, "..2": next} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		pair.store(t, filepath.Join(dir, name), "tls")
	}
	link := func(target, name string) {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("..1", "..data")
	link("..data/tls.crt", "tls.crt")
	link("..data/tls.key", "tls.key")
	files := config.Certificate{CertFile: filepath.Join(dir, "tls.crt"), KeyFile: filepath.Join(dir, "tls.key")}
	k, err := NewKeychain(config.ListenTLS{Certificates: []config.Certificate{files}})
	if err != nil {
		t.Fatal(err)
	}
	await := following(t, k)
	link("..2", "..new")
	if err := os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	await(Renewals{Taken: 1})
	if got := shown(t, k, "a.test"); got != next.serial(t) {
		t.Error("the new certificate is not shown")
	}
}

func TestCheckHandshake(t *testing.T) {
	for sent, want := range map[string]HandshakeFailure{
		"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n": HandshakePlainHTTP,
		"\x16\x03\x01\x00\x05nonsense":           HandshakeFailed,
		"SSH-2.0-OpenSSH_9.2":                    HandshakeFailed,
	} {
		ours, theirs := net.Pipe()
		go func() { _, _ = theirs.Write([]byte(sent)); _ = theirs.Close() }()
		if got := CheckHandshake(tls.Server(ours, &tls.Config{}).Handshake()); got != want {
			t.Errorf("%q: got %v, want %v", sent, got, want)
		}
		ours.Close()
	}
}
