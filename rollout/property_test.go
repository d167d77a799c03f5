package rollout

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// Random commands, observations, reloads and restarts never panic, and keep what must hold in every state.
func TestRandomSequencesKeepTheInvariants(t *testing.T) {
	const runs = 60
	for seed := range runs {
		r := newWalk(seed)
		r.start(t)
		for range 300 {
			r.move(t, seed)
		}
	}
}

// walk is one random life of a rollout.
type walk struct {
	*rand.Rand
	now   time.Time
	state State
	spent uint64
}

func newWalk(seed int) *walk {
	return &walk{Rand: rand.New(rand.NewPCG(uint64(seed), 7)), now: time.Unix(1_700_000_000, 0)}
}

func (r *walk) start(t *testing.T) {
	t.Helper()
	r.accept(t, -1, "create")(created(r.spec(), r.now, birth{}, ""))
}

func (r *walk) spec() Spec {
	spec := Spec{Service: "shop", Stable: "v1", Canary: "v2", PolicyName: "p", Policy: config.DefaultPolicy()}
	if r.IntN(3) == 0 {
		spec.Start = config.StartManual
	}
	for range 1 + r.IntN(4) {
		step := config.DefaultStep()
		step.Weight = config.Percent(r.Uint64N(uint64(config.Whole) + 1))
		step.Duration = config.Duration(r.IntN(20)) * config.Duration(time.Second)
		step.MaxDuration = step.Duration + config.Duration(r.IntN(60))*config.Duration(time.Second)
		step.MinRequests = r.IntN(100)
		step.Approval = r.IntN(4) == 0
		if r.IntN(3) == 0 {
			step.Segment = "staff"
			step.Strength = config.Percent(1 + r.Uint64N(uint64(config.Whole)))
		}
		if r.IntN(2) == 0 {
			step.AdvanceWhen = config.AdvanceProven
		}
		spec.Policy.Steps = append(spec.Policy.Steps, step)
	}
	spec.Policy.Bake.Duration = config.Duration(r.IntN(20)) * config.Duration(time.Second)
	spec.Policy.Bake.Holdback = config.Percent(r.Uint64N(uint64(config.Whole) + 1))
	spec.Policy.Budget.FailedRequests = r.IntN(2) * r.IntN(2000)
	spec.Policy.OnFailure = []string{config.FailureRollBack, config.FailurePause, config.FailureStepBack}[r.IntN(3)]
	r.caution(&spec.Policy)
	r.staging(&spec)
	r.parts(&spec)
	return spec
}

// move does one random thing.
func (r *walk) move(t *testing.T, seed int) {
	t.Helper()
	switch n := r.IntN(100); {
	case n < 80:
		r.now = r.now.Add(time.Duration(r.IntN(2000)) * time.Millisecond)
		o := r.observation()
		next, actions := Step(r.state, r.now, o)
		if r.IntN(10) == 0 && len(actions) > 0 && actions[0].Kind == ActionStoreFirst {
			next, actions = notStored(r.state, r.now, o, errScenario)
		}
		r.accept(t, seed, "step")(next, actions)
	case n < 95:
		r.command(t, seed)
	case n < 97:
		r.accept(t, seed, "configure")(configured(r.state, r.now, r.spec()))
	default:
		text, err := encodeMemory(memory{State: &r.state})
		if err != nil {
			t.Fatal(err)
		}
		read, err := decodeMemory(text)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		r.state = *read.State
		r.accept(t, seed, "restart")(reopened(r.state, r.now, nil))
	}
}

func (r *walk) observation() Observation {
	o := Observation{
		Canary: Seen{Requests: uint64(r.IntN(20))}, Stable: Seen{Requests: uint64(r.IntN(200))},
		Verdict: analysis.Verdict{Class: analysis.Class(1 + r.IntN(3)), Checks: []analysis.CheckVerdict{{
			Name: "errors", Critical: true, Class: analysis.Class(1 + r.IntN(3)), Score: 40 + 60*r.Float64(),
		}}},
	}
	if r.IntN(50) == 0 {
		o.Verdict.Class = analysis.Fail
		o.Verdict.Checks[0].Class = analysis.Fail
	}
	if r.IntN(5) == 0 {
		o.Canary, o.Stable = Seen{}, Seen{}
	}
	if o.Stable.Requests > 0 && r.IntN(10) == 0 {
		o.Stable.Failed = r.Uint64N(o.Stable.Requests)
	}
	o.Verdict.Checks[0].Detectable, o.Verdict.Checks[0].Gross = r.Float64(), 0.02
	o.Judged, o.Reference = o.Canary.Requests, o.Stable.Requests
	r.spent = max(r.spent, r.state.Spent) + uint64(r.IntN(2))
	if r.state.Spent == 0 {
		r.spent = 0
	}
	o.Spent = r.spent
	o.Losses = r.losses()
	r.seeParts(&o.Verdict)
	return o
}

func (r *walk) command(t *testing.T, seed int) {
	t.Helper()
	kinds := []CommandKind{
		CommandStart, CommandPause, CommandResume, CommandPromote, CommandPromoteFull, CommandAbort,
		CommandRetry, CommandSetWeight, CommandOverride, CommandClearOverride, "dance",
	}
	c := Command{Kind: kinds[r.IntN(len(kinds))], Weight: config.Percent(r.Uint64N(uint64(config.Whole) + 1))}
	c.Variant = []string{"v1", "v2", "v3"}[r.IntN(3)]
	next, actions, err := Apply(r.state, r.now, c)
	if err != nil {
		if len(actions) != 0 {
			t.Fatalf("seed %d: the refused %s has actions %v", seed, c.Kind, actions)
		}
		return
	}
	r.accept(t, seed, string(c.Kind))(next, actions)
}

// accept checks a transition and makes it.
func (r *walk) accept(t *testing.T, seed int, what string) func(State, []Action) {
	t.Helper()
	return func(next State, actions []Action) {
		t.Helper()
		old := r.state
		fail := func(text string) {
			t.Helper()
			a, _ := json.Marshal(old)
			b, _ := json.Marshal(next)
			t.Fatalf("seed %d, %s: %s\nfrom %s\nto   %s\nactions %v", seed, what, text, a, b, actions)
		}
		before, after := old.split(), next.split()
		if old.ID == "" {
			before = Split{Service: after.Service, Rollout: after.Rollout, Stable: after.Stable, Canary: after.Canary}
		}
		checkTransition(old, next, before, after, fail)
		checkActions(actions, next, before, after, fail)
		checkExposure(old, next, fail)
		checkParts(&old, &next, actions, fail)
		next.View(r.now)
		r.state = next
	}
}

func checkTransition(old, next State, before, after Split, fail func(string)) {
	switch {
	case after.differs(before) != (after.Revision == before.Revision+1):
		fail("a split has a new revision if and only if it is another one")
	case old.Phase == PhaseRolledBack && next.Attempt == old.Attempt && after.Weight+after.Strength > 0:
		fail("a rolled back canary got a weight without a retry")
	case old.Phase == PhasePromoted && next.Phase != PhasePromoted:
		fail("promoted is final")
	case old.Attempt == next.Attempt && next.Step < old.Step && !next.Bake && (old.Policy.Ramp != nil) == (next.Policy.Ramp != nil) &&
		!steppedBack(&old, &next, before, after):
		fail("a step was taken back")
	case next.Attempt != old.Attempt && old.ID != "" && old.Phase != PhaseRolledBack:
		fail("another attempt without a rollback")
	case next.Attempt != old.Attempt && next.Setbacks.Retried > next.Spec.Policy.Retries:
		fail("too many retries by itself")
	case (next.Pause != "") != (next.Phase == PhasePaused):
		fail("a pause is the reason of a paused rollout and of no other")
	case next.Hold != "" && next.Phase != PhaseProgressing && next.Phase != PhaseBaking && next.Hold != HoldStore:
		fail("a hold without a clock")
	case next.Clock < old.Clock && next.Entered.Equal(old.Entered) && old.Pause != PauseFailed && len(next.Partial.Gone) == len(old.Partial.Gone):
		fail("the clock ran backwards")
	case next.Manual != nil && next.Phase != PhasePaused:
		fail("a weight set by hand outlived its pause")
	case len(next.History) > historyLimit:
		fail("the history is too long")
	case next.Phase == PhaseRolledBack && old.Phase != PhaseRolledBack && next.Override == next.Spec.Canary:
		fail("a rollback left an override to the canary")
	}
}

// checkActions holds the order of store and apply.
func checkActions(actions []Action, next State, before, after Split, fail func(string)) {
	place := map[ActionKind]int{}
	for i, a := range actions {
		if _, twice := place[a.Kind]; twice && a.Kind != ActionAnnounce && a.Kind != ActionNewStep {
			fail("an action is there twice: " + a.Kind.String())
		}
		place[a.Kind] = i
		if a.Kind == ActionSplit && a.Split != next.split() {
			fail("the ordered split is not that of the state")
		}
	}
	split, moved := place[ActionSplit]
	first, storesFirst := place[ActionStoreFirst]
	store, stores := place[ActionStore]
	revoke, revokes := place[ActionRevoke]
	switch {
	case moved != after.differs(before):
		fail("a split is ordered if and only if it is another one")
	case moved && storesFirst != after.raises(before):
		fail("what exposes more is stored first, and nothing else is")
	case storesFirst && (first != 0 || stores):
		fail("what is stored first is stored once, before everything else")
	case moved && !storesFirst && (!stores || store < split):
		fail("what exposes fewer is stored after it was done")
	case (after.RolledBack && !before.RolledBack) != revokes:
		fail("a rollback, and nothing else, revokes")
	case revokes && revoke != 0:
		fail("a rollback revokes before everything else")
	}
}

// raises is checked against what it means: some user may be on the canary who was not.
func TestRaisesAgainstItsMeaning(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	shares := []config.Percent{0, 1, config.Whole / 2, config.Whole}
	random := func() Split {
		d := Split{Stable: "v1", Canary: "v2", Weight: shares[r.IntN(4)]}
		if r.IntN(2) == 0 {
			d.Segment, d.Strength = []string{"staff", "beta"}[r.IntN(2)], shares[1+r.IntN(3)]
		}
		d.Override = []string{"", "", "v1", "v2"}[r.IntN(4)]
		if r.IntN(5) == 0 {
			d = Split{Stable: "v1", Canary: "v2", RolledBack: true, Override: d.Override}
		}
		return d
	}
	for range 20_000 {
		before, after := random(), random()
		exposed := false
		for segment := range 3 { // a user is in staff, beta, or neither
			for draw := 1; draw < len(shares); draw++ {
				exposed = exposed || after.takes(segment, draw, shares) && !before.takes(segment, draw, shares)
			}
		}
		if exposed && !after.raises(before) {
			t.Fatalf("from %+v\nto   %+v raises", before, after)
		}
	}
}

// takes says whether a user of a segment with a draw between shares[draw-1] and shares[draw] is on the canary.
func (d Split) takes(segment, draw int, shares []config.Percent) bool {
	if d.Override != "" {
		return d.Override == d.Canary
	}
	if d.Segment == "staff" && segment == 1 || d.Segment == "beta" && segment == 2 {
		return d.Strength >= shares[draw]
	}
	return d.Weight >= shares[draw]
}
