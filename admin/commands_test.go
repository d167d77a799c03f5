package admin

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
	"haldane/rollout"
)

func TestCommands(t *testing.T) {
	const percent = config.Whole / 100
	s, f := full(t)
	for _, c := range []struct {
		path, body string
		want       rollout.Command
	}{
		{"shop/start", ``, rollout.Command{Kind: rollout.CommandStart, Actor: "api"}},
		{"shop/start", `{"reason":"go","actor":"ann@host"}`, rollout.Command{Kind: rollout.CommandStart, Reason: "go", Actor: "ann@host"}},
		{"shop/promote", `{}`, rollout.Command{Kind: rollout.CommandPromote, Actor: "api"}},
		{"shop/promote", `{"full":false}`, rollout.Command{Kind: rollout.CommandPromote, Actor: "api"}},
		{"shop/promote", `{"full":true,"reason":"x"}`, rollout.Command{Kind: rollout.CommandPromoteFull, Reason: "x", Actor: "api"}},
		{"shop/pause", `{}`, rollout.Command{Kind: rollout.CommandPause, Actor: "api"}},
		{"shop/resume", `{}`, rollout.Command{Kind: rollout.CommandResume, Actor: "api"}},
		{"shop/abort", `{}`, rollout.Command{Kind: rollout.CommandAbort, Actor: "api"}},
		{"shop/retry", `{}`, rollout.Command{Kind: rollout.CommandRetry, Actor: "api"}},
		{"shop/retry", `{"force": true, "reason": "fixed"}`, rollout.Command{Kind: rollout.CommandRetry, Force: true, Reason: "fixed", Actor: "api"}},
		{"shop/set-weight", `{"weight":"5%"}`, rollout.Command{Kind: rollout.CommandSetWeight, Weight: 5 * percent, Actor: "api"}},
		{"shop/set-weight", `{"weight":"0.01%"}`, rollout.Command{Kind: rollout.CommandSetWeight, Weight: percent / 100, Actor: "api"}},
		{"shop/set-weight", `{"weight":0.07}`, rollout.Command{Kind: rollout.CommandSetWeight, Weight: percent / 100 * 7, Actor: "api"}},
		{"shop/set-weight", `{"weight":0}`, rollout.Command{Kind: rollout.CommandSetWeight, Actor: "api"}},
		{"shop/set-weight", `{"weight":100}`, rollout.Command{Kind: rollout.CommandSetWeight, Weight: config.Whole, Actor: "api"}},
		{"shop/override", `{"variant":"v1"}`, rollout.Command{Kind: rollout.CommandOverride, Variant: "v1", Actor: "api"}},
		{"shop/override", `{"clear":true}`, rollout.Command{Kind: rollout.CommandClearOverride, Actor: "api"}},
		{"abort", `{"reason":"fire","actor":"bob"}`, rollout.Command{Kind: rollout.CommandAbort, Reason: "fire", Actor: "bob"}},
	} {
		got := s.post("/api/v1/rollouts/"+c.path, c.body)
		if got.status != 200 {
			t.Errorf("%s %s: %d %s", c.path, c.body, got.status, got.body)
			continue
		}
		service, _, one := strings.Cut(c.path, "/")
		want, shown := ordered{service, c.want}, `{"service":"shop"`
		if !one {
			want.Service, shown = "*", `{"rollouts":[{"service":"shop"`
		}
		want.Command.Caller = f.last().Command.Caller // it has the port
		if !strings.HasPrefix(want.Command.Caller, "tcp, operate, 127.0.0.1:") {
			t.Errorf("%s: ordered by %q", c.path, want.Command.Caller)
		}
		if diff := cmp.Diff(want, f.last()); diff != "" {
			t.Errorf("%s %s: %s", c.path, c.body, diff)
		}
		if !strings.HasPrefix(got.body, shown) {
			t.Errorf("%s: %s", c.path, got.body)
		}
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	s, f := full(t)
	for _, c := range []struct {
		path, body string
		status     int
		detail     string // part of it
	}{
		{"pause", `{"resaon":"x"}`, 400, `unknown field "resaon"`},
		{"pause", `[]`, 400, "not a JSON object"},
		{"pause", `null`, 400, "not a JSON object"},
		{"pause", `"x"`, 400, "not a JSON object"},
		{"pause", `{`, 400, "cannot be read"},
		{"pause", `{}{}`, 400, "something after"},
		{"pause", `{}}`, 400, "something after"},
		{"pause", `{"reason":1}`, 400, "cannot be read"},
		{"pause", `{"reason":"a\u001b[2Jb"}`, 400, "reason: control characters"},
		{"pause", `{"actor":"a\nb"}`, 400, "actor: control characters"},
		{"pause", `{"reason":"` + strings.Repeat("x", 1001) + `"}`, 400, "reason: at most 1000 bytes"},
		{"pause", `{"actor":"` + strings.Repeat("x", 201) + `"}`, 400, "actor: at most 200 bytes"},
		{"pause", `{"reason":"` + strings.Repeat("x", bodyBytes) + `"}`, 413, "more than 1048576 bytes"},
		{"pause", `{"full":true}`, 400, "unknown field"},
		{"promote", `{"full":"yes"}`, 400, "cannot be read"},
		{"set-weight", ``, 400, "weight: missing"},
		{"set-weight", `{}`, 400, "weight: missing"},
		{"set-weight", `{"weight":null}`, 400, "weight: missing"},
		{"set-weight", `{"weight":"101%"}`, 400, "weight: "},
		{"set-weight", `{"weight":-1}`, 400, "weight: "},
		{"set-weight", `{"weight":1e1}`, 400, "weight: "},
		{"set-weight", `{"weight":"much"}`, 400, "weight: "},
		{"set-weight", `{"weight":{}}`, 400, "weight: "},
		{"set-weight", `{"weight":true}`, 400, "weight: "},
		{"override", `{}`, 400, `either "variant" or "clear"`},
		{"override", `{"variant":"v1","clear":true}`, 400, `either "variant" or "clear"`},
		{"override", `{"clear":false}`, 400, `either "variant" or "clear"`},
	} {
		got := s.post("/api/v1/rollouts/shop/"+c.path, c.body)
		shown := c.body[:min(len(c.body), 60)]
		if p := got.problem(t); got.status != c.status || !strings.Contains(p.Detail, c.detail) {
			t.Errorf("%s %s: %d %q", c.path, shown, got.status, p.Detail)
		}
	}
	if got := f.last(); got != (ordered{}) {
		t.Errorf("obeyed %+v", got)
	}
}

// A body whose length is not announced is held to the same rules.
func TestChunkedBody(t *testing.T) {
	s, _ := full(t)
	for _, c := range []struct {
		kind string
		want int
	}{{"application/json", 200}, {"text/plain", 415}} {
		body := struct{ *strings.Reader }{strings.NewReader(`{"reason":"x"}`)} // hides the length
		request, err := http.NewRequest(http.MethodPost, s.base+"/api/v1/rollouts/shop/pause", body)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", c.kind)
		request.Header.Set("Authorization", "Bearer "+secret)
		response, err := s.http.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != c.want {
			t.Errorf("%s: %d", c.kind, response.StatusCode)
		}
	}
}

func FuzzParseWeight(f *testing.F) {
	for _, seed := range []string{`"5%"`, `0.01`, `1e9`, `"`, `{}`, `null`, ``} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if weight, err := parseWeight([]byte(text)); err == nil && weight > config.Whole {
			t.Errorf("%q is %s", text, weight)
		}
	})
}
