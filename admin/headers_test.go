package admin

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
)

// Every answer, good or bad, tells a browser to run, frame, guess and keep nothing.
func TestEveryAnswerIsProtected(t *testing.T) {
	s, _ := full(t)
	for _, got := range []answer{
		s.get("/api/v1/rollouts"), s.get("/metrics"), s.get("/healthz"), s.get("/none"), s.get("/api/v1"),
		s.post("/api/v1/rollouts/shop/pause", `{}`), s.post("/metrics", `{}`), s.do("POST", "/-/reload", ""),
		s.do("GET", "/metrics", "", "Host: evil.example"), s.do("OPTIONS", "/-/reload", "", "Origin: http://evil.example"),
	} {
		for name, want := range map[string]string{
			"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Cache-Control":                "no-store",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			if have := got.header.Get(name); have != want {
				t.Errorf("%d %s: %q", got.status, name, have)
			}
		}
		for name := range got.header {
			if strings.HasPrefix(name, "Access-Control-") || name == "Set-Cookie" {
				t.Errorf("%d has %s", got.status, name)
			}
		}
	}
}

// The dashboard is compressed for those who take it, and for nobody who refuses it.
func TestDashboardIsCompressedWhereTaken(t *testing.T) {
	s, _ := full(t)
	for takes, want := range map[string]string{"br, gzip": "gzip", "gzip;q=0.5": "gzip", "identity": "", "gzip;q=0, br": "", "x-gzippy": ""} {
		if got := s.do("GET", "/ui/", "", bearer, "Accept-Encoding: "+takes); got.status != 200 || got.header.Get("Content-Encoding") != want {
			t.Errorf("%q: %d, in %q", takes, got.status, got.header.Get("Content-Encoding"))
		}
	}
}

// A form without fields is a form as well.
func TestEmptyBodyOfAForm(t *testing.T) {
	s, f := full(t)
	for _, kind := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"} {
		if got := s.do("POST", "/api/v1/rollouts/shop/pause", "", bearer, "Content-Type: "+kind); got.status != 415 {
			t.Errorf("%s: %d", kind, got.status)
		}
	}
	if len(f.commands) != 0 {
		t.Errorf("obeyed %v", f.commands)
	}
}

// Over TLS there is HTTP/1.1 and nothing else: our limits count connections.
func TestNoHTTP2(t *testing.T) {
	o := options(newFake())
	files, pool := certificate(t)
	o.Config.TLS = files
	s := serve(t, o)
	settings := &tls.Config{RootCAs: pool, ServerName: "haldane.example"}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: settings, ForceAttemptHTTP2: true, DisableKeepAlives: true}}
	response, err := client.Get("https://" + s.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.ProtoMajor != 1 || response.StatusCode != 200 {
		t.Errorf("%s, %d", response.Proto, response.StatusCode)
	}
}
