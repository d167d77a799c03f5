package admin

import (
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"

	"go.uber.org/zap"
)

const (
	// bodyBytes bounds the body of a request.
	bodyBytes = 1 << 20
	// connectionsMost bounds the connections of one listener, so that the admin side cannot eat the file descriptors that
	// traffic needs.
	connectionsMost = 256
)

// socketDoor trusts its peer: the mode of the socket decided who may connect. It still refuses foreign names and browsers,
// because a socket can be forwarded to a port on the machine of the person who operates it.
func socketDoor() *door {
	return &door{name: "socket", hosts: hosts{
		names:    map[string]struct{}{"localhost": {}, "haldane": {}, "unix": {}},
		describe: "localhost",
	}}
}

// tcpDoor is the door of an open TCP listener. Loopback shows everything to whoever is on the machine; elsewhere reading needs
// the token too.
func tcpDoor(configured string, bound net.Addr, config *tls.Config, secret token) *door {
	address := bound.(*net.TCPAddr) // the only kind that listenTCP makes
	ip, port := address.IP, address.Port
	d := &door{name: "tcp", token: &secret, private: !ip.IsLoopback()}
	d.hosts = hosts{port: strconv.Itoa(port), names: map[string]struct{}{"localhost": {}}, anyIP: ip.IsUnspecified()}
	if name, _, err := net.SplitHostPort(configured); err == nil && name != "" {
		d.hosts.names[strings.ToLower(name)] = struct{}{}
	}
	d.hosts.names[ip.String()] = struct{}{}
	if ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			d.hosts.names[strings.ToLower(name)] = struct{}{}
		}
	}
	if config != nil {
		if leaf := config.Certificates[0].Leaf; leaf != nil {
			d.hosts.verify = func(name string) bool { return leaf.VerifyHostname(name) == nil }
		}
	}
	d.hosts.describe = "localhost:" + d.hosts.port + " and " + net.JoinHostPort(ip.String(), d.hosts.port)
	return d
}

// enter is the way of every request: our response fields, the rules of the door, then the routes.
func (s *Server) enter(d *door) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.contain(w, r)
		protect(w.Header())
		if p := d.check(r); p != nil {
			s.options.Logger.Warn("admin request refused", zap.String("listener", d.name), zap.String("remote", r.RemoteAddr),
				zap.String("method", r.Method), zap.String("path", r.URL.Path), zap.Int("status", p.Status), zap.String("reason", p.Detail))
			if p.Status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Bearer realm="haldane"`)
			}
			writeProblem(w, r, p)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, bodyBytes)
		s.routes.ServeHTTP(w, r)
	})
}

// contain turns a panic into one lost request.
func (s *Server) contain(w http.ResponseWriter, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	s.options.Logger.Error("admin handler panicked", zap.String("path", r.URL.Path), zap.Any("panic", cause),
		zap.ByteString("stack", debug.Stack()))
	// If the answer has begun, this only ends it; the client sees a broken one.
	writeProblem(w, r, refuse(http.StatusInternalServerError, "a bug in Haldane; its log has the details"))
}

// protect sets the fields that tell a browser to run, frame, guess and keep nothing.
func protect(header http.Header) {
	header.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
}

// connectionLimit counts the connections of one listener.
type connectionLimit struct{ open atomic.Int64 }

// watch is the server's hook for the states of its connections.
func (l *connectionLimit) watch(connection net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if l.open.Add(1) > connectionsMost {
			_ = connection.Close()
		}
	case http.StateClosed, http.StateHijacked:
		l.open.Add(-1)
	default:
	}
}
