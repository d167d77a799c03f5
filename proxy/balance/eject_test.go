package balance

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"haldane/config"
	"haldane/proxy/upstream"
)

func TestEjection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := ejecting(4, 50*percent)
		sick := g.Endpoints()[1]
		fail(sick, 2)
		sick.Report(nil, 200)
		fail(sick, 2)
		if draws(g, 400)[sick] == 0 {
			t.Fatal("ejected although an answer came in between")
		}
		fail(sick, 1)
		if n := draws(g, 400)[sick]; n != 0 {
			t.Fatalf("%d requests after the third failure in a row", n)
		}
		time.Sleep(time.Second - 1)
		g.Tick(time.Now())
		if draws(g, 400)[sick] != 0 {
			t.Error("back too early")
		}
		time.Sleep(time.Nanosecond)
		g.Tick(time.Now())
		if draws(g, 400)[sick] == 0 {
			t.Error("not back in time")
		}
	})
}

// Each ejection that follows soon lasts twice as long, up to a bound; a good time wipes that out.
func TestEjectionBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := ejecting(2, 50*percent)
		sick := g.Endpoints()[0]
		away := func() (length time.Duration) {
			fail(sick, 3)
			for sick.condition.ejected() {
				time.Sleep(100 * time.Millisecond)
				length += 100 * time.Millisecond
				g.Tick(time.Now())
			}
			return length
		}
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
			if got := away(); got != want*time.Second {
				t.Errorf("ejection %d lasted %v, want %v", i+1, got, want*time.Second)
			}
		}
		time.Sleep(memory * 300 * time.Second)
		if got := away(); got != time.Second {
			t.Errorf("after a good time: %v", got)
		}
	})
}

// However many fail, ejection leaves the share that it may not touch, and always one.
func TestEjectionNeverEmptiesAVariant(t *testing.T) {
	for n := 1; n <= 7; n++ {
		for share, want := range map[int]int{0: 0, 10: n / 10, 34: n * 34 / 100, 50: n / 2, 100: n - 1} {
			g := ejecting(n, percent*config.Percent(share))
			for _, e := range g.Endpoints() {
				fail(e, 10)
			}
			out := 0
			for _, e := range g.Endpoints() {
				if e.condition.ejected() {
					out++
				}
			}
			if out != want {
				t.Errorf("%d of %d endpoints are out with a share of %d%%, want %d", out, n, share, want)
			}
		}
	}
}

func TestWhatCountsAsAFailure(t *testing.T) {
	broken := func(kind upstream.Kind, stale bool) error {
		return &upstream.Error{Kind: kind, Op: "test", Stale: stale, Err: errors.New("x")}
	}
	for _, test := range []struct {
		name   string
		err    error
		status int
		want   judgement
	}{
		{"ok", nil, 200, good},
		{"500", nil, 500, good},
		{"501", nil, 501, good},
		{"502", nil, 502, bad},
		{"504", nil, 504, bad},
		{"505", nil, 505, good},
		{"connect", broken(upstream.KindConnect, false), 0, bad},
		{"timeout", broken(upstream.KindTimeout, false), 0, bad},
		{"reset", broken(upstream.KindReset, false), 0, bad},
		{"keep-alive race", broken(upstream.KindReset, true), 0, neither},
		{"truncated", broken(upstream.KindTruncated, false), 200, bad},
		{"framing", broken(upstream.KindFraming, false), 0, bad},
		{"full", broken(upstream.KindFull, false), 0, neither},
		{"client", broken(upstream.KindRequestBody, false), 0, neither},
		{"revoked", broken(upstream.KindRevoked, false), 0, neither},
		{"aborted", broken(upstream.KindAborted, false), 0, neither},
		{"another error", errors.New("x"), 0, neither},
	} {
		if got := judge(test.err, test.status); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
