package upstream

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority makes certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	path string // its own certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	key, der := a.issue(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	a.key = key
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.path = write(t, "ca.pem", "CERTIFICATE", der)
	return a
}

// issue makes a key and a certificate for it; the first one signs itself.
func (a *authority) issue(template *x509.Certificate) (*ecdsa.PrivateKey, []byte) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber, template.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: "test"}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, der
}

// pair is a certificate for names, and its files.
func (a *authority) pair(names ...string) (cert tls.Certificate, certFile, keyFile string) {
	a.t.Helper()
	key, der := a.issue(&x509.Certificate{
		DNSNames:    names,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	certFile, keyFile = write(a.t, "cert.pem", "CERTIFICATE", der), write(a.t, "key.pem", "PRIVATE KEY", secret)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, certFile, keyFile
}

// write writes one block of PEM.
func write(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load loads what must be right.
func load(t *testing.T, o TLSOptions) *TLS {
	t.Helper()
	loaded, err := LoadTLS(o)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// secured is a script that plays another one behind TLS.
func secured(config *tls.Config, script func(*tls.Conn, *bufio.Reader)) func(*peer) {
	return func(p *peer) {
		c := tls.Server(p.TCPConn, config)
		if c.Handshake() == nil {
			script(c, bufio.NewReader(c))
		}
	}
}

// answerTLS answers every request with a text.
func answerTLS(text string) func(*tls.Conn, *bufio.Reader) {
	return func(c *tls.Conn, in *bufio.Reader) {
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			_, _ = io.WriteString(c, text)
		}
	}
}

// over is an endpoint for a server, with TLS to a name.
func (s *server) over(t *TLS, name string) *Endpoint {
	return s.endpoint(func(o *Options) { o.TLS, o.ServerName = t, name })
}
