package proxy

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

func TestStallLimit(t *testing.T) {
	stable := stats.NewRegistry(1).Service("web").Variant("v1")
	answer := func(n int, d time.Duration) {
		for range n {
			stable.Begin(0).End(stats.Record{Outcome: stats.OutcomeOK, Status: 200, FirstByte: d})
		}
	}
	limit := newStallLimit(config.DefaultService())
	now := int64(100 * time.Second)
	terms := &stallTerms{since: now, limit: limit, stable: stable}
	expect := func(what string, want time.Duration) {
		t.Helper()
		if got := time.Duration(limit.end(terms, now) - now); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	expect("stable has answered nothing", 1)
	answer(1, 10*time.Millisecond)
	expect("it has answered quickly", 5*time.Second)
	answer(1, 2*time.Second)
	expect("looked at a moment ago", 5*time.Second)
	now, terms.since = now+int64(stallRenew), now+int64(stallRenew)
	expect("one of two answers was slow", 4*time.Duration(stats.BucketUpper(stats.BucketIndex(2e6)))*time.Microsecond)
	answer(10_000, time.Millisecond)
	now, terms.since = now+int64(stallRenew), now+int64(stallRenew)
	expect("one of ten thousand answers was slow", 5*time.Second)
}

func TestStallLimitSettings(t *testing.T) {
	got := make(map[string]string)
	for _, timeout := range []config.StallTimeout{{}, {Mode: config.StallAuto}, {Mode: config.StallAfter, After: 2 * time.Second}} {
		s := plain("127.0.0.1:1")
		s.Stats = stats.NewRegistry(1)
		web := s.Services["web"]
		web.StallTimeout = timeout
		s.Services["web"] = web
		table, err := router.Build(router.Options{Services: s.Services})
		if err != nil {
			t.Fatal(err)
		}
		s.Table = table
		snapshot, err := NewSnapshot(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		l := snapshot.services[0].stalls
		got[timeout.String()] = fmt.Sprint(l.off, l.auto, l.least)
	}
	want := map[string]string{"off": "true false 0s", "auto": "false true 5s", "2s": "false false 2s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
