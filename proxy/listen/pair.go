package listen

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"haldane/config"
)

// pair is a certificate with its key, as last taken from its files.
type pair struct {
	files       config.Certificate
	certificate *tls.Certificate
	seen        [2][sha256.Size]byte // what the files held when they were looked at last
}

// load reads the pair for the first time.
func (p *pair) load() error {
	certificate, seen, err := p.read()
	if err != nil {
		return err
	}
	p.certificate, p.seen = certificate, seen
	return nil
}

// renew reads the pair again, and takes it when it has changed and can be used. The error is why a changed one was not taken.
func (p *pair) renew(now time.Time) (changed bool, err error) {
	certificate, seen, err := p.read()
	if seen == p.seen {
		return false, nil // also when it is as bad as it was at the last look
	}
	p.seen = seen
	if err == nil {
		err = expired(certificate.Leaf, now)
	}
	if err != nil {
		return true, err
	}
	p.certificate = certificate
	return true, nil
}

// read reads both files. The error never holds any of the key.
func (p *pair) read() (certificate *tls.Certificate, seen [2][sha256.Size]byte, err error) {
	chain, err := os.ReadFile(p.files.CertFile)
	if err != nil {
		return nil, seen, fmt.Errorf("read the certificate: %w", err)
	}
	key, err := os.ReadFile(p.files.KeyFile)
	if err != nil {
		return nil, seen, fmt.Errorf("read the key: %w", err)
	}
	seen = [2][sha256.Size]byte{sha256.Sum256(chain), sha256.Sum256(key)}
	made, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, seen, fmt.Errorf("load the certificate %s with the key %s: %w", p.files.CertFile, p.files.KeyFile, err)
	}
	return &made, seen, nil
}

// authorities are those that client certificates must come from.
type authorities struct {
	path string // "" for none
	pool *x509.CertPool
	seen [sha256.Size]byte
}

func (a *authorities) load() error {
	pool, seen, err := a.read()
	if err != nil {
		return err
	}
	a.pool, a.seen = pool, seen
	return nil
}

// renew is the same as that of a pair.
func (a *authorities) renew() (changed bool, err error) {
	pool, seen, err := a.read()
	if seen == a.seen {
		return false, nil
	}
	a.seen = seen
	if err != nil {
		return true, err
	}
	a.pool = pool
	return true, nil
}

func (a *authorities) read() (*x509.CertPool, [sha256.Size]byte, error) {
	if a.path == "" {
		return nil, [sha256.Size]byte{}, nil
	}
	text, err := os.ReadFile(a.path)
	if err != nil {
		return nil, [sha256.Size]byte{}, fmt.Errorf("read the authorities of clients: %w", err)
	}
	pool, seen := x509.NewCertPool(), sha256.Sum256(text)
	if !pool.AppendCertsFromPEM(text) {
		return nil, seen, fmt.Errorf("%s holds no certificate", a.path)
	}
	return pool, seen, nil
}
