package proxy

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

func TestWithoutSecrets(t *testing.T) {
	for text, want := range map[string]string{
		"/": "/", "/a?b=c": "/a?b=c", "/a?": "/a?", "/a?b": "/a?b", "/a?token=x&b=c": "/a?token=***&b=c",
		"/a?b=c;api_key=x": "/a?b=c;api_key=***", "/?%74oken=x": "/?%74oken=***", "/?%zz=x": "/?%zz=***", "/?X-Amz-Signature=1&a=": "/?X-Amz-Signature=***&a=",
		"/?q=eyJhbGciOi": "/?q=***", "/?next=https://a/?token=x": "/?next=***?token=***", "/?next=https%3A%2F%2Fa%2F%3Ftoken%3Dx": "/?next=***",
		"/?" + strings.Repeat("x", 33): "/?***", "/?PASSWORD=1": "/?PASSWORD=***", "/?sid=1": "/?sid=***", "/?a=b?token=c": "/?a=b?token=***",
		"https://user:pw@a.test/x?y=z": "https://***@a.test/x?y=z", "https://a.test/x@y": "https://a.test/x@y", "https://u@a": "https://***@a",
		"/?a=b#access_token=x": "/?a=b#access_token=***",
	} {
		if got := withoutSecrets(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// No value that stands behind a secret name comes through, however the query is made.
func FuzzWithoutSecrets(f *testing.F) {
	for _, seed := range []string{"/a?b=c&", "/?", "&&;;?#", "/%?%=&", "://@?"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, before string) {
		if strings.ContainsAny(before, "=") {
			return // then what follows may be a part of another value
		}
		if got := withoutSecrets("/?" + before + "&token=planted&a=b"); strings.Contains(got, "planted") {
			t.Errorf("%q", got)
		}
	})
}

// What failed on the canary is kept, without secrets and within bounds, and what did not is not.
func TestFailedRequestsAreSampled(t *testing.T) {
	bad := newOrigin(t, func(v *visit) { v.answer("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n") }).address
	good := newOrigin(t, nil).address
	s := sections(map[string]config.Variant{"v1": variantAt(good), "v2": variantAt(bad)})
	web := s.Services["web"]
	web.Pins = []config.Pin{{Header: "X-Pin"}}
	web.RequestIDField = "X-Request-Id"
	s.Services["web"] = web
	r := startSplit(t, s, map[string]router.SplitSpec{"web": rollout(0)}, zap.NewNop())
	c := r.dial()
	c.send(get("/fine")).receive()
	c.send(get("/"+strings.Repeat("x", 3000)+"?token=planted", "X-Pin: v2", "Authorization: planted", "Cookie: a=planted",
		"X-Session-Id: planted", "X-User: Bearer planted", "Referer: https://u:planted@b.test/?key=planted", "X-Forwarded-For: 192.0.2.7",
		"X-Plain: shown", "X-Long: "+strings.Repeat("y", 1000), "X-Request-Id: r-7")).receive()
	await(t, "a sample", func() bool { return len(r.stats.Service("web").Samples().Of(rollout(0).Rollout)) == 1 })
	got := r.stats.Service("web").Samples().Of(rollout(0).Rollout)[0]
	if text := fmt.Sprintf("%+v", got); strings.Contains(text, "planted") || strings.Contains(text, "192.0.2.7") || len(text) > 3000 {
		t.Errorf("a secret is kept, or too much: %s", text)
	}
	fields := map[string]string{}
	for _, f := range got.Fields {
		fields[f.Name] = f.Value
	}
	if fields["X-Plain"] != "shown" || len(fields["X-Long"]) != sampleValue || fields["Referer"] != "https://***@b.test/?key=***" || len(fields) != 5 {
		t.Errorf("fields %q", fields)
	}
	if got.Method != "GET" || got.Authority != "a.test" || !got.Cut || len(got.Target) != sampleTarget || got.Status != 500 ||
		got.Outcome != stats.OutcomeServerError || got.Endpoint != bad || got.RequestID != "r-7" || got.Took <= 0 {
		t.Errorf("%+v", got)
	}
	for range 10 {
		c.send(get("/", "X-Pin: v2")).receive()
	}
	if n := len(r.stats.Service("web").Samples().Of(rollout(0).Rollout)); n != 3 {
		t.Errorf("%d samples", n)
	}
	for _, v := range r.server.Endpoints() {
		want := map[string][2]uint64{"v1": {1, 0}, "v2": {11, 11}}[v.Variant]
		if e := v.Endpoints[0]; e.Requests != want[0] || e.Failed != want[1] || e.InFlight != 0 {
			t.Errorf("%s: %+v, want %v", v.Variant, e, want)
		}
	}
}
