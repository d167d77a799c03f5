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

// withEvents is a spec of one long step with events, written as in the scenarios.
func withEvents(t *testing.T, service string, events ...string) Spec {
	t.Helper()
	spec := quickSpec(service, 20*onePercent)
	spec.Policy.Steps[0].Duration = config.Duration(10 * time.Minute)
	for _, text := range events {
		if err := addEvent(&spec.Policy.Checks, text); err != nil {
			t.Fatal(err)
		}
	}
	return spec
}

// check finds a check of a verdict.
func check(t *testing.T, v View, name string) analysis.CheckVerdict {
	t.Helper()
	for _, c := range v.Verdict.Checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("%s has no check %s", v.Service, name)
	return analysis.CheckVerdict{}
}

// throttled answers 429 to a share of the canary's requests.
func throttled(share float64) func(bool) (stats.Outcome, int) {
	random := rand.New(rand.NewPCG(7, 7))
	return func(canary bool) (stats.Outcome, int) {
		if canary && random.Float64() < share {
			return stats.OutcomeOK, 429
		}
		return stats.OutcomeOK, 200
	}
}

// The same canary, whose answers are clean of 5xx, under the default checks, under an event, under a muted one, and under
// statuses of its own.
func TestThrottlingCanary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		strict := withEvents(t, "strict")
		strict.Policy.Checks.Errors.Statuses = []config.StatusRange{{Low: 429, High: 429}, {Low: 500, High: 599}}
		strict.Policy.Budget.FailedRequests = 1000
		r.configure(withEvents(t, "default"), withEvents(t, "event", "throttled:429"), withEvents(t, "muted", "throttled:429:muted"), strict)
		stop := r.run()
		defer stop()
		for _, name := range []string{"default", "event", "muted", "strict"} {
			r.flow(20*time.Second, traffic{service: name, rate: 200, answer: throttled(0.1)})
		}
		if v := r.wantPhase("default", PhaseProgressing); v.Stage.Failed != 0 {
			t.Errorf("%d requests failed", v.Stage.Failed)
		}
		v := r.wantPhase("event", PhaseRolledBack)
		if v.Reason != "the check throttled failed" || !strings.Contains(v.Verdict.Sentence(), "answered 429, stable 0 % of") {
			t.Errorf("%s: %s", v.Reason, v.Verdict.Sentence())
		}
		if c := check(t, r.wantPhase("muted", PhaseProgressing), "throttled"); c.Class != analysis.Fail || !c.Muted {
			t.Errorf("%+v", c)
		}
		v = r.wantPhase("strict", PhaseRolledBack)
		failed := r.stats.Service("strict").Variant("v2").Totals().Outcomes[stats.OutcomeStatus]
		if v.Reason != "the check errors failed" || v.Budget.Spent == 0 || v.Stage.Failed == 0 || failed < v.Budget.Spent {
			t.Errorf("%s, %d failed, %d spent, %d seen on the step", v.Reason, failed, v.Budget.Spent, v.Stage.Failed)
		}
	})
}

// A list of statuses without 5xx makes a 500 a success, also for the stop-loss.
func TestServerErrorsThatDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := withEvents(t, "shop")
		spec.Policy.Checks.Errors.Statuses = []config.StatusRange{}
		spec.Policy.Budget.FailedRequests = 1
		r.configure(spec)
		stop := r.run()
		defer stop()
		r.flow(20*time.Second, traffic{service: "shop", rate: 200, canaryBad: 1})
		v := r.wantPhase("shop", PhaseProgressing)
		if c := check(t, v, "errors"); c.CanaryBad != 0 || c.CanaryTotal < 500 || v.Budget.Spent != 0 {
			t.Errorf("%+v, %d spent", c, v.Budget.Spent)
		}
	})
}

// Clients that give up are neither good nor bad for the error rate, and bad for a check of their own.
func TestClientsThatGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(withEvents(t, "shop", "left:client_gone:uncritical", "missing:404"))
		stop := r.run()
		defer stop()
		gone, requests := uint64(0), uint64(0)
		r.flow(20*time.Second, traffic{service: "shop", rate: 200, answer: func(canary bool) (stats.Outcome, int) {
			if !canary {
				return stats.OutcomeOK, 200
			}
			requests++
			if requests%10 == 0 {
				gone++
				return stats.OutcomeClientGone, 404 // it left when it saw the head
			}
			return stats.OutcomeOK, 200
		}})
		v := r.wantPhase("shop", PhaseProgressing)
		left, missing, failed := check(t, v, "left"), check(t, v, "missing"), check(t, v, "errors")
		if left.Class != analysis.Fail || left.CanaryBad != gone || left.CanaryTotal != requests {
			t.Errorf("%d of %d left: %+v", gone, requests, left)
		}
		for _, c := range []analysis.CheckVerdict{missing, failed} {
			if c.CanaryBad != 0 || c.CanaryTotal != requests-gone {
				t.Errorf("%d of %d left: %+v", gone, requests, c)
			}
		}
	})
}

// A reload adds an event in front of another one and defines a third anew. Until the next step all count as they did, and
// from there on each counts for itself: no request of one is seen as one of another, and none is lost or seen twice.
func TestEventsThatAreRenumbered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := func(events ...string) Spec {
			s := withEvents(t, "shop", events...)
			s.Policy.Steps = append(s.Policy.Steps, s.Policy.Steps[0]) // the weight does not change
			s.Policy.Steps[0].Duration = config.Duration(20 * time.Second)
			return s
		}
		r.configure(spec("a:404:muted", "m:418:muted", "z:429:muted"))
		stop := r.run()
		defer stop()
		requests := uint64(0)
		seen := map[int]uint64{}
		tr := traffic{service: "shop", rate: 200, answer: func(canary bool) (stats.Outcome, int) {
			if !canary {
				return stats.OutcomeOK, 200
			}
			requests++
			status := []int{200, 404, 418, 425, 429, 429}[r.random.IntN(6)]
			seen[status]++
			return stats.OutcomeOK, status
		}}
		r.flow(10*time.Second, tr)
		r.configure(spec("a:404:muted", "b:425:muted", "m:418,425:muted", "z:429:muted"))
		before := r.journal.split("shop").Revision
		r.flow(9*time.Second, tr)
		v := r.wantPhase("shop", PhaseProgressing)
		if v.Step != 0 || check(t, v, "m").CanaryBad != seen[418] {
			t.Fatalf("step %d, %d with 418: %+v", v.Step, seen[418], check(t, v, "m"))
		}
		for r.wantPhase("shop", PhaseProgressing).Step == 0 {
			r.flow(50*time.Millisecond, tr)
		}
		firstRequests, first418, first425 := requests, seen[418], seen[425]
		r.flow(10*time.Second, tr)
		r.flow(time.Second, traffic{service: "shop"}) // for the last look
		v = r.wantPhase("shop", PhaseProgressing)
		if got := r.journal.split("shop").Revision; got != before+1 {
			t.Errorf("%d new revisions, want 1", got-before)
		}
		for name, want := range map[string][2]uint64{
			"a": {seen[404], requests},
			"z": {seen[429], requests},
			"b": {seen[425] - first425, requests - firstRequests},
			"m": {seen[418] - first418 + seen[425] - first425, requests - firstRequests},
		} {
			c := check(t, v, name)
			if c.CanaryBad != want[0] || c.CanaryTotal != want[1] {
				t.Errorf("%s: %d of %d, want %d of %d", name, c.CanaryBad, c.CanaryTotal, want[0], want[1])
			}
		}
	})
}

// Without a rollout, and after a file that was not applied, requests count as before.
func TestKindsComeAndGoWithTheRollout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds := func(status int) stats.Outcome {
			outcome, _ := r.stats.Service("shop").Kinds().Classify(stats.OutcomeOK, status)
			return outcome
		}
		want := func(when string, of429 stats.Outcome) {
			t.Helper()
			if got := kinds(429); got != of429 {
				t.Errorf("%s a 429 is %s, want %s", when, got, of429)
			}
		}
		want("before", stats.OutcomeOK)
		spec := withEvents(t, "shop")
		spec.Policy.Checks.Errors.Statuses = []config.StatusRange{{Low: 429, High: 429}}
		failed := errors.New("no table")
		if err := r.Configure(time.Now(), []Spec{spec}, func([]Split) error { return failed }); !errors.Is(err, failed) {
			t.Fatal(err)
		}
		want("after a file that was not applied", stats.OutcomeOK)
		r.configure(spec)
		want("in the rollout", stats.OutcomeStatus)
		if err := r.Configure(time.Now(), nil, func([]Split) error { return failed }); !errors.Is(err, failed) {
			t.Fatal(err)
		}
		want("after another file that was not applied", stats.OutcomeStatus)
		other := withEvents(t, "shop")
		r.configure(other)
		want("while a changed policy waits for its step", stats.OutcomeStatus)
		r.reboot()
		r.configure(other)
		want("after a restart", stats.OutcomeStatus)
		if _, err := r.Do("shop", Command{Kind: CommandAbort}); err != nil {
			t.Fatal(err)
		}
		want("after the rollback", stats.OutcomeStatus)
		if _, err := r.Do("shop", Command{Kind: CommandRetry}); err != nil {
			t.Fatal(err)
		}
		want("in the next attempt, under the new policy", stats.OutcomeOK)
		r.configure()
		want("without a rollout", stats.OutcomeOK)
	})
}
