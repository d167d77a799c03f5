//go:build !race

package rollout

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
	"haldane/stats"
	"haldane/store"
)

// killRig is a manager whose loop the test turns, and a note of when something was stored.
type killRig struct {
	*rig
	beats  int
	stored int // the beat in which something was stored last
}

func newKillRig(t *testing.T, spec Spec) *killRig {
	k := &killRig{rig: newRig(t)}
	k.store.Store = &noting{Store: k.store.Store, note: func() { k.stored = k.beats }}
	k.reboot()
	k.configure(spec)
	k.Manager.stored = time.Now()
	k.stored = -1 // before the first beat
	return k
}

// noting tells when something was stored.
type noting struct {
	store.Store
	note func()
}

func (n *noting) Save(records []store.Record) error {
	err := n.Store.Save(records)
	if err == nil {
		n.note()
	}
	return err
}

// request is a request as a client draws it, whatever the split makes of it.
type request struct {
	draw    uint64
	segment bool
	bad     float64 // it fails where the share of failures is above this
	takes   time.Duration
}

// instant is the requests and the command of one beat.
type instant struct {
	requests []request
	command  *Command
}

// life is a random life of a rollout, the same for everybody who plays it.
type life struct {
	spec              Spec
	instants          []instant
	canaryBad, stable float64
	canarySlow        float64
}

func newLife(r *rand.Rand, beats int) *life {
	l := &life{spec: quickSpec("shop", 10*onePercent, 30*onePercent, 50*onePercent), stable: 0.05 * r.Float64(), canarySlow: 1 + r.Float64()/2}
	l.canaryBad = l.stable * (0.5 + 1.5*r.Float64())
	for i := range l.spec.Policy.Steps {
		step := &l.spec.Policy.Steps[i]
		step.Duration, step.MaxDuration = config.Duration(time.Hour), config.Duration(2*time.Hour) // commands move it
		if r.IntN(3) == 0 {
			step.Segment, step.Strength = "staff", config.Whole/4
		}
	}
	if r.IntN(2) == 0 { // the first one is left by itself, if nothing leans to harm
		l.spec.Policy.Steps[0].Duration = config.Duration(5*time.Second) + config.Duration(r.IntN(40))*config.Duration(tickEvery)
	}
	l.spec.Policy.Bake.Duration = config.Duration(time.Hour)
	l.spec.Policy.Checks.WarmUp = config.Duration(r.IntN(20)) * config.Duration(time.Second)
	rate := 20 + r.IntN(400)
	for range beats {
		var i instant
		for range r.IntN(rate/2 + 1) {
			i.requests = append(i.requests, request{
				draw: r.Uint64(), segment: r.IntN(5) == 0, bad: r.Float64(), takes: time.Duration(5e6 + 4e7*r.ExpFloat64()),
			})
		}
		if r.IntN(40) == 0 {
			kinds := []CommandKind{CommandPromote, CommandPause, CommandResume, CommandSetWeight}
			i.command = &Command{Kind: kinds[r.IntN(len(kinds))], Weight: config.Percent(1+r.IntN(60)) * onePercent}
		}
		l.instants = append(l.instants, i)
	}
	return l
}

// play lets one beat pass; nothing happens in it when i is nil.
func (k *killRig) play(l *life, i *instant) {
	if i != nil {
		for n := range i.requests {
			k.receive(l, &i.requests[n])
		}
	}
	time.Sleep(tickEvery)
	if i != nil && i.command != nil {
		_, _ = k.Do("shop", *i.command) // what is not possible is not done, by anybody
	}
	k.beat(time.Now())
	k.beats++
}

func (k *killRig) receive(l *life, q *request) {
	split := k.journal.split("shop")
	share, stratum := split.Weight, stratumSplit
	if q.segment && split.Segment != "" {
		share, stratum = split.Strength, stratumSegment
	}
	threshold, all := share.Fraction()
	name, bad, takes := split.Stable, l.stable, float64(q.takes)
	if all || q.draw < threshold {
		name, bad, takes = split.Canary, l.canaryBad, takes*l.canarySlow
	}
	record := stats.Record{Outcome: stats.OutcomeOK, Status: 200, FirstByte: time.Duration(takes), Lane: stats.Judged(stratum, split.Revision)}
	if q.bad < bad {
		record.Outcome, record.Status = stats.OutcomeServerError, 500
	}
	v := k.stats.Service("shop").Variant(name)
	v.Begin(q.draw).End(record)
}

func (k *killRig) verdict() string {
	v, _ := k.View("shop")
	if len(v.Verdict.Checks) == 0 { // nobody was asked yet
		v.Verdict = k.Manager.runners["shop"].judge.Verdict()
	}
	text, err := json.MarshalIndent(v.Verdict, "", " ")
	if err != nil {
		k.t.Fatal(err)
	}
	return string(text)
}

// A process that is killed at any moment and started again has the verdict of one that was never killed and did not see what
// came after the last checkpoint: every number, at once and for as long as it goes on. The checkpoint is no older than
// five seconds.
func TestKilledVerdictIsThatOfAnUninterruptedRun(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 8
	}
	moved, failed, apart := 0, 0, 0
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 44))
		l := newLife(r, 420)
		alive := 1 + r.IntN(300)
		first := int(time.Duration(l.spec.Policy.Steps[0].Duration) / tickEvery)
		if first < 300 && r.IntN(2) == 0 {
			alive = first + 1 + r.IntN(4) // it has just left the first step
		}
		gone := 1 + r.IntN(100) // beats until it is there again

		var killed, calm lived
		synctest.Test(t, func(t *testing.T) { killed = playKilled(t, l, alive, gone) })
		synctest.Test(t, func(t *testing.T) { calm = playCalm(t, l, killed.stored+1, alive, gone) })
		if forgotten, limit := alive-1-killed.stored, int(checkpointEvery/tickEvery); forgotten > limit && killed.live {
			t.Fatalf("seed %d: %d beats are forgotten, at most %d may be", seed, forgotten, limit)
		}
		if !slices.Equal(calm.early.splits(), killed.early.splits()) {
			apart++ // one of them left its step in the silence
			continue
		}
		if diff := cmp.Diff(calm.then, killed.then); diff != "" {
			t.Fatalf("seed %d: after the restart (-uninterrupted +killed):\n%s", seed, diff)
		}
		if !slices.Equal(calm.end.splits(), killed.end.splits()) || first < 300 && killed.early.Step == 0 {
			apart++ // one of them left its step a little earlier, or looked more often because it might
			continue
		}
		if diff := cmp.Diff(calm.later, killed.later); diff != "" {
			t.Fatalf("seed %d: 30 s after the restart, %s (-uninterrupted +killed):\n%s", seed, killed.end.Phase, diff)
		}
		if killed.end.Step > 0 {
			moved++
		}
		if killed.end.Phase == PhaseRolledBack {
			failed++
		}
	}
	t.Logf("%d went beyond the first step, %d were rolled back, %d parted", moved, failed, apart)
	if moved == 0 || apart > int(seeds)/3 || failed == 0 || failed > int(seeds)*3/4 {
		t.Error("these lives are too much alike")
	}
}

// lived is what came of a life: the verdicts right after the restart and at the end.
type lived struct {
	then, later string
	early, end  View
	live        bool // whether it was not decided when it was killed
	stored      int  // the beat of the last checkpoint before the end of the first process
}

// playKilled plays so many beats, kills the process, is away for some, and plays the rest in another process.
func playKilled(t *testing.T, l *life, alive, gone int) (out lived) {
	k := newKillRig(t, l.spec)
	for n := range alive {
		k.play(l, &l.instants[n])
	}
	v, _ := k.View("shop")
	out.stored, out.live = k.stored, v.Phase.Live()
	k.reboot()
	time.Sleep(time.Duration(gone) * tickEvery)
	k.configure(l.spec)
	k.Manager.stored = time.Now()
	out.then = k.verdict()
	out.early, _ = k.View("shop")
	k.finish(l, alive, &out)
	return out
}

// playCalm plays the beats that were stored, none in the time after them, and the rest.
func playCalm(t *testing.T, l *life, stored, alive, gone int) (out lived) {
	k := newKillRig(t, l.spec)
	for n := range stored {
		k.play(l, &l.instants[n])
	}
	for range alive - stored + gone {
		k.play(l, nil)
	}
	out.then = k.verdict()
	out.early, _ = k.View("shop")
	k.finish(l, alive, &out)
	return out
}

// splits is when the split became another one.
func (v *View) splits() []int64 {
	var list []int64
	for _, e := range v.History {
		if !slices.Contains([]EventKind{EventRestored, EventHold, EventHoldEnded}, e.Kind) {
			list = append(list, e.Time.UnixNano())
		}
	}
	return list
}

func (k *killRig) finish(l *life, from int, out *lived) {
	for n := from; n < from+120; n++ {
		k.play(l, &l.instants[n])
	}
	out.later = k.verdict()
	out.end, _ = k.View("shop")
}
