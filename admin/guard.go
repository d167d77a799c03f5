package admin

import (
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// door is one way in: what a listener demands of every request before any handler sees it.
type door struct {
	name    string // for the log
	token   *token // nil: the peer is trusted
	private bool   // reads need the token too
	hosts   hosts
}

// hosts are the names under which a listener answers. A browser that was told a foreign name for our address (DNS rebinding)
// sends that name.
type hosts struct {
	port     string              // ours; "" takes any
	names    map[string]struct{} // lower case
	anyIP    bool                // bound to all addresses: an address is no name that could be rebound
	verify   func(string) bool   // whether the certificate is for the name; nil without one
	describe string              // for the refusal
}

// check is the rule for every request. nil lets it pass.
func (d *door) check(r *http.Request) *problem {
	if !d.hosts.allow(r.Host, r.TLS != nil) {
		return refuse(http.StatusMisdirectedRequest, "this listener does not answer to the name %q, but to %s", r.Host, d.hosts.describe)
	}
	if p := checkBrowser(r); p != nil {
		return p
	}
	if p := d.checkToken(r); p != nil {
		return p
	}
	return checkContentType(r)
}

// allow says whether the Host field names this listener.
func (h *hosts) allow(field string, encrypted bool) bool {
	name, port := splitHost(field, encrypted)
	if h.port != "" && port != h.port {
		return false
	}
	if _, ok := h.names[strings.ToLower(strings.TrimSuffix(name, "."))]; ok {
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

// checkBrowser refuses what a page of another site makes a browser send. Programs send none of these fields.
func checkBrowser(r *http.Request) *problem {
	if origins := r.Header.Values("Origin"); len(origins) > 0 {
		scheme := "http://"
		if r.TLS != nil {
			scheme = "https://"
		}
		if len(origins) > 1 || !strings.EqualFold(origins[0], scheme+r.Host) {
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

// checkToken demands the bearer token (RFC 6750 section 2.1) where the door needs one.
func (d *door) checkToken(r *http.Request) *problem {
	if d.token == nil || isRead(r.Method) && (!d.private || isHealth(r.URL.Path)) {
		return nil
	}
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return refuse(http.StatusUnauthorized, "this needs the admin token (Authorization: Bearer)")
	}
	if !d.token.matches(strings.TrimSpace(credentials)) {
		return refuse(http.StatusUnauthorized, "the admin token is wrong")
	}
	return nil
}

// checkContentType demands JSON for every body: a content type that a form cannot send.
func checkContentType(r *http.Request) *problem {
	if isRead(r.Method) || r.ContentLength == 0 {
		return nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, "send the body as Content-Type: application/json")
	}
	return nil
}

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
