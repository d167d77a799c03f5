package admin

import (
	"net/http"
	"strings"
	"testing"
)

// A change over TCP, with everything right but one thing.
func TestChangesOverTCP(t *testing.T) {
	f := newFake()
	s := serve(t, options(f))
	own := strings.TrimPrefix(s.base, "http://")
	port := own[strings.LastIndex(own, ":")+1:]
	for _, c := range []struct {
		name   string
		fields []string
		want   int
	}{
		{"all right", []string{bearer}, 200},
		{"the scheme in lower case", []string{"Authorization: bearer " + secret}, 200},
		{"no token", nil, 401},
		{"wrong token", []string{"Authorization: Bearer " + secret[1:] + "0"}, 401},
		{"half the token", []string{"Authorization: Bearer " + secret[:16]}, 401},
		{"empty token", []string{"Authorization: Bearer "}, 401},
		{"another scheme", []string{"Authorization: Basic " + secret}, 401},
		{"token in the query", []string{"X-Token: " + secret}, 401},
		{"localhost", []string{bearer, "Host: localhost:" + port}, 200},
		{"LOCALHOST with a dot", []string{bearer, "Host: LOCALHOST.:" + port}, 200},
		{"other loopback address", []string{bearer, "Host: 127.9.9.9:" + port}, 200},
		{"IPv6 loopback", []string{bearer, "Host: [::1]:" + port}, 200},
		{"rebound name", []string{bearer, "Host: evil.example:" + port}, 421},
		{"name that looks like loopback", []string{bearer, "Host: 127.evil.example:" + port}, 421},
		{"name that begins like loopback", []string{bearer, "Host: 127.0.0.1.evil.example:" + port}, 421},
		{"foreign address", []string{bearer, "Host: 192.0.2.1:" + port}, 421},
		{"other port", []string{bearer, "Host: 127.0.0.1:1"}, 421},
		{"no port", []string{bearer, "Host: localhost"}, 421},
		{"own origin", []string{bearer, "Origin: http://" + own}, 200},
		{"foreign origin", []string{bearer, "Origin: http://evil.example"}, 403},
		{"origin of another port", []string{bearer, "Origin: http://127.0.0.1:1"}, 403},
		{"origin of another scheme", []string{bearer, "Origin: https://" + own}, 403},
		{"two origins", []string{bearer, "Origin: http://" + own, "Origin: http://evil.example"}, 403},
		{"hidden origin", []string{bearer, "Origin: null"}, 403},
		{"same site of a browser", []string{bearer, "Sec-Fetch-Site: same-origin"}, 200},
		{"typed into a browser", []string{bearer, "Sec-Fetch-Site: none"}, 200},
		{"cross site", []string{bearer, "Sec-Fetch-Site: cross-site"}, 403},
		{"same site, other origin", []string{bearer, "Sec-Fetch-Site: same-site"}, 403},
		{"navigation with POST", []string{bearer, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, 403},
		{"form", []string{bearer, "Content-Type: application/x-www-form-urlencoded"}, 415},
		{"text", []string{bearer, "Content-Type: text/plain"}, 415},
		{"JSON hidden in a parameter", []string{bearer, "Content-Type: text/plain; application/json"}, 415},
		{"no content type", []string{bearer, "Content-Type: "}, 415},
		{"JSON with charset", []string{bearer, "Content-Type: application/json; charset=utf-8"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(f.commands)
			got := s.do(http.MethodPost, "/api/v1/rollouts/shop/pause", `{"reason":"x"}`, c.fields...)
			if got.status != c.want {
				t.Fatalf("status %d, want %d: %s", got.status, c.want, got.body)
			}
			if obeyed := len(f.commands) > before; obeyed != (c.want == 200) {
				t.Errorf("status %d, obeyed: %v", got.status, obeyed)
			}
			if got.status != 200 {
				got.problem(t)
			}
			if challenge := got.header.Get("WWW-Authenticate"); (got.status == 401) != (challenge != "") {
				t.Errorf("status %d with challenge %q", got.status, challenge)
			}
			if strings.Contains(got.body, secret) {
				t.Error("the answer shows the token")
			}
		})
	}
}

// Reading on loopback is open, but not to other sites.
func TestReadsOverTCP(t *testing.T) {
	s := serve(t, options(newFake()))
	for _, c := range []struct {
		name   string
		fields []string
		want   int
	}{
		{"plain", nil, 200},
		{"rebound name", []string{"Host: evil.example"}, 421},
		{"script of another site", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"}, 403},
		{"frame on another site", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, 403},
		{"link on another site", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, 200},
		{"foreign origin", []string{"Origin: http://evil.example"}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := s.do(http.MethodGet, "/api/v1/rollouts", "", c.fields...)
			if got.status != c.want {
				t.Fatalf("status %d, want %d: %s", got.status, c.want, got.body)
			}
			if got.header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("another site may read the answer")
			}
			if got.header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(got.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
				t.Errorf("unprotected answer: %v", got.header)
			}
		})
	}
}

// The peer of the socket needs no token, but a browser behind a forwarded socket is still kept out.
func TestSocketTrustsItsPeer(t *testing.T) {
	o := options(newFake())
	o.Config.Address, o.Config.Socket = off, socketPath(t)
	s := serve(t, o)
	const path, body = "/api/v1/rollouts/shop/pause", `{}`
	for _, c := range []struct {
		name   string
		fields []string
		want   int
	}{
		{"no token", nil, 200},
		{"forwarded port", []string{"Host: localhost:12345"}, 200},
		{"rebound name", []string{"Host: evil.example"}, 421},
		{"foreign origin", []string{"Origin: http://evil.example"}, 403},
		{"form", []string{"Content-Type: text/plain"}, 415},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := s.do(http.MethodPost, path, body, c.fields...); got.status != c.want {
				t.Errorf("status %d, want %d: %s", got.status, c.want, got.body)
			}
		})
	}
	if s.Addr() != nil {
		t.Errorf("Addr is %v without a TCP listener", s.Addr())
	}
}

// Away from loopback, reading needs the token as well, and probes do not.
func TestReadsElsewhereNeedTheToken(t *testing.T) {
	o := options(newFake())
	o.Config.Address, o.Exposure = "0.0.0.0:0", Insecure
	s := serve(t, o)
	s.base = "http://127.0.0.1" + s.base[strings.LastIndex(s.base, ":"):]
	for _, path := range []string{"/metrics", "/api/v1/rollouts", "/api/v1/config", "/api/v1/events", "/nothing"} {
		if got := s.get(path); got.status != 401 {
			t.Errorf("%s without a token: %d", path, got.status)
		}
	}
	if got := s.do(http.MethodGet, "/metrics", "", bearer); got.status != 200 {
		t.Errorf("/metrics with the token: %d %s", got.status, got.body)
	}
	for _, path := range []string{"/-/healthy", "/healthz", "/livez", "/-/ready", "/readyz"} {
		if got := s.get(path); got.status != 200 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	// Bound to all addresses, any address may be ours, and a name may not.
	port := s.base[strings.LastIndex(s.base, ":"):]
	if got := s.do(http.MethodGet, "/-/ready", "", "Host: 192.0.2.1"+port); got.status != 200 {
		t.Errorf("by address: %d", got.status)
	}
	if got := s.do(http.MethodGet, "/-/ready", "", "Host: evil.example"+port); got.status != 421 {
		t.Errorf("by a foreign name: %d", got.status)
	}
}
