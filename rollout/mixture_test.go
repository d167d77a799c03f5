//go:build !race

package rollout

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"haldane/config"
	"haldane/store"
)

// shaky is a store whose saves may fail, before the bytes are written or after.
type shaky struct {
	store.Store
	random *rand.Rand
	rate   float64
}

func (s *shaky) Save(records []store.Record) error {
	if s.random.Float64() >= s.rate {
		return s.Store.Save(records)
	}
	if s.random.IntN(2) == 0 {
		return errDisk
	}
	return errors.Join(errDisk, s.Store.Save(records))
}

// band is the random life of three services that are released together, and of one that comes after them.
type band struct {
	*rig
	r     *rand.Rand
	shaky *shaky
	specs []Spec
	bad   map[string]float64
	began map[string]string // service -> the rollout that was seen exposing
	// what the lives came to, so that a test of nothing is noticed
	promoted, fell, steps, restarts, late int
}

func newBand(t *testing.T, seed uint64) *band {
	b := &band{rig: newRig(t), r: rand.New(rand.NewPCG(seed, 5)), bad: map[string]float64{}, began: map[string]string{}}
	b.shaky = &shaky{Store: b.store.Store, random: b.r}
	b.store.Store = b.shaky
	b.reboot()
	for _, name := range []string{"cart", "ledger", "stock"} {
		spec := released(name, "core")
		spec.Policy.Budget.FailedRequests = b.r.IntN(2) * 20
		if b.r.IntN(4) == 0 {
			spec.Policy.OnFailure = config.FailurePause
		}
		spec.Policy.Steps[0].Approval = b.r.IntN(6) == 0
		b.specs = append(b.specs, spec)
	}
	b.specs = append(b.specs, released("shop", "", "cart"))
	b.configure(b.specs...)
	return b
}

// move is one beat, and perhaps something else.
func (b *band) move() {
	for _, spec := range b.specs {
		for range 12 {
			b.request(traffic{service: spec.Service, stableBad: 0.01, canaryBad: b.bad[spec.Service]})
		}
	}
	time.Sleep(tickEvery)
	switch n := b.r.IntN(200); {
	case n < 8:
		b.command()
	case n < 10: // kill -9, and another process
		b.restarts++
		b.reboot()
		b.configure(b.specs...)
	case n < 12:
		spec := &b.specs[b.r.IntN(len(b.specs))]
		spec.CanaryIdentity = fmt.Sprintf("r%d", b.r.IntN(1000))
		b.configure(b.specs...)
	case n < 13:
		spec := &b.specs[b.r.IntN(3)]
		if spec.Release = ""; b.r.IntN(2) == 0 {
			spec.Release = "core"
		}
		b.configure(b.specs...)
	case n < 15:
		b.bad[b.specs[b.r.IntN(len(b.specs))].Service] = []float64{0, 0, 0.01, 0.5}[b.r.IntN(4)]
	case n < 17:
		b.shaky.rate = []float64{0, 0, 0.5, 1}[b.r.IntN(4)]
	}
	b.beat(time.Now())
	b.check()
}

func (b *band) command() {
	list := []CommandKind{
		CommandStart, CommandPause, CommandResume, CommandResume, CommandPromote, CommandPromote, CommandPromoteFull, CommandAbort,
		CommandRetry, CommandRetry, CommandRetry, CommandSetWeight, CommandOverride, CommandClearOverride,
	}
	c := Command{Kind: list[b.r.IntN(len(list))], Weight: config.Percent(b.r.IntN(60)) * onePercent, Variant: "v1"}
	_, _ = b.Do(b.specs[b.r.IntN(len(b.specs))].Service, c) // what is not possible is not done, to anybody
	b.check()
}

// check holds what must be true of releases at any moment.
func (b *band) check() {
	b.t.Helper()
	groups := map[string][]*State{}
	for _, r := range b.runners {
		if !r.awake() {
			continue
		}
		s := &r.state
		if got := b.journal.split(r.name); got.Weight != s.split().Weight || got.RolledBack != s.split().RolledBack {
			b.t.Fatalf("%s is %s at %s, its traffic is at %s", r.name, s.Phase, s.split().Weight, got.Weight)
		}
		if s.bound() {
			groups[s.Spec.Release+"\n"+s.Unit.key()] = append(groups[s.Spec.Release+"\n"+s.Unit.key()], s)
		}
		b.begins(s)
	}
	for _, group := range groups {
		b.whole(group)
	}
}

// whole is what a release must be: one thing.
func (b *band) whole(group []*State) {
	b.t.Helper()
	first := group[0]
	for _, s := range group {
		if s.Phase != first.Phase || s.Step != first.Step || s.Bake != first.Bake || (s.Manual == nil) != (first.Manual == nil) {
			b.t.Fatalf("a mixture: %s is %s at %s, %s is %s at %s (%s; %s)", first.Spec.Service, first.Phase, first.position(),
				s.Spec.Service, s.Phase, s.position(), first.Reason, s.Reason)
		}
		if s.Override == "" && first.Override == "" && s.split().Weight != first.split().Weight {
			b.t.Fatalf("%s has %s, %s has %s", first.Spec.Service, first.split().Weight, s.Spec.Service, s.split().Weight)
		}
		for _, bond := range s.Unit.Bonds {
			if mate := b.find(bond.Service); s.Phase.exposing() && (mate == nil || drawID(mate.ID, mate.Attempt) != bond.Rollout) {
				b.t.Fatalf("%s goes on without %s", s.Spec.Service, bond.Service)
			}
		}
	}
}

// begins looks at who begins: what comes after cart begins when cart is promoted.
func (b *band) begins(s *State) {
	b.t.Helper()
	id := drawID(s.ID, s.Attempt)
	if !s.Phase.exposing() || b.began[s.Spec.Service] == id {
		return
	}
	b.began[s.Spec.Service] = id
	if cart := b.find("cart"); s.Spec.Service == "shop" && cart.Phase != PhasePromoted && cart.Created.Before(s.Started) {
		b.t.Fatalf("shop began while cart was %s", cart.Phase)
	}
}

// sum counts what came of a life.
func (b *band) sum() {
	for _, r := range b.runners {
		for _, e := range r.state.History {
			switch {
			case e.Kind == EventPromoted && r.state.bound():
				b.promoted++
			case e.Trigger == TriggerRelease:
				b.fell++
			case e.Kind == EventStep:
				b.steps++
			case e.Kind == EventStarted && r.name == "shop":
				b.late++
			}
		}
	}
}

// Whatever happens to the members of a release, commands, bad canaries, spent budgets, reloads, stores that fail, kill -9: they
// are never found in different places.
func TestAReleaseIsNeverAMixture(t *testing.T) {
	seeds := uint64(24)
	if testing.Short() {
		seeds = 10
	}
	var all band
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			b := newBand(t, seed)
			for range 500 {
				b.move()
			}
			b.sum()
			all.promoted, all.fell, all.steps, all.restarts, all.late =
				all.promoted+b.promoted, all.fell+b.fell, all.steps+b.steps, all.restarts+b.restarts, all.late+b.late
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d promoted, %d fell with others, %d steps, %d restarts, %d began after others", all.promoted, all.fell, all.steps, all.restarts, all.late)
	if all.promoted == 0 || all.fell == 0 || all.steps == 0 || all.restarts == 0 || all.late == 0 {
		t.Error("these lives are too much alike")
	}
}
