package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// writePair writes a certificate that signs itself, and its key.
func writePair(t *testing.T, cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"shop.example"}}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
}

const withFiles = `version: 1
listen:
  tls:
    certificates:
      - {cert_file: shop.pem, key_file: shop.key}
      - {cert_file: other.pem, key_file: other.key}
    client_ca_file: clients.pem
admin:
  read_token_file: read.token
  tls: {cert_file: shop.pem, key_file: shop.key}
services:
  shop:
    stable: v1
    variants:
      v1: {endpoints: ["a:1"], tls: &tls {ca_file: /internal.pem, cert_file: haldane.pem, key_file: haldane.key}}
      v2: {endpoints: ["b:1"], tls: *tls}
`

func TestTLSFiles(t *testing.T) {
	c := mustParse(t, withFiles)
	want := []string{
		"/etc/haldane/clients.pem", "/etc/haldane/haldane.key", "/etc/haldane/haldane.pem", "/etc/haldane/other.key",
		"/etc/haldane/other.pem", "/etc/haldane/shop.key", "/etc/haldane/shop.pem", "/internal.pem",
	}
	if diff := cmp.Diff(want, c.TLSFiles()); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/etc/haldane/haldane.yaml"}, c.Files()); diff != "" {
		t.Errorf("certificates are watched like the configuration:\n%s", diff)
	}
	if got := c.Admin.ReadTokenFile; got != "/etc/haldane/read.token" {
		t.Errorf("the read token is read from %s", got)
	}
	if got := c.Listen.TLS.ClientAuth; got != ClientAuthRequire {
		t.Errorf("clients may come with %q", got)
	}
	if got := mustParse(t, "version: 1"+small).TLSFiles(); len(got) != 0 {
		t.Errorf("files of nothing: %v", got)
	}
}

func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	path := at("haldane.yaml")
	write(t, path, strings.Replace(withFiles, "/internal.pem", "internal.pem", 1))
	for _, name := range []string{"shop", "other", "haldane", "clients", "internal"} {
		writePair(t, at(name+".pem"), at(name+".key"))
	}
	write(t, at("read.token"), "abcdefghijklmnopq\n")
	check := func(want ...string) {
		t.Helper()
		c, err := Load(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range c.CheckFiles() {
			got = append(got, strings.ReplaceAll(p.String(), dir+"/", ""))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("problems (-want +got):\n%s", diff)
		}
	}
	check()
	writePair(t, at("other.pem"), at("unused.key"))
	write(t, at("clients.pem"), "nothing")
	if err := os.Remove(at("read.token")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(at("haldane.key")); err != nil {
		t.Fatal(err)
	}
	write(t, at("internal.pem"), "")
	check(
		"haldane.yaml:6:21: listen.tls.certificates[1].cert_file: this certificate and its key cannot be used: "+
			"tls: private key does not match public key",
		"haldane.yaml:7:21: listen.tls.client_ca_file: there is no PEM certificate in clients.pem",
		"haldane.yaml:9:20: admin.read_token_file: cannot read read.token: no such file or directory",
		// Both variants have this section; what is wrong with it is said once.
		"haldane.yaml:15:52: services.shop.variants.v1.tls.ca_file: there is no PEM certificate in internal.pem",
		"haldane.yaml:15:100: services.shop.variants.v1.tls.key_file: cannot read haldane.key: no such file or directory",
	)
}

func TestCheckAdmin(t *testing.T) {
	f := func(admin string, exposed bool) {
		t.Helper()
		got := mustParse(t, "version: 1\nadmin: "+admin+small).CheckAdmin()
		if exposed != (len(got) == 1) {
			t.Errorf("%s: %v", admin, got)
		}
	}
	f("{}", false)
	f("{address: off}", false)
	f(`{address: "127.0.0.2:0"}`, false)
	f(`{address: "[::1]:9901"}`, false)
	f(`{address: "[::ffff:127.0.0.1]:9901"}`, false)
	f(`{address: "localhost:9901"}`, false)
	f(`{address: "10.0.0.1:9901", tls: {cert_file: c, key_file: k}}`, false)
	f(`{address: ":9901"}`, true)
	f(`{address: "0.0.0.0:9901"}`, true)
	f(`{address: "[::]:9901"}`, true)
	f(`{address: "10.0.0.1:9901", tls: off}`, true)
	const want = "/etc/haldane/haldane.yaml:2:18: admin.address: :9901 is not loopback, where the API may speak plain HTTP; " +
		"set admin.tls, use 127.0.0.1, or run with --insecure-admin"
	if diff := cmp.Diff(want, mustParse(t, "version: 1\nadmin: {address: \":9901\"}"+small).CheckAdmin().Error()); diff != "" {
		t.Error(diff)
	}
}

// TestFollowFiles watches certificates: those that stay are remembered, those that come count as loaded.
func TestFollowFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b, c := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")
	for _, path := range []string{a, b, c} {
		write(t, path, "1")
	}
	w := startWatching(t, a, nil)
	w.FollowFiles(a, b)
	w.comparison(false)
	write(t, b, "2")
	w.comparison(true)
	w.FollowFiles(b, c)
	write(t, a, "2") // nobody watches
	w.comparison(false)
	write(t, c, "2")
	w.comparison(true)
}
