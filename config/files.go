package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"slices"
)

// tlsFiles is one place of the configuration that names files of certificates. A file that cannot stand there is nil.
type tlsFiles struct {
	at          place
	cert, key   *string
	authorities *string
	// authoritiesKey is the name of the key for authorities.
	authoritiesKey string
}

// eachTLS visits every place that names certificates.
func (c *Config) eachTLS(top place, visit func(tlsFiles)) {
	if t := c.Listen.TLS; t != nil {
		at := top.key("listen").key("tls")
		for i := range t.Certificates {
			one := &t.Certificates[i]
			visit(tlsFiles{at: at.key("certificates").item(i), cert: &one.CertFile, key: &one.KeyFile})
		}
		visit(tlsFiles{at: at, authorities: &t.ClientCAFile, authoritiesKey: "client_ca_file"})
	}
	if t := c.Admin.TLS; t != nil {
		visit(tlsFiles{at: top.key("admin").key("tls"), cert: &t.CertFile, key: &t.KeyFile})
	}
	for _, service := range names(c.Services) {
		variants := c.Services[service].Variants
		for _, variant := range names(variants) {
			t := variants[variant].TLS
			if t == nil {
				continue
			}
			at := top.key("services").key(service).key("variants").key(variant).key("tls")
			visit(tlsFiles{at: at, cert: &t.CertFile, key: &t.KeyFile, authorities: &t.CAFile, authoritiesKey: "ca_file"})
		}
	}
}

// TLSFiles is every file with certificates or keys that the configuration names, each once, in order. They are no part of
// the configuration: another content is no reload (Files, which a Watcher follows, does not have them), and the one who uses
// a file reads it again. Watcher.FollowFiles can watch them.
func (c *Config) TLSFiles() []string {
	var paths []string
	c.eachTLS(place{}, func(f tlsFiles) {
		for _, path := range []*string{f.cert, f.key, f.authorities} {
			if path != nil && *path != "" {
				paths = append(paths, *path)
			}
		}
	})
	slices.Sort(paths)
	return slices.Compact(paths)
}

// later is where things stand in the file that are looked at only when the configuration is put to use.
type later struct {
	certificates []certificateAt
	authorities  []fileAt
	readToken    fileAt
	secrets      []fileAt // of notifications and hooks
	adminAddress Problem
}

// fileAt is a file and where it is named: a Problem without its message.
type fileAt struct {
	path string
	at   Problem
}

// certificateAt is a certificate and its key.
type certificateAt struct{ cert, key fileAt }

// remember keeps the places for CheckFiles and CheckAdmin, so that the whole tree need not be kept.
func (c *Config) remember(file string, top place) {
	point := func(at place) Problem {
		return Problem{File: file, Line: at.at.line, Column: at.at.column, Path: at.path()}
	}
	named := func(at place, path *string) fileAt {
		if path == nil || *path == "" {
			return fileAt{}
		}
		return fileAt{*path, point(at)}
	}
	c.eachTLS(top, func(f tlsFiles) {
		if cert := named(f.at.key("cert_file"), f.cert); cert.path != "" {
			c.later.certificates = append(c.later.certificates, certificateAt{cert, named(f.at.key("key_file"), f.key)})
		}
		if a := named(f.at.key(f.authoritiesKey), f.authorities); a.path != "" {
			c.later.authorities = append(c.later.authorities, a)
		}
	})
	admin := top.key("admin")
	c.later.readToken = named(admin.key("read_token_file"), &c.Admin.ReadTokenFile)
	c.later.adminAddress = point(admin.key("address"))
	if f := named(top.key("prometheus").key("token_file"), &c.Prometheus.TokenFile); f.path != "" {
		c.later.secrets = append(c.later.secrets, f)
	}
	if c.Tracing != nil {
		if f := named(top.key("tracing").key("headers_file"), &c.Tracing.HeadersFile); f.path != "" {
			c.later.secrets = append(c.later.secrets, f)
		}
	}
	secret := func(at place, path *string) {
		if f := named(at, path); f.path != "" {
			c.later.secrets = append(c.later.secrets, f)
		}
	}
	c.Notifications.eachFile(top.key("notifications"), secret)
	c.eachHookFile(top, secret)
}

// CheckFiles opens the files that Load only names: certificates with their keys, authorities, the read token, and the URLs and
// secrets of notifications. It returns all that a start of the proxy would fail on, in the order of the file; nothing for a
// Config that was not loaded.
func (c *Config) CheckFiles() Problems {
	found := newCollector("")
	report := func(f fileAt, err error) {
		problem := f.at
		problem.Message = err.Error()
		found.put(problem)
	}
	for _, pair := range c.later.certificates {
		cert, certErr := readNamed(pair.cert, report)
		key, keyErr := readNamed(pair.key, report)
		if certErr != nil || keyErr != nil {
			continue
		}
		if _, err := tls.X509KeyPair(cert, key); err != nil {
			report(pair.cert, fmt.Errorf("this certificate and its key cannot be used: %w", err))
		}
	}
	for _, a := range c.later.authorities {
		src, err := readNamed(a, report)
		if err == nil && !x509.NewCertPool().AppendCertsFromPEM(src) {
			report(a, fmt.Errorf("there is no PEM certificate in %s", a.path))
		}
	}
	if c.later.readToken.path != "" {
		_, _ = readNamed(c.later.readToken, report) // what is in it, whoever serves the API looks at
	}
	for _, f := range c.later.secrets {
		_, _ = readNamed(f, report) // what is in it, whoever sends looks at
	}
	slices.SortStableFunc(found.list, Problem.Compare)
	return found.list
}

// readNamed reads a file, and reports when it cannot.
func readNamed(f fileAt, report func(fileAt, error)) ([]byte, error) {
	src, err := readFile(f.path)
	var failed *fs.PathError
	if errors.As(err, &failed) {
		err = fmt.Errorf("cannot read %s: %w", failed.Path, failed.Err)
	}
	if err != nil {
		report(f, err)
	}
	return src, err
}

// CheckAdmin reports an admin listener that would speak plain HTTP beyond this machine, which the proxy refuses to start
// with unless it is told to. Of a host name other than localhost it does not know where it leads, and says nothing.
func (c *Config) CheckAdmin() Problems {
	host, _, err := net.SplitHostPort(c.Admin.Address)
	if c.Admin.Address == Off || c.Admin.TLS != nil || err != nil {
		return nil
	}
	addr, err := netip.ParseAddr(host)
	if host != "" && (err != nil || addr.IsLoopback()) {
		return nil
	}
	problem := c.later.adminAddress
	problem.Message = fmt.Sprintf("%s is not loopback, where the API may speak plain HTTP; set admin.tls, use 127.0.0.1, or "+
		"run with --insecure-admin", c.Admin.Address)
	return Problems{problem}
}
