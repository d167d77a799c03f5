package admin

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"haldane/config"
)

// bodyBytes bounds the body of a request.
const bodyBytes = 1 << 20

// socketDoor trusts its peer: the mode of the socket decided who may connect. It still refuses foreign names and browsers,
// because a socket can be forwarded to a port on the machine of the person who operates it.
func socketDoor() *door {
	return &door{name: "socket", rooms: newRooms(), guests: newGuests(), hosts: hosts{
		names:    map[string]struct{}{"localhost": {}, "haldane": {}, "unix": {}},
		describe: "localhost",
	}}
}

// tcpDoor is the door of an open TCP listener. Loopback shows everything to whoever is on the machine, unless there is a read
// token; elsewhere reading needs one of the tokens.
func tcpDoor(section config.Admin, bound net.Addr, certificates *tls.Config, unlock *keys) *door {
	address := bound.(*net.TCPAddr) // the only kind that listenTCP makes
	d := &door{name: "tcp", keys: unlock, rooms: newRooms(), guests: newGuests()}
	switch {
	case !address.IP.IsLoopback():
		d.exposure = exposeHealth
	case unlock.read != nil:
		d.exposure = exposeMetrics
	}
	d.hosts = tcpHosts(section, address)
	d.sessions = newSessions(section, unlock, d.hosts.port)
	if certificates != nil {
		if leaf := certificates.Certificates[0].Leaf; leaf != nil {
			d.hosts.verify = func(name string) bool { return leaf.VerifyHostname(name) == nil }
		}
	}
	return d
}

// tcpHosts are the names of a TCP listener: its address, as configured and as bound, and those the operator added.
func tcpHosts(section config.Admin, bound *net.TCPAddr) hosts {
	h := hosts{
		port: strconv.Itoa(bound.Port), anyIP: bound.IP.IsUnspecified(),
		names: map[string]struct{}{"localhost": {}, bound.IP.String(): {}}, extra: map[string]struct{}{},
	}
	if name, _, err := net.SplitHostPort(section.Address); err == nil && name != "" {
		h.names[strings.ToLower(name)] = struct{}{}
	}
	if h.anyIP {
		if name, err := os.Hostname(); err == nil {
			h.names[strings.ToLower(name)] = struct{}{}
		}
	}
	known := []string{"localhost:" + h.port, net.JoinHostPort(bound.IP.String(), h.port)}
	for _, name := range section.Hosts {
		h.extra[strings.ToLower(strings.Trim(strings.TrimSuffix(name, "."), "[]"))] = struct{}{}
		known = append(known, name)
	}
	h.describe = strings.Join(known[:len(known)-1], ", ") + " and " + known[len(known)-1] + " (admin.hosts adds names)"
	return h
}

// enter is the way of every request: our response fields, the rules of the door, a place, then the routes.
func (s *Server) enter(d *door, routes http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.contain(w, r)
		who := caller{listener: d.name, remote: r.RemoteAddr}
		if visitor := guestOf(r); visitor != nil {
			visitor.begin()
			defer visitor.end()
			who.peer = visitor.peer
		}
		protect(w.Header())
		var p *problem
		if who.role, p = d.check(r); p != nil {
			s.turnAway(w, r, who, p)
			return
		}
		leave, p := d.rooms.enter(r)
		if p != nil {
			s.turnAway(w, r, who, p)
			return
		}
		defer leave()
		r.Body = http.MaxBytesReader(w, r.Body, bodyBytes)
		routes.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, who)))
	})
}

// turnAway refuses a request. Of many refusals in a second only the first few are logged: a stranger does not fill the disk.
// The query is not logged at all, should somebody have put a token there.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, who caller, p *problem) {
	s.refusals.Warn("admin request refused", zap.Inline(who), zap.String("method", r.Method), zap.String("path", r.URL.Path),
		zap.Int("status", p.Status), zap.String("reason", p.Detail))
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="haldane"`)
	}
	writeProblem(w, r, p)
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
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
}
