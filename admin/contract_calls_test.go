package admin

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"haldane/config"
	"haldane/rollout"
	"haldane/stats"
	"haldane/store"
)

// nowhere takes splits.
type nowhere struct{}

func (nowhere) SetSplit(rollout.Split) error { return nil }
func (nowhere) Revoke(string)                {}

// realRollouts is a manager with rollouts of all kinds: one that waits, one under way, one with a checklist.
func realRollouts(t *testing.T) *rollout.Manager {
	t.Helper()
	m, err := rollout.NewManager(rollout.Options{
		Store: store.NewMemory(), Stats: stats.NewRegistry(1), Splitter: nowhere{}, Logger: zap.NewNop(), Record: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	spec := func(service, start string, edit func(*config.Policy)) rollout.Spec {
		policy := config.Careful()
		if edit != nil {
			edit(&policy)
		}
		return rollout.Spec{
			Service: service, Stable: "v1", Canary: "v2", CanaryIdentity: "x", PolicyName: "careful", Policy: policy, Start: start,
			Variants: []string{"v1", "v2"},
		}
	}
	specs := []rollout.Spec{
		spec("cart", config.StartManual, nil),
		spec("shop", config.StartAuto, nil),
		spec("till", config.StartAuto, func(p *config.Policy) { p.Steps[0].Checklist = []string{"told support"} }),
	}
	if err := m.Configure(time.Now(), specs, func([]rollout.Split) error { return nil }); err != nil {
		t.Fatal(err)
	}
	return m
}

// whole is a server with everything.
func whole(t *testing.T, rollouts Rollouts, archive Archive) *running {
	t.Helper()
	o := options(nil)
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "haldane_test_total", Help: "A test."}))
	now := time.Now()
	o.Rollouts, o.Archive, o.Gatherer = rollouts, archive, registry
	o.Services = func() []Service {
		var filled Service
		fill(reflect.ValueOf(&filled).Elem())
		filled.Name = "full"
		return []Service{filled, {Name: "quiet", Stable: "v1"}, {Name: "shop", Stable: "v1", Canary: "v2"}}
	}
	o.Configuration = func() Configuration {
		return Configuration{Error: "line 1", Attempted: now, Loaded: now, Effective: "version: 1\n"}
	}
	o.Reload = func() error { return nil }
	o.Drill = func(_ context.Context, order DrillOrder) (Drill, error) {
		if order.Service != "" {
			return Drill{}, errors.New("no such service")
		}
		var d Drill
		fill(reflect.ValueOf(&d).Elem())
		return d, nil
	}
	o.PostMetric = func(string, rollout.Post) (bool, error) { return false, nil }
	return serve(t, o)
}

// call sends a request and holds the answer to the document. The path has the values of its parameters after an equals sign:
// {service=shop}.
func (c *contract) call(s *running, method, path string, body string, fields ...string) answer {
	c.t.Helper()
	asked, template := path, path
	for {
		before, rest, found := strings.Cut(template, "=")
		if !found {
			break
		}
		value, after, _ := strings.Cut(rest, "}")
		name := before[strings.LastIndexByte(before, '{')+1:]
		template = before + "}" + after
		asked = strings.Replace(asked, "{"+name+"="+value+"}", value, 1)
	}
	template, _, _ = strings.Cut(template, "?")
	got := s.do(method, asked, body, append(fields, bearer)...)
	c.holds(method, template, got)
	if method == http.MethodPost && got.status == http.StatusOK && body != "" {
		c.fits(operation(method, template)+"/requestBody/content/application~1json/schema", "the body of "+path, body)
	}
	return got
}

// wants is call with a status that is expected.
func (c *contract) wants(s *running, status int, method, path, body string, fields ...string) answer {
	c.t.Helper()
	got := c.call(s, method, path, body, fields...)
	if got.status != status {
		c.t.Errorf("%s %s %s: %d, want %d: %s", method, path, body, got.status, status, got.body)
	}
	return got
}

// reads asks for everything that can be read.
func (c *contract) reads(s *running) {
	c.t.Helper()
	for _, path := range []string{
		"/api/v1", "/api/v1/openapi.json", "/api/v1/version", "/api/v1/config", "/api/v1/services", "/api/v1/services/{service=quiet}",
		"/api/v1/services/{service=full}", "/api/v1/services/{service=shop}/history", "/api/v1/rollouts", "/api/v1/rollouts/{service=shop}",
		"/api/v1/rollouts/{service=shop}/history", "/api/v1/history", "/api/v1/audit", "/api/v1/audit?limit=5", "/metrics",
		"/-/healthy", "/healthz", "/livez", "/-/ready", "/readyz",
	} {
		c.wants(s, 200, "GET", path, "")
	}
	for path, status := range map[string]int{
		"/api/v1/services/{service=none}": 404, "/api/v1/services/{service=none}/history": 404, "/api/v1/rollouts/{service=none}": 404,
		"/api/v1/rollouts/{service=quiet}": 404, "/api/v1/rollouts/{service=none}/history": 404, "/api/v1/reports/{id=none}": 404,
		"/api/v1/reports/{id=none}?format=pdf": 400, "/api/v1/audit?limit=0": 400,
	} {
		c.wants(s, status, "GET", path, "")
	}
	c.wants(s, 406, "GET", "/api/v1/reports/{id=none}", "", "Accept: image/png")
	c.wants(s, 304, "GET", "/api/v1/rollouts/{service=shop}", "", "If-None-Match: *")
}

// Every answer of real rollouts, good or bad, is what the document says.
func TestAnswersFitTheDocument(t *testing.T) {
	c := newContract(t)
	m := realRollouts(t)
	s := whole(t, m, m)
	c.reads(s)
	const shop = "/api/v1/rollouts/{service=shop}/"
	for _, one := range []struct {
		path, body string
		status     int
	}{
		{"/api/v1/rollouts/{service=cart}/start", `{"reason":"now","actor":"ann","force":true}`, 200},
		{"/api/v1/rollouts/{service=cart}/start", ``, 409},
		{shop + "resume", ``, 409},
		{shop + "retry", ``, 409},
		{shop + "start", ``, 409},
		{shop + "pause", `{"reason":"a look"}`, 200},
		{shop + "pause", `{"what":1}`, 400},
		{shop + "resume", `{}`, 200},
		{shop + "set-weight", `{"weight":"7.5%"}`, 200},
		{shop + "set-weight", `{"weight":8}`, 200},
		{shop + "set-weight", `{"weight":101}`, 400},
		{shop + "promote", `{"reason":"fine"}`, 200},
		{shop + "promote", `{"force":true}`, 400},
		{shop + "override", `{"variant":"v1"}`, 200},
		{shop + "override", `{"variant":"v9"}`, 400},
		{shop + "override", `{"clear":true}`, 200},
		{shop + "override", `{}`, 400},
		{shop + "tick", `{"item":"1"}`, 409},
		{shop + "tick", `{}`, 400},
		{"/api/v1/rollouts/{service=till}/promote", ``, 409},
		{"/api/v1/rollouts/{service=till}/tick", `{"item":"1"}`, 200},
		{"/api/v1/rollouts/{service=till}/tick", `{"item":"1","untick":true}`, 200},
		{"/api/v1/rollouts/{service=till}/tick", `{"item":"9"}`, 400},
		{shop + "abort", `{"reason":"enough"}`, 200},
		{shop + "abort", ``, 409},
		{shop + "retry", `{"reason":"again","force":true}`, 200},
		{shop + "promote", `{"full":true}`, 200},
		{"/api/v1/rollouts/{service=none}/pause", ``, 404},
		{"/api/v1/rollouts/abort", `{"reason":"fire"}`, 200},
		{"/api/v1/rollouts/abort", `[]`, 400},
		{"/api/v1/drill", `{"errors":"20%","rate":100}`, 200},
		{"/api/v1/drill", `{"rate":5000}`, 400},
		{"/api/v1/drill", `{"service":"none"}`, 422},
		{"/api/v1/services/{service=shop}/metrics/{metric=orders}", `{"variant":"v2","good":1,"total":2}`, 200},
		{"/api/v1/services/{service=shop}/metrics/{metric=orders}", `{"good":"1"}`, 400},
		{"/-/reload", ``, 200},
	} {
		c.wants(s, one.status, "POST", one.path, one.body)
	}
	c.conditions(s)
	c.reads(s)
	c.reports(s, m)
	c.refusedAtTheDoor(s)
	c.dashboard(s)
	c.completeness()
}

// dashboard is what a browser asks for beside the API.
func (c *contract) dashboard(s *running) {
	c.wants(s, 200, "GET", "/ui/", "")
	c.wants(s, 200, "GET", "/ui/session", "")
	c.wants(s, 200, "POST", "/ui/login", `{"token":"`+secret+`"}`)
	c.wants(s, 400, "POST", "/ui/login", `{"token":""}`)
	c.wants(s, 200, "POST", "/ui/logout", ``)
	c.wants(s, 404, "GET", "/api/v1/live?service=none", "")
}

// conditions is what depends on a revision or a key.
func (c *contract) conditions(s *running) {
	const till = "/api/v1/rollouts/{service=till}"
	c.wants(s, 200, "POST", till+"/retry", `{"reason":"again","force":true}`)
	seen := c.wants(s, 200, "GET", till, "").header.Get("ETag")
	c.wants(s, 200, "POST", till+"/set-weight", `{"weight":5}`, "If-Match: "+seen, "Idempotency-Key: one")
	if got := c.wants(s, 200, "POST", till+"/set-weight", `{"weight":5}`, "If-Match: "+seen, "Idempotency-Key: one"); got.header.Get(replayedField) != "true" {
		c.t.Errorf("the repetition was carried out: %v", got.header)
	}
	got := c.wants(s, 412, "POST", till+"/set-weight", `{"weight":6}`, "If-Match: "+seen)
	if now := c.wants(s, 200, "GET", till, "").header.Get("ETag"); got.header.Get("ETag") != now || now == seen {
		c.t.Errorf("refused with %s, it is %s and was %s", got.header.Get("ETag"), now, seen)
	}
	c.wants(s, 400, "POST", till+"/pause", ``, "If-Match: nonsense")
	c.wants(s, 422, "POST", till+"/pause", ``, "Idempotency-Key: one")
}

// reports asks for a report in every form.
func (c *contract) reports(s *running, m *rollout.Manager) {
	ended, err := m.History("shop")
	if err != nil || len(ended) == 0 {
		c.t.Fatalf("no rollout has ended: %v", err)
	}
	for _, form := range []string{"json", "json&recording=true", "markdown", "html"} {
		c.wants(s, 200, "GET", "/api/v1/reports/{id="+ended[0].ID+"}?format="+form, "")
	}
}

// refusedAtTheDoor are refusals before any handler.
func (c *contract) refusedAtTheDoor(s *running) {
	for status, fields := range map[int][]string{
		401: nil, 403: {"Origin: http://evil.example", bearer}, 421: {"Host: evil.example"}, 415: {bearer, "Content-Type: text/plain"},
	} {
		got := s.do("POST", "/api/v1/rollouts/shop/pause", `{}`, fields...)
		if got.status != status {
			c.t.Errorf("%v: %d, want %d", fields, got.status, status)
		}
		c.holds("POST", "/api/v1/rollouts/{service}/pause", got)
	}
}

// completeness says which good answers were never seen.
func (c *contract) completeness() {
	elsewhere := map[string]string{
		"GET /api/v1/events": "TestStreamFitsTheDocument", "GET /api/v1/live": "TestLiveFitsTheDocument", "GET /": "routes_test.go", "POST /-/take-over": "app", "GET /link": "links_test.go", "POST /link": "links_test.go",
	}
	for path, item := range c.document["paths"].(object) {
		for method, about := range item.(object) {
			name := strings.ToUpper(method) + " " + path
			if method == "parameters" || elsewhere[name] != "" || strings.HasPrefix(path, "/debug/") {
				continue
			}
			for status := range about.(object)["responses"].(object) {
				if status < "4" && !c.tried[name+" "+status] {
					c.t.Errorf("%s: %s was never seen; seen was %v", name, status, slices.Sorted(maps.Keys(c.tried)))
				}
			}
		}
	}
}
