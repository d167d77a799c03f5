package upstream

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// TLSOptions describe HTTPS to endpoints. The zero value trusts the authorities of the system.
type TLSOptions struct {
	// CAFile is the path of PEM certificates of the authorities that are trusted instead of the system's.
	CAFile string
	// CertFile and KeyFile are the paths of the PEM certificate chain that is shown, and of its key. Both or none.
	CertFile, KeyFile string
	// InsecureSkipVerify takes any certificate.
	InsecureSkipVerify bool
}

// TLS is HTTPS to endpoints, with what stood in its files when it was loaded. It is immutable.
type TLS struct {
	config *tls.Config
	digest [sha256.Size]byte // of the options and the files
}

// sessions is how many endpoints' sessions are kept to be resumed.
const sessions = 256

// LoadTLS reads the files.
func LoadTLS(o TLSOptions) (*TLS, error) {
	t := &TLS{config: &tls.Config{
		MinVersion:         tls.VersionTLS12,
		NextProtos:         []string{"http/1.1"},
		ClientSessionCache: tls.NewLRUClientSessionCache(sessions),
		InsecureSkipVerify: o.InsecureSkipVerify, //nolint:gosec // the operator asked for it
	}}
	sum := sha256.New()
	fmt.Fprintf(sum, "%+v", o)
	read := func(path string) ([]byte, error) {
		content, err := os.ReadFile(path)
		fmt.Fprintf(sum, "\n%d ", len(content))
		_, _ = sum.Write(content)
		return content, err
	}
	if err := t.loadAuthorities(o.CAFile, read); err != nil {
		return nil, fmt.Errorf("load the authorities: %w", err)
	}
	if err := t.loadCertificate(o, read); err != nil {
		return nil, fmt.Errorf("load the client certificate: %w", err)
	}
	t.digest = [sha256.Size]byte(sum.Sum(nil))
	return t, nil
}

func (t *TLS) loadAuthorities(path string, read func(string) ([]byte, error)) error {
	if path == "" {
		return nil
	}
	pem, err := read(path)
	if err != nil {
		return err
	}
	t.config.RootCAs = x509.NewCertPool()
	if !t.config.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate", path)
	}
	return nil
}

func (t *TLS) loadCertificate(o TLSOptions, read func(string) ([]byte, error)) error {
	if o.CertFile == "" && o.KeyFile == "" {
		return nil
	}
	chain, err := read(o.CertFile)
	if err != nil {
		return err
	}
	key, err := read(o.KeyFile)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return fmt.Errorf("%s with %s: %w", o.CertFile, o.KeyFile, err)
	}
	t.config.Certificates = []tls.Certificate{pair}
	return nil
}

// Same says whether the two were loaded from the same options and files. Either may be nil.
func (t *TLS) Same(other *TLS) bool {
	if t == nil || other == nil {
		return t == other
	}
	return t.digest == other.digest
}

// client is what an endpoint with this name is talked to with.
func (t *TLS) client(name string) *tls.Config {
	if t == nil {
		return nil
	}
	config := t.config.Clone()
	config.ServerName = name
	return config
}

// secure puts TLS on a connection that was just opened. When it fails, the connection is closed.
func (c *conn) secure(ctx context.Context, end time.Time) error {
	secured := tls.Client(strictEnd{c.net}, c.endpoint.tls)
	err := c.net.SetDeadline(end)
	if err == nil {
		err = secured.HandshakeContext(ctx)
	}
	if err == nil {
		err = c.net.SetDeadline(time.Time{})
	}
	if err != nil {
		_ = c.net.Close()
		return fmt.Errorf("TLS handshake: %w", err)
	}
	c.net, c.under, c.asker = secured, c.net, nil
	return nil
}

// quiet looks whether TLS holds octets that it has read ahead: the socket no longer shows them, and the next request would
// be answered with them. A read that is too late from the start takes what is there and waits for nothing.
func quiet(c net.Conn) bool {
	if c.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	var octet [1]byte
	n, err := c.Read(octet[:])
	return n == 0 && timedOut(err)
}

// strictEnd tells an end that TLS has announced from one that it has not: crypto/tls takes both for the end of the data,
// but a response that lasts until the connection is closed is only complete after a closure alert (RFC 9112 section 9.8).
type strictEnd struct{ net.Conn }

// Read reads what lies under TLS, which does not ask for more after a closure alert.
func (s strictEnd) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if err == io.EOF {
		err = errUnannounced
	}
	return n, err
}

// ended says whether a read met the end of the connection.
func ended(err error) bool { return err == io.EOF || err == errUnannounced }

// refusedByTLS says whether the endpoint has ended the connection with an alert. In TLS 1.3 this is how it refuses a
// certificate, after the handshake seems done (RFC 8446 section 4.4.2.4).
func refusedByTLS(err error) bool {
	var failed *net.OpError
	return errors.As(err, &failed) && failed.Op == "remote error"
}
