package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"haldane/config"
	"haldane/rollout"
)

// full is a server with everything that a process hands in.
func full(t *testing.T) (*running, *fake) {
	f := newFake()
	o := options(f)
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "haldane_test_total", Help: "A test."})
	registry.MustRegister(counter)
	o.Gatherer = registry
	o.Services = func() []Service {
		return []Service{
			{Name: "quiet", Stable: "v1", Variants: []Variant{{Name: "v1", Weight: config.Whole}}},
			{Name: "shop", Stable: "v1", Canary: "v2", Policy: "careful", Variants: []Variant{{Name: "v1"}, {Name: "v2"}}},
		}
	}
	o.Configuration = func() Configuration {
		return Configuration{OK: true, Loaded: time.Unix(0, 0).UTC()}
	}
	o.Effective = func() (string, error) { return "version: 1\n", nil }
	o.Reload = func() error { return nil }
	return serve(t, o), f
}

func TestReads(t *testing.T) {
	s, _ := full(t)
	for _, c := range []struct {
		path  string
		parts []string
	}{
		{"/metrics", []string{"haldane_test_total 0"}},
		{"/-/healthy", []string{"healthy\n"}},
		{"/healthz", []string{"healthy\n"}},
		{"/livez", []string{"healthy\n"}},
		{"/-/ready", []string{"ready\n"}},
		{"/readyz", []string{"ready\n"}},
		{"/api/v1/version", []string{`"version":"v1.2.3"`, `"go":"go1.`}},
		{"/api/v1/config", []string{`"ok":true`, `"effective":"version: 1\n"`}},
		{"/api/v1/services", []string{`{"services":[{"name":"quiet"`, `"weight":"100%"`}},
		{"/api/v1/services/quiet", []string{`{"name":"quiet"`}},
		{"/api/v1/rollouts", []string{`{"rollouts":[{"service":"shop"`}},
		{"/api/v1/rollouts/shop", []string{`{"service":"shop"`, `"phase":"progressing"`}},
		{"/api/v1/rollouts/shop/history", []string{`{"history":[{"sequence":1`}},
	} {
		got := s.get(c.path)
		if got.status != 200 {
			t.Errorf("%s: %d %s", c.path, got.status, got.body)
		}
		for _, part := range c.parts {
			if !strings.Contains(got.body, part) {
				t.Errorf("%s: no %q in %s", c.path, part, got.body)
			}
		}
		if strings.HasPrefix(c.path, "/api/") && got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: content type %q", c.path, got.header.Get("Content-Type"))
		}
		if head := s.do(http.MethodHead, c.path, ""); head.status != 200 || head.body != "" {
			t.Errorf("HEAD %s: %d %q", c.path, head.status, head.body)
		}
	}
	if got := s.do(http.MethodGet, "/metrics", "", "Accept: application/openmetrics-text"); !strings.Contains(got.body, "# EOF") {
		t.Errorf("no OpenMetrics: %s", got.body)
	}
}

// Lists are lists, also when there is nothing in them.
func TestEmptyLists(t *testing.T) {
	f := newFake()
	f.views = []rollout.View{{Service: "bare"}}
	s := serve(t, options(f))
	if got := s.get("/api/v1/services").body; got != `{"services":[]}`+"\n" {
		t.Error(got)
	}
	if got := s.get("/api/v1/rollouts/bare/history").body; got != `{"history":[]}`+"\n" {
		t.Error(got)
	}
	full, _ := full(t)
	if got := full.get("/api/v1/services/quiet").body; !strings.Contains(got, `"match":[]`) || !strings.Contains(got, `"endpoints":[]`) {
		t.Error(got)
	}
	f.views = nil
	if got := s.get("/api/v1/rollouts").body; got != `{"rollouts":[]}`+"\n" {
		t.Error(got)
	}
}

func TestNotFound(t *testing.T) {
	s, _ := full(t)
	for path, want := range map[string]string{
		"/nothing":                       "there is nothing at this path",
		"/api/v1/nothing":                "there is nothing at this path",
		"/debug/pprof/":                  "there is nothing at this path",
		"/api/v1/services/none":          `no service is called "none"; there is quiet, shop`,
		"/api/v1/rollouts/none":          `no service is called "none"; there is quiet, shop`,
		"/api/v1/rollouts/none/history":  `no service is called "none"; there is quiet, shop`,
		"/api/v1/rollouts/quiet":         `service "quiet" has no rollout: its configuration names no canary`,
		"/api/v1/rollouts/shop/whatever": "there is nothing at this path",
	} {
		got := s.get(path)
		if got.status != 404 {
			t.Errorf("%s: %d", path, got.status)
		}
		if p := got.problem(t); p.Detail != want || p.Instance != path {
			t.Errorf("%s: %+v", path, p)
		}
	}
	for path, want := range map[string]string{
		"/api/v1/rollouts/none/pause":  `no service is called "none"; there is quiet, shop`,
		"/api/v1/rollouts/quiet/pause": `service "quiet" has no rollout: its configuration names no canary`,
	} {
		got := s.post(path, `{}`)
		if p := got.problem(t); got.status != 404 || p.Detail != want {
			t.Errorf("%s: %d %+v", path, got.status, p)
		}
	}
}

func TestWrongMethod(t *testing.T) {
	s, f := full(t)
	changes := []string{"/-/reload", "/api/v1/rollouts/shop/start"}
	for name := range commands() {
		changes = append(changes, "/api/v1/rollouts/shop/"+name)
	}
	for _, path := range changes {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodPatch} {
			got := s.do(method, path, "", bearer)
			if got.status != 405 || got.header.Get("Allow") != "POST" {
				t.Errorf("%s %s: %d, Allow %q", method, path, got.status, got.header.Get("Allow"))
			}
			if method != http.MethodHead {
				got.problem(t)
			}
		}
	}
	for _, path := range []string{"/metrics", "/-/ready", "/api/v1/rollouts", "/api/v1/rollouts/shop", "/api/v1/events"} {
		got := s.post(path, `{}`)
		if got.status != 405 || got.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %d, Allow %q", path, got.status, got.header.Get("Allow"))
		}
	}
	if len(f.commands) != 0 {
		t.Errorf("obeyed %v", f.commands)
	}
}

func TestNotReady(t *testing.T) {
	o := options(newFake())
	o.Ready = func() error { return errors.New("draining") }
	s := serve(t, o)
	if got := s.get("/-/ready"); got.status != 503 || got.body != "not ready: draining\n" {
		t.Errorf("%d %q", got.status, got.body)
	}
	if got := s.get("/-/healthy"); got.status != 200 {
		t.Errorf("a process that drains is alive: %d", got.status)
	}
}

func TestReload(t *testing.T) {
	o := options(newFake())
	if got := serve(t, o).post("/-/reload", ""); got.status != 501 {
		t.Errorf("without one: %d", got.status)
	}
	problems := errors.New("a.yaml:3:5: listen.adress: unknown key\na.yaml:9:1: services: missing")
	o.Reload = func() error { return problems }
	s := serve(t, o)
	got := s.post("/-/reload", "")
	if p := got.problem(t); got.status != 422 || p.Detail != problems.Error() {
		t.Errorf("%d %+v", got.status, p)
	}
	problems = nil
	if got := s.post("/-/reload", ""); got.status != 200 || !strings.Contains(got.body, `"ok"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := s.do(http.MethodPost, "/-/reload", ""); got.status != 401 {
		t.Errorf("without a token: %d", got.status)
	}
}

// What stops a command, and what the answer says.
func TestCommandsThatFail(t *testing.T) {
	s, f := full(t)
	impossible := &rollout.ImpossibleError{
		Service: "shop", Command: rollout.CommandStart, Phase: rollout.PhaseBaking,
		Possible: []rollout.CommandKind{rollout.CommandAbort, rollout.CommandPause},
	}
	for _, c := range []struct {
		err    error
		status int
		detail string
	}{
		{impossible, 409, impossible.Error()},
		{fmt.Errorf("start shop: %w", impossible), 409, impossible.Error()},
		{fmt.Errorf("%w: no variant v9", rollout.ErrBadCommand), 400, "bad command: no variant v9"},
		{fmt.Errorf("write: %w", syscall.ENOSPC), 507, "the disk is full: write: no space left on device"},
		{errors.New("the record has another revision"), 503, "the record has another revision"},
	} {
		f.failWith(c.err)
		for _, path := range []string{"/api/v1/rollouts/shop/start", "/api/v1/rollouts/abort"} {
			got := s.post(path, `{}`)
			p := got.problem(t)
			if got.status != c.status || p.Detail != c.detail {
				t.Errorf("%s with %v: %d %+v", path, c.err, got.status, p)
			}
			if c.status == 409 && (p.Phase != "baking" || !cmp.Equal(p.Possible, impossible.Possible)) {
				t.Errorf("%+v", p)
			}
		}
	}
}

// A panic costs one request.
func TestPanicIsContained(t *testing.T) {
	o := options(newFake())
	o.Ready = func() error { panic("bug") }
	s := serve(t, o)
	got := s.get("/-/ready")
	if p := got.problem(t); got.status != 500 || p.Detail != "a bug in Haldane; its log has the details" {
		t.Errorf("%d %+v", got.status, p)
	}
	if got := s.get("/-/healthy"); got.status != 200 {
		t.Errorf("afterwards: %d", got.status)
	}
}

// The token appears in no answer.
func TestTokenIsNeverShown(t *testing.T) {
	s, _ := full(t)
	for _, path := range []string{"/metrics", "/api/v1/config", "/api/v1/services", "/api/v1/rollouts", "/api/v1/version", "/" + secret[:8]} {
		if got := s.do(http.MethodGet, path, "", bearer); strings.Contains(got.body, secret) {
			t.Errorf("%s shows it", path)
		}
	}
	if text, err := json.Marshal(s.options.Config); err != nil || strings.Contains(string(text), secret) {
		t.Errorf("%s %v", text, err)
	}
}

// A head that is too large never comes to a handler.
func TestHeadTooLarge(t *testing.T) {
	s, _ := full(t)
	if got := s.do(http.MethodGet, "/-/healthy", "", "X-Large: "+strings.Repeat("x", 2*headerBytes)); got.status != 431 {
		t.Errorf("status %d", got.status)
	}
}

// Whoever types the bare address is led to the dashboard.
func TestRootLeadsToTheDashboard(t *testing.T) {
	s := serve(t, options(newFake()))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.http.Transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if to := response.Header.Get("Location"); response.StatusCode != http.StatusFound || to != uiPath {
		t.Errorf("%d %q", response.StatusCode, to)
	}
}
