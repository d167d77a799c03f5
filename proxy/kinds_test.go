package proxy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

// The service says what counts as what, and the proxy books it: outcome, events, budget and log, all alike.
func TestRequestsCountAsTheServiceSays(t *testing.T) {
	stable := newOrigin(t, nil)
	canary := newOrigin(t, func(v *visit) {
		switch v.target() {
		case "/cut":
			v.answer("HTTP/1.1 429 Slow\r\nContent-Length: 5\r\n\r\nno")
			v.hangUp()
		case "/429":
			v.answer("HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n")
		case "/404":
			v.answer("HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n")
		case "/500":
			v.answer("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
		default:
			v.ok()
		}
	})
	s := two(stable.address, canary.address)
	s.Log = config.Log{Access: "errors"}
	web := s.Services["web"]
	web.Sticky = nil
	s.Services["web"] = web
	numbers := s.Stats.Service("web")
	numbers.SetKinds(stats.NewKinds([]stats.StatusRange{{Low: 429, High: 429}}, []stats.Kind{
		{Statuses: []stats.StatusRange{{Low: 404, High: 429}}},
		{Outcomes: []stats.Outcome{stats.OutcomeTruncated, stats.OutcomeConnect}},
	}))
	numbers.Budget().Arm(stats.Arming{Limits: stats.Limits{Failed: 1000}, Trip: func() {}})
	core, logs := observer.New(zapcore.InfoLevel)
	r := startSplit(t, s, map[string]router.SplitSpec{"web": rollout(config.Whole)}, zap.New(core))
	reader := numbers.Reader(7, numbers.Variant("v2"), numbers.Variant("v1"))
	for _, target := range []string{"/", "/429", "/404", "/500"} {
		r.dial().send(get(target)).receive()
	}
	if got, err := readResponse(r.dial().send(get("/cut")).reader, "GET"); err == nil && got.whole && strings.Contains(got.line, "429") {
		t.Errorf("the client took %q for whole", got.body)
	}
	if err := r.shutdown(); err != nil {
		t.Error(err)
	}
	failed, _ := reader.Delta(1)
	if want := (stats.Counts{Bad: 2, Good: 3}); failed != want {
		t.Errorf("%+v, want %+v", failed, want)
	}
	events, _ := reader.Events(1)
	if want := (stats.EventCounts{{Bad: 3, Good: 2}, {Bad: 1, Good: 4}, {Good: 5}, {Good: 5}}); events != want {
		t.Errorf("%+v, want %+v", events, want)
	}
	totals := r.totals("v2")
	if totals.Outcomes[stats.OutcomeStatus] != 1 || totals.Outcomes[stats.OutcomeOK] != 3 || totals.Failed != 2 {
		t.Errorf("%+v", totals)
	}
	if spent := numbers.Budget().Spent(); spent != 2 {
		t.Errorf("%d spent, want 2", spent)
	}
	logged := map[string]string{}
	for _, entry := range logs.All() {
		fields := entry.ContextMap()
		logged[fields["path"].(string)] = fields["outcome"].(string)
	}
	want := map[string]string{"/429": "status", "/500": "ok", "/cut": "truncated"}
	if diff := cmp.Diff(want, logged); diff != "" {
		t.Errorf("the access log (-want +got): %s", diff)
	}
}
