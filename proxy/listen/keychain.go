package listen

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"haldane/config"
)

// Keychain holds the certificates that clients are shown, and follows their files.
type Keychain struct {
	settings config.ListenTLS
	watcher  *config.Watcher
	server   *tls.Config // what connections begin with; it looks up current for each of them
	current  atomic.Pointer[tls.Config]
	now      func() time.Time

	renewed, failed atomic.Uint64

	mu    sync.Mutex // what follows is only used under it
	pairs []*pair
	roots authorities
}

// Certificate is what is known of a certificate in use.
type Certificate struct {
	// File is the path of its chain.
	File string
	// Expires is when it stops being good.
	Expires time.Time
}

// Renewals counts what became of files that changed.
type Renewals struct {
	// Taken is how often a changed file was put in use, Refused how often one could not be.
	Taken, Refused uint64
}

// NewKeychain reads the certificates. It starts nothing. Any file that cannot be used is an error, except for a certificate
// that has expired: then there is nothing better, and the rest of the process need not suffer.
func NewKeychain(settings config.ListenTLS) (*Keychain, error) {
	if len(settings.Certificates) == 0 {
		return nil, constError("no certificates")
	}
	k := &Keychain{settings: settings, now: time.Now, roots: authorities{path: settings.ClientCAFile}}
	paths := make([]string, 0, 2*len(settings.Certificates)+1)
	for _, files := range settings.Certificates {
		k.pairs = append(k.pairs, &pair{files: files})
		paths = append(paths, files.CertFile, files.KeyFile)
	}
	if settings.ClientCAFile != "" {
		paths = append(paths, settings.ClientCAFile)
	}
	k.watcher = config.NewWatcher(paths...)
	for _, p := range k.pairs {
		if err := p.load(); err != nil {
			return nil, err
		}
	}
	if err := k.roots.load(); err != nil {
		return nil, err
	}
	k.publish()
	k.server = &tls.Config{
		MinVersion:         tls.VersionTLS12, // the real one is in current
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return k.current.Load(), nil },
	}
	return k, nil
}

// Config is how connections are secured. It stays the same; what it stands for changes with the files.
func (k *Keychain) Config() *tls.Config { return k.server }

// Run follows the files until the context ends. report is told of every file that changed: a nil error when it is in use
// now. Connections that are open are not touched.
func (k *Keychain) Run(ctx context.Context, report func(file string, err error)) error {
	return k.watcher.Run(ctx, func() { k.renew(report) })
}

// renew reads what has changed. Each pair stands for itself: a broken one stays as it was and stops no other.
func (k *Keychain) renew(report func(file string, err error)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var outcomes []outcome
	for _, p := range k.pairs {
		changed, err := p.renew(k.now())
		outcomes = append(outcomes, outcome{p.files.CertFile, changed, err})
	}
	changed, err := k.roots.renew()
	outcomes = append(outcomes, outcome{k.roots.path, changed, err})
	k.publish() // before anybody hears of it
	for _, o := range outcomes {
		switch {
		case o.err != nil:
			k.failed.Add(1)
		case o.changed:
			k.renewed.Add(1)
		default:
			continue
		}
		report(o.file, o.err)
	}
}

// outcome is what became of a file that may have changed.
type outcome struct {
	file    string
	changed bool
	err     error
}

// publish makes a configuration of what there is.
func (k *Keychain) publish() {
	certificates := make([]*tls.Certificate, 0, len(k.pairs))
	for _, p := range k.pairs {
		certificates = append(certificates, p.certificate)
	}
	next := &tls.Config{
		MinVersion:     version(k.settings.MinVersion),
		NextProtos:     []string{"http/1.1"},
		GetCertificate: newShelf(certificates).choose,
	}
	if k.roots.path != "" {
		next.ClientCAs = k.roots.pool
		next.ClientAuth = tls.RequireAndVerifyClientCert
		if k.settings.ClientAuth == config.ClientAuthOptional {
			next.ClientAuth = tls.VerifyClientCertIfGiven
		}
	}
	k.current.Store(next)
}

// version is a version of TLS.
func version(text string) uint16 {
	if text == config.TLS13 {
		return tls.VersionTLS13
	}
	return tls.VersionTLS12
}

// Certificates are those in use, in the order of the configuration.
func (k *Keychain) Certificates() []Certificate {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := make([]Certificate, 0, len(k.pairs))
	for _, p := range k.pairs {
		all = append(all, Certificate{File: p.files.CertFile, Expires: p.certificate.Leaf.NotAfter})
	}
	return all
}

// Renewals counts the files that changed so far.
func (k *Keychain) Renewals() Renewals {
	return Renewals{Taken: k.renewed.Load(), Refused: k.failed.Load()}
}

// expired says whether a certificate is good at a time, and why not.
func expired(leaf *x509.Certificate, now time.Time) error {
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("it has expired on %s", leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("it is only good from %s on", leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}
