//go:build !race

package rollout

import (
	compare "cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/analysis"
	"haldane/config"
)

// The table of transitions in docs/ARCHITECTURE.md is what the core can do, derived from it. Run with -update to rewrite it.
func TestDiagramIsTheCore(t *testing.T) {
	head, old, tail := diagram(t)
	fresh := table(derived(t))
	if *update {
		if err := os.WriteFile(architecture, []byte(head+fresh+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != fresh {
		t.Errorf("%s says\n%s\nthe core says\n%s", architecture, old, fresh)
	}
}

const architecture = "../docs/ARCHITECTURE.md"

// diagram is the table of the document, with what stands before and behind it.
func diagram(t *testing.T) (head, table, tail string) {
	t.Helper()
	const begin, end = "<!-- transitions: derived by go test ./rollout -update -->\n", "<!-- /transitions -->\n"
	text, err := os.ReadFile(architecture)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), begin)
	table, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no marks %q and %q", architecture, begin, end)
	}
	return head + begin, table, end + tail
}

// check wants every word of the package, and every transition of the document, in some scenario.
func (s *sighted) check(t *testing.T) {
	t.Helper()
	for _, word := range declared(t, "EventKind", "Pause", "Hold", "Trigger") {
		if !s.words[word] && word != "EventKind "+string(EventLost) { // that is a subscriber's, not a rollout's
			t.Errorf("no scenario shows %s", word)
		}
	}
	_, want, _ := diagram(t)
	if got := table(s.sorted()); got != want {
		t.Errorf("the scenarios do not show the transitions of %s (-document +scenarios):\n%s", architecture, cmp.Diff(want, got))
	}
}

// sorted are the transitions, in an order.
func (s *sighted) sorted() []transition {
	return slices.SortedFunc(maps.Keys(s.transitions), func(a, b transition) int {
		return compare.Or(compare.Compare(a.event, b.event), compare.Compare(a.from, b.from), compare.Compare(a.to, b.to))
	})
}

// table is the transitions as a document has them: a row for each event.
func table(list []transition) string {
	var b strings.Builder
	b.WriteString("| event | from | to |\n| --- | --- | --- |\n")
	type row struct {
		event EventKind
		to    string
	}
	rows := map[row][]string{}
	for _, tr := range list {
		r := row{tr.event, tr.to.String()}
		if tr.from == tr.to {
			r.to = "the same"
		}
		rows[r] = append(rows[r], tr.from.String())
	}
	keys := slices.SortedFunc(maps.Keys(rows), func(a, b row) int {
		return compare.Or(compare.Compare(a.event, b.event), compare.Compare(a.to, b.to))
	})
	for _, r := range keys {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.event, strings.Join(rows[r], ", "), r.to)
	}
	return b.String()
}

// derived are all transitions that the core makes, found by trying everything in every kind of state that can be reached.
func derived(t *testing.T) []transition {
	t.Helper()
	x := &explorer{saw: newSighted(), known: map[string]bool{}, now: time.Unix(1_700_000_000, 0)}
	for _, spec := range exploredSpecs() {
		for _, refused := range []string{"", "it cannot be read"} {
			s, actions := created(spec, x.now, birth{}, refused)
			x.reach(State{}, s, actions)
		}
	}
	for len(x.open) > 0 {
		s := x.open[0]
		x.open = x.open[1:]
		x.expand(s)
	}
	t.Logf("%d kinds of states, %d transitions", len(x.known), len(x.saw.transitions))
	return x.saw.sorted()
}

// exploredSpecs are rollouts that differ in what the core looks at.
func exploredSpecs() []Spec {
	var list []Spec
	for _, n := range []int{1, 2, 4, 11, 16, 34, 65, 128, 130} {
		spec := Spec{Service: "shop", Stable: "v1", Canary: "v2", PolicyName: "p", Policy: config.DefaultPolicy()}
		for i, weight := range []config.Percent{10 * onePercent, 50 * onePercent} {
			step := config.DefaultStep()
			step.Weight, step.Duration, step.MaxDuration, step.MinRequests = weight, config.Duration(2*time.Second), config.Duration(4*time.Second), 1
			step.Approval = i == 0 && n&1 > 0
			spec.Policy.Steps = append(spec.Policy.Steps, step)
		}
		spec.Policy.Budget.FailedRequests = 10
		if n&1 > 0 {
			spec.Policy.OnFailure, spec.Start = config.FailurePause, config.StartManual
		}
		if spec.Policy.Bake.Duration = 0; n&2 > 0 {
			spec.Policy.Bake.Duration = config.Duration(2 * time.Second)
		}
		if n&4 > 0 {
			spec.After = []string{"payments"}
		}
		if n&8 > 0 {
			spec.Release = "core"
		}
		if n&16 > 0 {
			spec.Policy.Ramp = &config.Ramp{
				From: onePercent, To: 4 * onePercent, Every: config.Duration(2 * time.Second), MaxDuration: config.Duration(20 * time.Second),
				MinRequests: 1, AdvanceWhen: config.AdvanceNoRegression,
			}
			spec.Policy = spec.Policy.Steady()
		}
		if n&64 > 0 {
			spec.Policy.Steps[0].Checklist = []string{"support is told"}
			spec.Policy.Hooks.PreRollout = []config.Hook{{Name: "smoke", Every: config.Duration(time.Second), Failures: 1}}
		}
		if n&32 > 0 {
			spec.Policy.OnFailure, spec.Policy.CoolDown, spec.Policy.Retries = config.FailureStepBack, config.Duration(time.Second), 1
		}
		if n&128 > 0 {
			spec.Policy.Partial = &config.Partial{Segments: []string{"eu", "us"}, OnFailure: config.PartAlone}
		}
		list = append(list, spec)
	}
	return list
}

// explorer knows which kinds of states were looked at, and which are still to be.
type explorer struct {
	saw   *sighted
	known map[string]bool
	open  []State
	now   time.Time
}

// reach takes note of a transition, and of where it leads.
func (x *explorer) reach(from, to State, actions []Action) {
	x.saw.transition(&from, &to, actions)
	to.History = nil
	if kind := x.kind(&to); !x.known[kind] {
		x.known[kind] = true
		x.open = append(x.open, to)
	}
}

// kind is all of a state that what happens next may depend on.
func (x *explorer) kind(s *State) string {
	clock := func(limit time.Duration) bool { return s.Clock >= limit }
	stage := s.stage()
	return fmt.Sprint(s.Spec.After, s.Spec.Release, s.Spec.Start, s.Policy.OnFailure, s.Policy.Bake.Duration, stage.Approval,
		s.Phase, s.Pause, s.Hold, s.Step, s.Bake, clock(time.Duration(stage.Duration)), clock(s.Deadline),
		s.idle(s.Ticked) > quietPeriod(stage), s.Recent.last(s.Ticked, sickSeconds).sick(), s.Manual != nil, s.Override,
		s.StepJudged > 0, s.Unit.Done, s.Unit.Blameless, len(s.Unit.Bonds), s.Unit.Hold, len(s.Unit.Waits), s.Attempt > 1,
		s.Verdict.Class == analysis.Fail, s.Spent >= 10, s.Staging.Ramp.Weight, s.Setbacks.Back, s.Setbacks.Retried, s.cooling(s.Ticked) > 0,
		len(stage.Checklist), len(s.Spec.Policy.Hooks.PreRollout), s.gate().Ordered != nil, len(s.gate().Ticks), len(s.gate().Hooks),
		s.Policy.Partial != nil, len(s.Partial.Gone))
}

// expand tries everything.
func (x *explorer) expand(s State) {
	now := s.Ticked.Add(2 * time.Second)
	for _, o := range exploredObservations(&s) {
		next, actions := Step(s, now, o)
		x.reach(s, bindAny(next), actions)
		if len(actions) > 0 && actions[0].Kind == ActionStoreFirst {
			next, actions = notStored(s, now, o, errScenario)
			x.reach(s, next, actions)
		}
	}
	for _, kind := range s.Possible() {
		for _, variant := range []string{"v1", "v2"} {
			next, actions, err := Apply(s, now, Command{Kind: kind, Weight: 20 * onePercent, Variant: variant, Item: "1"})
			if err == nil {
				x.reach(s, bindAny(next), actions)
			}
		}
	}
	for _, q := range s.questions(now) {
		for _, word := range []HookAnswer{HookYes, HookRefused} {
			next, actions := answered(s, now, Answer{Service: "shop", Place: s.place(), Point: q.Point, Hook: q.Hook, Turn: q.Turn, Answer: word})
			x.reach(s, next, actions)
		}
	}
	next, actions := reopened(s, now, nil)
	x.reach(s, next, actions)
	next, actions = superseded(s, now, cause{})
	x.saw.transition(&s, &next, actions) // nothing comes after it
	changed := s.Spec
	changed.Policy.Budget.FailedRequests = 20
	next, actions = configured(s, now, changed)
	x.saw.transition(&s, &next, actions)
	changed = s.Spec
	changed.Variants = []string{"v1"} // what an override names may go
	next, actions = configured(s, now, changed)
	x.saw.transition(&s, &next, actions)
}

// bindAny makes a rollout that has begun one of two.
func bindAny(s State) State {
	if s.Spec.Release != "" && s.Phase.exposing() && len(s.Unit.Bonds) == 0 {
		s.Unit.Bonds = []bond{{"books", "1"}, {"shop", "2"}}
	}
	return s
}

// exploredObservations are everything that can be seen, and told.
func exploredObservations(s *State) []Observation {
	check := analysis.CheckVerdict{
		Name: "errors", Critical: true, Class: analysis.Pass, Score: 90, Powered: true,
		StableRate: 0.001, Detectable: 0.05, Gross: 0.9,
	}
	good := analysis.Verdict{Class: analysis.Pass, Checks: []analysis.CheckVerdict{check}}
	check.Class, check.Score = analysis.Marginal, 30
	leaning := analysis.Verdict{Class: analysis.Marginal, Checks: []analysis.CheckVerdict{check}}
	check.Class = analysis.Fail
	bad := analysis.Verdict{Class: analysis.Fail, Checks: []analysis.CheckVerdict{check}}
	seen := Observation{Canary: Seen{Requests: 10}, Stable: Seen{Requests: 90}, Judged: 10, Reference: 90}
	with := func(v analysis.Verdict, spent, stableFailed uint64) Observation {
		o := seen
		o.Verdict, o.Spent, o.Stable.Failed = v, spent, stableFailed
		return o
	}
	list := []Observation{{Verdict: s.Verdict, Spent: s.Spent}, with(good, 0, 0), with(leaning, 0, 0), with(bad, 0, 0), with(good, 10, 0), with(good, 0, 80)}
	if s.Policy.Partial != nil {
		list = append(list, with(badPart(), 0, 0))
	}
	if len(s.Spec.After) > 0 {
		for _, phase := range []Phase{PhasePending, PhaseProgressing, PhaseRolledBack} {
			o := with(good, 0, 0)
			payments := State{Spec: s.Spec, Policy: s.Policy, Phase: phase}
			payments.Spec.Service = "payments"
			o.Others.before = []*State{&payments}
			list = append(list, o)
		}
	}
	if s.Spec.Release != "" {
		books := *s
		books.Spec.Service, books.Hold = "books", HoldNoTraffic
		for _, what := range []order{orderNone, orderGo, orderPause, orderFall} {
			o := with(good, 0, 0)
			o.Others.order, o.Others.why, o.Others.mates = what, "books says so", []*State{&books}
			list = append(list, o)
			o.Others.mates = nil
			list = append(list, o)
		}
	}
	return list
}
