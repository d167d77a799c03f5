package rollout

import (
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/stats"
)

// parts gives a random spec parts, mostly with on_failure "part".
func (r *walk) parts(spec *Spec) {
	if r.IntN(2) == 0 {
		return
	}
	p := &config.Partial{Segments: []string{"a", "b", "c", "d"}[:1+r.IntN(4)], OnFailure: config.PartAlone}
	if r.IntN(5) == 0 {
		p.OnFailure = config.PartAll
	}
	spec.Policy.Partial = p
}

// seeParts gives a verdict the checks of the parts, as a judge with the settings of now would.
func (r *walk) seeParts(v *analysis.Verdict) {
	for _, part := range r.state.Policy.Partial.Parts() {
		c := analysis.CheckVerdict{Name: partCheck(part.Name), Critical: true, Class: analysis.NoData, Score: 50, Needed: 100}
		gone := r.state.Partial.has(part.Name)
		if gone {
			c.Critical, c.Muted, c.Class, c.FailedAt = false, true, analysis.Fail, r.now
		} else if r.IntN(100) == 0 {
			c.Class, c.Score, c.FailedAt = analysis.Fail, 0, r.now
			v.Class = analysis.Fail
		}
		v.Checks = append(v.Checks, c)
	}
}

// checkParts holds what is promised about parts that have gone.
func checkParts(old, next *State, actions []Action, fail func(string)) {
	was, is := old.split(), next.split()
	for _, gone := range old.Partial.Gone {
		switch {
		case next.Attempt != old.Attempt:
		case !next.Partial.has(gone.Name):
			fail("a part came back without a retry")
		}
	}
	for _, a := range actions {
		e := &a.Event
		if a.Kind != ActionAnnounce {
			continue
		}
		if e.Kind == EventPromoted && len(old.Partial.Gone) > 0 && (e.Trigger != TriggerOperator) {
			fail("an incomplete release was promoted by itself")
		}
		if e.Kind == EventPartRolledBack && (next.Phase != old.Phase || is.Back == was.Back || is.Weight > was.Weight) {
			fail("a part that goes back changes nothing else")
		}
	}
	parts := next.Policy.Partial.Parts()
	if next.Phase.exposing() {
		if n := len(next.Partial.Gone); n > max(1, len(parts)/2) {
			fail("more than half of the parts have gone")
		}
		for i, part := range parts {
			if next.Partial.has(part.Name) != (is.Back&(1<<i) != 0) {
				fail("the split does not say what has gone")
			}
		}
	}
}

// partTraffic sends requests of parts through the split, as the proxy does: name -> how much of it the canary fails.
func (r *rig) partTraffic(d time.Duration, service string, bad map[string]float64) (reached map[string]int) {
	reached = map[string]int{}
	names := slices.Sorted(maps.Keys(bad))
	for range d / (50 * time.Millisecond) {
		for range 20 {
			split := r.journal.split(service)
			name := names[r.random.IntN(len(names))]
			number := 1 + slices.IndexFunc(split.Partial.Parts(), func(p config.Part) bool { return p.Name == name })
			threshold, _ := split.Weight.Fraction()
			canary := r.random.Uint64() < threshold
			record := stats.Record{Outcome: stats.OutcomeOK, Status: 200, FirstByte: time.Millisecond, Lane: stats.Judged(stratumSplit, split.Revision)}
			if number > 0 && split.Back&(1<<(number-1)) != 0 {
				canary, record.Lane = false, stats.Unjudged
			}
			v := r.stats.Service(service).Variant(split.Stable)
			if canary {
				v = r.stats.Service(service).Variant(split.Canary)
				reached[name]++
				if r.random.Float64() < bad[name] {
					record.Outcome, record.Status = stats.OutcomeServerError, 500
				}
			}
			v.CountPart(0, record.Lane, uint8(number), record.Outcome)
			v.Begin(0).End(record)
		}
		time.Sleep(50 * time.Millisecond)
	}
	synctest.Wait()
	return reached
}

func partSpec() Spec {
	spec := quickSpec("shop", 20*onePercent, 50*onePercent)
	spec.Policy.Partial = &config.Partial{Templates: map[string]string{"cart": "/cart/*", "item": "/items/*"}, OnFailure: config.PartAlone}
	return spec
}

// A part that went back stays so after kill -9, and its requests do not get the canary; with a full disk it goes back all the same.
// Killed between the decision and the store, the next process decides it again, from the evidence, before the first request.
func TestAPartStaysBackAfterKill(t *testing.T) {
	for name, full := range map[string]bool{"stored": false, "full": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.configure(partSpec())
				stop := r.run()
				r.partTraffic(2*time.Second, "shop", map[string]float64{"cart": 0, "item": 0, "": 0})
				if full {
					r.store.set(errDisk, nil)
				}
				r.partTraffic(8*time.Second, "shop", map[string]float64{"cart": 0.5, "item": 0, "": 0})
				v := r.wantPhase("shop", PhaseProgressing)
				if len(v.Parts) != 2 || v.Parts[0].RolledBack.IsZero() || !v.Parts[1].RolledBack.IsZero() || len(v.Notes) == 0 {
					t.Fatalf("the parts are %+v", v.Parts)
				}
				split := r.journal.split("shop")
				reached := r.partTraffic(time.Second, "shop", map[string]float64{"cart": 0.5, "item": 0, "": 0})
				if split.Back != 1 || reached["cart"] > 0 || reached["item"] == 0 {
					t.Errorf("split %+v, the canary got %v", split, reached)
				}
				r.store.set(errKilled, nil)
				stop()
				r.store.set(nil, nil)
				r.reboot()
				got := r.configure(partSpec())
				if !full && (got[0].Back != 1 || got[0].Weight == 0) {
					t.Errorf("after the restart the split is %+v", got[0])
				}
				if full { // nothing of it was stored: it is judged anew
					defer r.run()()
					r.partTraffic(8*time.Second, "shop", map[string]float64{"cart": 0.5, "item": 0, "": 0})
					if split := r.journal.split("shop"); split.Back != 1 {
						t.Errorf("the split is %+v", split)
					}
				}
			})
		})
	}
}

// What is known when a process is killed before it has decided is decided by the next one before the first request.
func TestAPartIsTakenBackBeforeTheFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(partSpec())
		stop := r.run()
		r.partTraffic(8*time.Second, "shop", map[string]float64{"cart": 0.5, "item": 0})
		stop()
		q := r.Manager.runners["shop"]
		before := q.state
		before.Partial, before.Verdict = partial{}, analysis.Verdict{} // it was killed right before
		evidence := q.judge.State()
		s, judge := reopenedWith(t, before, evidence)
		o := still(&s, others{})
		if next, _ := Step(s, time.Now(), o); next.Partial.has("cart") {
			t.Fatal("without its evidence nothing is known")
		}
		o.Verdict = judge.Verdict()
		if next, actions := Step(s, time.Now(), o); !next.Partial.has("cart") || next.Partial.has("item") {
			t.Errorf("%+v, %v", next.Partial, actions)
		}
	})
}

// reopenedWith is a state and a judge after a restart.
func reopenedWith(t *testing.T, s State, evidence analysis.State) (State, *analysis.Judge) {
	t.Helper()
	judge, err := analysis.Restore(s.settings(), evidence)
	if err != nil {
		t.Fatal(err)
	}
	s, _ = reopened(s, time.Now(), nil)
	return s, judge
}
