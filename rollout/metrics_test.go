package rollout

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/stats"
)

// withMetrics is a spec of one long step with metrics, written as in the scenarios.
func withMetrics(t *testing.T, service string, metrics ...string) Spec {
	t.Helper()
	spec := quickSpec(service, 50*onePercent)
	spec.Policy.Steps[0].Duration = config.Duration(10 * time.Minute)
	for _, text := range metrics {
		if err := addMetric(&spec.Policy.Checks, text); err != nil {
			t.Fatal(err)
		}
	}
	return spec
}

// converting reports 1 for a share of the canary's requests and of stable's, under the name of the field.
func converting(field string, canary, stable float64) func(bool, *stats.Measures, *stats.Values) {
	random := rand.New(rand.NewPCG(3, 3))
	return func(is bool, m *stats.Measures, v *stats.Values) {
		share, text := stable, "0"
		if is {
			share = canary
		}
		if random.Float64() < share {
			text = "1"
		}
		for place := range m.Len() {
			if m.Field(place) == field {
				m.Read(place, []byte(text), 1, v)
			}
		}
	}
}

// The true case: errors and latency alike, 40 % of stable's requests convert and 36 % of the canary's. It is rolled back; one that
// converts as much is not.
func TestConversionThatFallsByATenth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(withMetrics(t, "worse", "conversion:field,down,words=converted"), withMetrics(t, "same", "conversion:field,down"),
			withMetrics(t, "asked", "conversion:field,down,of=reported"))
		stop := r.run()
		defer stop()
		r.flow(120*time.Second, traffic{service: "worse", rate: 400, report: converting("X-conversion", 0.36, 0.4)})
		r.flow(60*time.Second, traffic{service: "same", rate: 400, report: converting("X-conversion", 0.4, 0.4)})
		half := converting("X-conversion", 0.36, 0.4)
		random := rand.New(rand.NewPCG(9, 9))
		r.flow(100*time.Second, traffic{service: "asked", rate: 400, report: func(is bool, m *stats.Measures, v *stats.Values) {
			if random.IntN(2) == 0 {
				half(is, m, v)
			}
		}})
		v := r.wantPhase("worse", PhaseRolledBack)
		if v.Reason != "the check conversion failed" || !strings.Contains(v.Verdict.Sentence(), " converted, stable ") {
			t.Errorf("%s: %s", v.Reason, v.Verdict.Sentence())
		}
		t.Log(v.Verdict.Sentence())
		r.wantPhase("same", PhaseProgressing)
		if c := check(t, r.wantPhase("asked", PhaseRolledBack), "conversion"); c.CanaryRate < 0.3 || c.CanaryTotal > 12_000 {
			t.Errorf("%+v", c)
		}
	})
}

// A reload adds a metric in front of another one, and an event in front of both. From the next step on each counts for itself, and the
// evidence of the one that stayed goes on.
func TestMetricsThatAreRenumbered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		first := withMetrics(t, "shop", "conversion:field,down")
		first.Policy.Steps[0].Duration = config.Duration(20 * time.Second)
		first.Policy.Steps = append(first.Policy.Steps, first.Policy.Steps[0])
		r.configure(first)
		stop := r.run()
		defer stop()
		report := converting("X-conversion", 0.4, 0.4)
		r.flow(15*time.Second, traffic{service: "shop", rate: 200, report: report})
		before := check(t, r.wantPhase("shop", PhaseProgressing), "conversion")
		second := withMetrics(t, "shop", "conversion:field,down", "basket:field,up,kind=mean,largest=10")
		second.Policy.Steps = append(second.Policy.Steps, second.Policy.Steps[0])
		if err := addEvent(&second.Policy.Checks, "missing:404"); err != nil {
			t.Fatal(err)
		}
		r.configure(second)
		r.flow(15*time.Second, traffic{service: "shop", rate: 200, report: report})
		v := r.wantPhase("shop", PhaseProgressing)
		after, basket, missing := check(t, v, "conversion"), check(t, v, "basket"), check(t, v, "missing")
		if v.Step != 1 || after.CanaryTotal < before.CanaryTotal+1000 || after.CanaryRate < 0.35 || after.CanaryRate > 0.45 {
			t.Errorf("step %d, before %+v, after %+v", v.Step, before, after)
		}
		if basket.CanaryTotal != 0 || missing.CanaryBad != 0 {
			t.Errorf("%+v, %+v", basket, missing)
		}
	})
}

// Totals that are posted end a rollout; a post that is repeated, also to the next process, is taken once; what is wrong is refused.
func TestPostedTotals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := withMetrics(t, "shop", "orders:posted,down", "basket:posted,down,kind=mean,largest=100", "conversion:field,down")
		r.configure(spec)
		stop := r.run()
		post := func(p Post) bool {
			t.Helper()
			again, err := r.Post("shop", p)
			if err != nil {
				t.Fatal(err)
			}
			return again
		}
		pass := func(d time.Duration) { r.flow(d, traffic{service: "shop", rate: 50}) }
		pass(10 * time.Second)
		orders := Post{Metric: "orders", Variant: "v2", Good: 360, Total: 1000, Key: "a"}
		if post(orders) || !post(orders) {
			t.Error("a key was not known at once")
		}
		post(Post{Metric: "orders", Variant: "v1", Good: 400, Total: 1000, Key: "b"})
		post(Post{Metric: "basket", Variant: "v1", Sum: 4000, Count: 100})
		post(Post{Metric: "basket", Variant: "v2", Sum: 4000, Count: 100})
		pass(10 * time.Second)
		r.store.set(errKilled, nil)
		stop()
		r.reboot()
		r.store.set(nil, nil)
		r.configure(spec)
		stop = r.run()
		defer stop()
		if !post(orders) {
			t.Error("a key was forgotten by a restart")
		}
		pass(time.Second)
		v := r.wantPhase("shop", PhaseProgressing)
		if c := check(t, v, "orders"); c.CanaryBad != 360 || c.CanaryTotal != 1000 || c.StableBad != 400 {
			t.Errorf("%+v", c)
		}
		if c := check(t, v, "basket"); !c.Mean || c.CanaryRate != 40 || c.CanaryTotal != 100 {
			t.Errorf("%+v", c)
		}
		for range 10 {
			if v, _ := r.View("shop"); v.Phase == PhaseRolledBack {
				break
			}
			post(Post{Metric: "orders", Variant: "v2", Good: 3600, Total: 10_000})
			post(Post{Metric: "orders", Variant: "v1", Good: 4000, Total: 10_000})
			pass(2 * time.Second)
		}
		if v := r.wantPhase("shop", PhaseRolledBack); v.Reason != "the check orders failed" {
			t.Error(v.Reason)
		}
		if _, err := r.Post("shop", Post{Metric: "orders", Variant: "v1", Good: 1, Total: 2}); !errors.Is(err, ErrNotJudged) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// A process that is killed between a post and the next look has forgotten the numbers, and so the key: they can be posted again.
func TestPostThatTheJudgeHasNotHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := withMetrics(t, "shop", "orders:posted,down")
		r.configure(spec)
		orders := Post{Metric: "orders", Variant: "v2", Good: 360, Total: 1000, Key: "a"}
		for _, heard := range []bool{false, true} {
			if again, err := r.Post("shop", orders); again || err != nil {
				t.Fatal(again, err)
			}
			if heard {
				r.beat(time.Now())
			}
			r.checkpoint()
			r.reboot()
			r.configure(spec)
		}
		if again, err := r.Post("shop", orders); !again || err != nil {
			t.Errorf("what was heard is taken twice: %t, %v", again, err)
		}
	})
}

func TestPostsThatAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(withMetrics(t, "shop", "orders:posted,down", "basket:posted,down,kind=mean,largest=100", "conversion:field,down"))
		for _, c := range []struct {
			service string
			post    Post
			want    error
		}{
			{"shop", Post{Metric: "orders", Variant: "v1", Good: 1, Total: 2}, nil},
			{"shop", Post{Metric: "orders", Variant: "v1", Good: 3, Total: 2}, ErrBadCommand},
			{"shop", Post{Metric: "orders", Variant: "v3", Good: 1, Total: 2}, ErrBadCommand},
			{"shop", Post{Metric: "orders", Variant: "v1", Sum: 1, Count: 2}, ErrBadCommand},
			{"shop", Post{Metric: "orders", Variant: "v1", Good: 1, Total: 1e13}, ErrBadCommand},
			{"shop", Post{Metric: "basket", Variant: "v1", Sum: 201, Count: 2}, ErrBadCommand},
			{"shop", Post{Metric: "basket", Variant: "v1", Sum: -1, Count: 2}, ErrBadCommand},
			{"shop", Post{Metric: "basket", Variant: "v1", Good: 1, Total: 2}, ErrBadCommand},
			{"shop", Post{Metric: "conversion", Variant: "v1", Good: 1, Total: 2}, ErrBadCommand},
			{"shop", Post{Metric: "nothing", Variant: "v1", Good: 1, Total: 2}, ErrBadCommand},
			{"other", Post{Metric: "orders", Variant: "v1", Good: 1, Total: 2}, ErrUnknown},
		} {
			if _, err := r.Post(c.service, c.post); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%s %+v: %v, want %v", c.service, c.post, err, c.want)
			}
		}
	})
}

// Answers of a Prometheus go to the rollout that they were asked for, and to no other.
func TestAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := withMetrics(t, "shop", "queue:prometheus,up,kind=value,max=10")
		r.configure(spec)
		stop := r.run()
		defer stop()
		pass := func() { r.flow(time.Second, traffic{service: "shop", rate: 50}) }
		pass()
		questions := r.Queries()
		if len(questions) != 1 || questions[0].Canary != "v2" || questions[0].Metric != "queue" {
			t.Fatalf("%+v", questions)
		}
		q := questions[0]
		r.Read(q, Reading{Problem: "Prometheus: it answers 503"})
		pass()
		if c := check(t, r.wantPhase("shop", PhaseProgressing), "queue"); c.Class != analysis.NoData || c.Cause != analysis.CauseError {
			t.Errorf("%+v", c)
		}
		stale, other := q, q
		stale.Rollout, other.Check.Max.Value = "another", 1
		for range 5 {
			r.Read(stale, Reading{CanaryValue: 100})
			r.Read(other, Reading{CanaryValue: 100})
		}
		r.Read(q, Reading{CanaryValue: 5})
		pass()
		if c := check(t, r.wantPhase("shop", PhaseProgressing), "queue"); c.Class != analysis.Pass || c.CanaryRate != 5 {
			t.Errorf("%+v", c)
		}
		for range 3 {
			r.Read(q, Reading{CanaryValue: 11})
		}
		pass()
		if v := r.wantPhase("shop", PhaseRolledBack); v.Reason != "the check queue failed" || len(r.Queries()) != 0 {
			t.Errorf("%s, %+v", v.Reason, r.Queries())
		}
	})
}

// A number may be told a look before its request. No look tells a negative count for that, and together the looks tell what happened.
func TestNumbersThatComeBeforeTheirRequests(t *testing.T) {
	metrics := []config.MetricCheck{
		{Kind: config.KindRatio, Of: config.OfAll}, {Kind: config.KindSum, Of: config.OfAll, Smallest: -10, Largest: 10},
	}
	var side measuredSide
	var events analysis.Counts
	var values analysis.Sums
	for _, look := range []struct {
		requests uint64
		numbers  [stats.MaxMeasures]stats.Sums
	}{
		{1, [stats.MaxMeasures]stats.Sums{{Count: 3, Sum: 3, Squares: 3}, {Count: 3, Sum: 3, Squares: 3}}},
		{0, [stats.MaxMeasures]stats.Sums{}},
		{9, [stats.MaxMeasures]stats.Sums{{Count: 1, Sum: 1, Squares: 1}, {Count: 1, Sum: 1, Squares: 1}}},
	} {
		e, v := side.fill(metrics, &look.numbers, analysis.Counts{Good: look.requests}, nil)
		events.Bad += e[0].Bad
		events.Good += e[0].Good
		values.Count += v[1].Count
		values.Sum += v[1].Sum
		values.Squares += v[1].Squares
	}
	if want := (analysis.Counts{Bad: 4, Good: 6}); events != want {
		t.Errorf("%+v, want %+v", events, want)
	}
	// Four of ten brought the largest; the others brought 0, which is in the middle.
	if want := (analysis.Sums{Count: 10, Sum: 7, Squares: 5.5}); values != want {
		t.Errorf("%+v, want %+v", values, want)
	}
}
