package listen

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"haldane/config"
)

// patience bounds every wait of a test.
const patience = 20 * time.Second

// issued is a certificate with its key, as PEM.
type issued struct{ chain, key []byte }

// issue makes a certificate that signs itself. Two of them with the same names differ in their serial numbers.
func issue(t testing.TB, expires time.Time, names ...string) issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: expires, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return issued{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}
}

func tomorrow() time.Time { return time.Now().Add(24 * time.Hour) }

// store writes the pair under a name, each file in one go.
func (i issued) store(t testing.TB, dir, name string) config.Certificate {
	t.Helper()
	files := config.Certificate{CertFile: filepath.Join(dir, name+".crt"), KeyFile: filepath.Join(dir, name+".key")}
	replace(t, files.KeyFile, i.key)
	replace(t, files.CertFile, i.chain)
	return files
}

// replace puts a new file in the place of an old one.
func replace(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// serial is the number of the certificate.
func (i issued) serial(t testing.TB) string {
	t.Helper()
	block, _ := pem.Decode(i.chain)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return leaf.SerialNumber.String()
}

// shake does one real handshake over loopback and gives what the client saw.
func shake(t testing.TB, k *Keychain, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	ours, theirs := net.Pipe() // thousands of handshakes would take all ports
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer ours.Close()
		secured := tls.Server(ours, k.Config())
		if secured.Handshake() == nil {
			_, _ = secured.Write([]byte("x"))
		}
	}()
	_ = theirs.SetDeadline(time.Now().Add(patience))
	client.InsecureSkipVerify = true
	secured := tls.Client(theirs, client)
	err := secured.Handshake()
	if err == nil {
		// With TLS 1.3 the client learns only now what the server thinks of its certificate.
		_, err = secured.Read(make([]byte, 1))
	}
	_ = theirs.Close()
	<-done
	return secured.ConnectionState(), err
}

// shown is the serial number of the certificate that a client is shown.
func shown(t testing.TB, k *Keychain, name string) string {
	t.Helper()
	state, err := shake(t, k, &tls.Config{ServerName: name})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return state.PeerCertificates[0].SerialNumber.String()
}
