package admin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haldane/config"
)

// certificate makes one for haldane.example, and a pool that trusts it.
func certificate(t *testing.T) (*config.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "haldane"}, DNSNames: []string{"haldane.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	files := &config.Certificate{CertFile: filepath.Join(t.TempDir(), "cert"), KeyFile: filepath.Join(t.TempDir(), "key")}
	for path, block := range map[string]*pem.Block{
		files.CertFile: {Type: "CERTIFICATE", Bytes: der},
		files.KeyFile:  {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return files, pool
}

// With a certificate the admin side may be on any address; the names of the certificate are its own.
func TestAdminOverTLS(t *testing.T) {
	o := options(newFake())
	files, pool := certificate(t)
	o.Config.Address, o.Config.TLS = "0.0.0.0:0", files
	s := serve(t, o)
	s.http.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool, ServerName: "haldane.example"}
	port := s.base[strings.LastIndex(s.base, ":"):]
	s.base = "https://127.0.0.1" + port
	for _, c := range []struct {
		name   string
		fields []string
		want   int
	}{
		{"by the name of the certificate", []string{bearer, "Host: haldane.example" + port}, 200},
		{"from its own page", []string{bearer, "Host: haldane.example" + port, "Origin: https://haldane.example" + port}, 200},
		{"from the plain page", []string{bearer, "Host: haldane.example" + port, "Origin: http://haldane.example" + port}, 403},
		{"by a foreign name", []string{bearer, "Host: evil.example" + port}, 421},
		{"without a token", []string{"Host: haldane.example" + port}, 401},
	} {
		if got := s.do(http.MethodGet, "/api/v1/rollouts", "", c.fields...); got.status != c.want {
			t.Errorf("%s: %d, want %d: %s", c.name, got.status, c.want, got.body)
		}
	}
}

func TestBadCertificate(t *testing.T) {
	o := options(newFake())
	o.Config.TLS = &config.Certificate{CertFile: "/nowhere/cert", KeyFile: "/nowhere/key"}
	_, err := open(t, o)
	wantError(t, err, "load the admin certificate", "/nowhere/cert")
}
