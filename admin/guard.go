package admin

import (
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// door is one way in: what a listener demands of every request before any handler sees it.
type door struct {
	name     string    // for the log
	keys     *keys     // nil: the peer is trusted
	sessions *sessions // nil with keys
	exposure exposure  // what can be read without a token
	hosts    hosts
	rooms    rooms
	guests   *guests
	links    *Links   // nil: there is no page of links
	forged   *guesses // of links
}

// exposure says what can be read over TCP without a token. Health always can.
type exposure uint8

const (
	// exposeAll lets whoever is on the machine read everything.
	exposeAll exposure = iota
	// exposeMetrics leaves the metrics open: there is a read token for the rest, and the scraper on the machine needs none.
	exposeMetrics
	// exposeHealth leaves nothing but health open.
	exposeHealth
)

// covers says whether a path can be read without a token.
func (e exposure) covers(path string) bool {
	switch {
	case isHealth(path), isPage(path):
		return true
	case path == metricsPath:
		return e != exposeHealth
	}
	return e == exposeAll
}

// hosts are the names under which a listener answers. A browser that was told a foreign name for our address (DNS rebinding)
// sends that name.
type hosts struct {
	port     string              // ours; "" takes any
	names    map[string]struct{} // lower case; with our port
	extra    map[string]struct{} // lower case; with any port, because what stands in front may have another
	anyIP    bool                // bound to all addresses: an address is no name that could be rebound
	verify   func(string) bool   // whether the certificate is for the name; nil without one
	describe string              // for the refusal
}

// check is the rule for every request: the role of the caller, or why it is refused.
func (d *door) check(r *http.Request) (role, *problem) {
	if !d.hosts.allow(r.Host, r.TLS != nil) {
		return roleNone, refuse(http.StatusMisdirectedRequest, "this listener does not answer to the name %q, but to %s", r.Host, d.hosts.describe)
	}
	if d.links != nil && r.URL.Path == linkPath {
		return roleLink, d.checkLink(r)
	}
	if p := checkBrowser(r); p != nil {
		return roleNone, p
	}
	granted, p := d.checkToken(r)
	if p == nil {
		p = checkContentType(r)
	}
	return granted, p
}

// allow says whether the Host field names this listener.
func (h *hosts) allow(field string, encrypted bool) bool {
	name, port := splitHost(field, encrypted)
	plain := strings.ToLower(strings.TrimSuffix(name, "."))
	if _, ok := h.extra[plain]; ok {
		return true
	}
	if h.port != "" && port != h.port {
		return false
	}
	if _, ok := h.names[plain]; ok {
		return true
	}
	// As an address, not as text: 127.evil.example is no loopback address.
	if address, err := netip.ParseAddr(name); err == nil {
		return address.Unmap().IsLoopback() || h.anyIP
	}
	return h.verify != nil && h.verify(name)
}

// splitHost takes a Host field apart (RFC 9110 section 7.2). A missing port is the scheme's.
func splitHost(field string, encrypted bool) (name, port string) {
	name, port, err := net.SplitHostPort(field)
	if err == nil {
		return name, port
	}
	name = strings.TrimSuffix(strings.TrimPrefix(field, "["), "]")
	if encrypted {
		return name, "443"
	}
	return name, "80"
}

// checkBrowser refuses what a page of another site makes a browser send; ours are also at the other origins that are named. Programs
// send none of these fields.
func checkBrowser(r *http.Request, ours ...string) *problem {
	if origins := r.Header.Values("Origin"); len(origins) > 0 {
		scheme := "http://"
		if r.TLS != nil {
			scheme = "https://"
		}
		known := append([]string{scheme + r.Host}, ours...)
		if len(origins) > 1 || !slices.ContainsFunc(known, func(o string) bool { return strings.EqualFold(origins[0], o) }) {
			return refuse(http.StatusForbidden, "a request from another origin is not accepted")
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return nil
	}
	// Following a link from elsewhere shows a page and hands nothing to the site the link was on.
	if isRead(r.Method) && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document" {
		return nil
	}
	return refuse(http.StatusForbidden, "a request from another site is not accepted")
}

// checkToken demands a bearer token (RFC 6750 section 2.1) where the door needs one.
func (d *door) checkToken(r *http.Request) (role, *problem) {
	if d.keys == nil {
		return rolePeer, nil
	}
	known := d.sessions.of(r, time.Now())
	if isRead(r.Method) && d.exposure.covers(r.URL.Path) || isEntrance(r.URL.Path) {
		return known.role, nil
	}
	if r.Header.Get("Authorization") == "" && known.role != roleNone {
		return known.role, d.checkSession(r, &known)
	}
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return roleNone, refuse(http.StatusUnauthorized, "this needs the admin token (Authorization: Bearer)")
	}
	granted, p := d.unlock(r, strings.TrimSpace(credentials))
	if p == nil && granted == roleRead && !isRead(r.Method) {
		return roleRead, readOnly()
	}
	return granted, p
}

// unlock is the role of the token that a request shows.
func (d *door) unlock(r *http.Request, credentials string) (role, *problem) {
	granted, wait := d.keys.unlock(addressOf(r.RemoteAddr), credentials)
	switch {
	case wait > 0:
		p := refuse(http.StatusTooManyRequests, "too many wrong tokens came from your address; wait, or use the unix socket")
		p.retry = wait
		return roleNone, p
	case granted == roleNone:
		return roleNone, refuse(http.StatusUnauthorized, "the admin token is wrong")
	}
	return granted, nil
}

func readOnly() *problem {
	return refuse(http.StatusForbidden, "the read token may read everything and change nothing; changes need the admin token")
}

// checkSession is the rule for whoever has logged in with a browser: to change something takes the key of the session as well as its cookie,
// and browsers say where a change comes from.
func (d *door) checkSession(r *http.Request, known *session) *problem {
	switch {
	case isRead(r.Method):
		return nil
	case known.role != roleOperate:
		return readOnly()
	case r.Header.Get("Origin") == "" || !d.sessions.holdsKey(r, known):
		return refuse(http.StatusForbidden, "this change does not come from the page that has logged in; log in again")
	}
	return nil
}

// checkContentType demands JSON for every body, a content type that a form cannot send, and refuses any other also where there
// is no body.
func checkContentType(r *http.Request) *problem {
	if isRead(r.Method) || r.ContentLength == 0 && r.Header.Get("Content-Type") == "" {
		return nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, "send the body as Content-Type: application/json")
	}
	return nil
}

// isEntrance says whether the path is where sessions begin and end, which takes no token but that in the body.
func isEntrance(path string) bool { return path == loginPath || path == logoutPath }

// isRead says whether the method changes nothing here.
func isRead(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// isHealth says whether the path is one that an orchestrator asks without credentials.
func isHealth(path string) bool {
	switch path {
	case "/-/healthy", "/healthz", "/livez", "/-/ready", "/readyz":
		return true
	}
	return false
}
