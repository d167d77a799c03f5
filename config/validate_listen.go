package config

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// maxSocketPath is the longest path of a unix socket on every system.
const maxSocketPath = 103

// minToken is the shortest admin token: guesses are not slowed down.
const minToken = 16

func (v *validator) listen(l *Listen, at place) {
	v.check(at.key("address"), address(l.Address, toListen))
	if l.TLS != nil {
		v.listenTLS(l.TLS, at.key("tls"))
		if sameListener(l.TLS.Address, l.Address) {
			v.problems.wrong(at.key("tls").key("address"), "plain HTTP listens on %s already; HTTPS needs a port of its own", l.Address)
		}
	}
	v.networks(at.key("proxy_protocol"), l.ProxyProtocol)
	v.networks(at.key("trusted_proxies"), l.TrustedProxies)
}

func (v *validator) listenTLS(t *ListenTLS, at place) {
	v.check(at.key("address"), address(t.Address, toListen))
	if len(t.Certificates) == 0 && !v.problems.unread(at.key("certificates")) {
		v.problems.wrong(at, "at least one certificate is required")
	}
	for i := range t.Certificates {
		v.certificate(&t.Certificates[i], at.key("certificates").item(i))
	}
	v.oneOf(at.key("min_version"), t.MinVersion, TLS12, TLS13)
	switch {
	case t.ClientAuth != "":
		v.oneOf(at.key("client_auth"), t.ClientAuth, ClientAuthRequire, ClientAuthOptional)
		if t.ClientCAFile == "" {
			v.problems.wrong(at.key("client_auth"), "client_auth needs client_ca_file: without it no client is asked for a certificate")
		}
	case at.key("client_auth").written():
		v.oneOf(at.key("client_auth"), t.ClientAuth, ClientAuthRequire, ClientAuthOptional)
	}
}

func (v *validator) certificate(c *Certificate, at place) {
	v.needed(at.key("cert_file"), c.CertFile)
	v.needed(at.key("key_file"), c.KeyFile)
}

func (v *validator) networks(at place, list []string) {
	for i, text := range list {
		v.check(at.item(i), network(text))
	}
}

// sameListener says whether two addresses cannot be listened on at the same time, or only by chance: the same port, and the
// same host or every address on one side. What is no address is the same as nothing.
func sameListener(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || strings.TrimLeft(portA, "0") != strings.TrimLeft(portB, "0") || strings.Trim(portA, "0") == "" {
		return false
	}
	return hostA == hostB || everyAddress(hostA) || everyAddress(hostB)
}

func everyAddress(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "" || err == nil && addr.IsUnspecified()
}

func (v *validator) admin(a *Admin, at place) {
	if a.Address != Off {
		v.check(at.key("address"), address(a.Address, toListen))
	}
	if len(a.Socket) > maxSocketPath {
		v.problems.wrong(at.key("socket"), "the path of a unix socket has at most %d bytes: %s", maxSocketPath, a.Socket)
	}
	v.token(at.key("token"), a.Token)
	v.token(at.key("read_token"), a.ReadToken)
	if a.Token != "" && a.TokenFile != "" {
		v.problems.wrong(at.key("token_file"), "token and token_file exclude each other")
	}
	if a.ReadToken != "" && a.ReadTokenFile != "" {
		v.problems.wrong(at.key("read_token_file"), "read_token and read_token_file exclude each other")
	}
	if a.ReadToken != "" && a.ReadToken == a.Token {
		v.problems.wrong(at.key("read_token"), "the read token is the same as the token: whoever may read could change everything")
	}
	if a.ReadTokenFile != "" && a.ReadTokenFile == a.TokenFile {
		v.problems.wrong(at.key("read_token_file"), "the read token is in the file of the token: whoever may read could change everything")
	}
	if a.TLS != nil {
		v.certificate(a.TLS, at.key("tls"))
	}
	for i, host := range a.Hosts {
		v.check(at.key("hosts").item(i), adminHost(host))
	}
	if a.Profiles && a.Socket == Off {
		v.problems.wrong(at.key("profiles"), "profiles are served on the socket, which is off")
	}
}

// token checks a bearer token. No message shows it.
func (v *validator) token(at place, token Secret) {
	if n := len(token); n > 0 && n < minToken {
		v.problems.wrong(at, "a token has at least %d characters, this one has %d", minToken, n)
	}
	if strings.ContainsFunc(string(token), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		v.problems.wrong(at, "a token is made of printable ASCII characters without spaces")
	}
}

// adminHost checks a name of the admin listener. There is no wildcard: it would let in what the names keep out.
func adminHost(text string) error {
	if strings.Contains(text, "*") || hostPattern(text) != nil {
		return fmt.Errorf("expected a host name or an address, without a port and written out, got %q", text)
	}
	return nil
}
