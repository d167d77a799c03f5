//go:build !race

package rollout

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"haldane/config"
	"haldane/store"
)

// mortal is the store of a process that is killed at one of its saves: right before it, or right after.
type mortal struct {
	store.Store
	t        *testing.T
	journal  *journal
	at       int  // the save at which it dies, from 1; zero for never
	survives bool // whether that save reaches the disk

	saves   int
	dead    bool
	decided State // what was to be stored when it died
	inForce Split // the split that requests were drawn with right then
}

func (m *mortal) Save(records []store.Record) error {
	if m.dead {
		return errKilled
	}
	m.saves++
	if m.saves != m.at {
		return m.Store.Save(records)
	}
	m.dead, m.inForce = true, m.journal.split("shop")
	read, err := decodeMemory(records[0].Value)
	if err != nil {
		m.t.Error(err)
		return err
	}
	m.decided = *read.State
	m.journal.mu.Lock()
	m.journal.refuse = errKilled // the dead set no split
	m.journal.mu.Unlock()
	if m.survives {
		if err := m.Store.Save(records); err != nil {
			m.t.Error(err)
		}
	}
	return errKilled
}

// bury puts the store back as the next process finds it.
func (m *mortal) bury(r *rig) {
	r.store.Store = m.Store
	m.journal.mu.Lock()
	defer m.journal.mu.Unlock()
	m.journal.refuse = nil
}

// doomed is a release of which the canary turns bad on its second step, or in its bake, and whose process is killed.
type doomed struct {
	*killRig
	*mortal
	spec   Spec
	before config.Percent // the weight before the beat in which it died
}

func newDoomed(t *testing.T, at int, survives bool) *doomed {
	d := &doomed{killRig: &killRig{rig: newRig(t)}, spec: quickSpec("shop", 5*onePercent, 50*onePercent)}
	d.mortal = &mortal{Store: d.rig.store.Store, t: t, journal: d.rig.journal, survives: survives}
	d.rig.store.Store = d.mortal
	d.reboot()
	d.configure(d.spec)
	d.mortal.saves, d.at = 0, at
	return d
}

// beats plays so many beats with a canary that fails this share, or until the process is dead.
func (d *doomed) beats(n int, bad float64) {
	for range n {
		if d.dead {
			return
		}
		d.before = d.rig.journal.split("shop").Weight
		for range 50 {
			d.request(traffic{service: "shop", canaryBad: bad})
		}
		time.Sleep(tickEvery)
		d.beat(time.Now())
	}
}

// A process that is killed between a decision and its storing, at any save of a release: the next one never exposes more than
// what was in force or was decided and stored, and goes on to the same end. What raises is stored before it is applied,
// what rolls back is applied before.
func TestKilledBetweenDecisionAndStore(t *testing.T) {
	happened := make(map[string]int)
	for at, more := 1, true; more; at++ {
		for _, survives := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				d := newDoomed(t, at, survives)
				d.beats(120, 0)
				d.beats(60, 0.5)
				if more = d.dead; !more {
					return
				}
				what := fmt.Sprintf("%s, stored %t", d.decision(), survives)
				happened[what]++
				d.outcome(what)
			})
		}
	}
	for _, kind := range []string{"raise", "rollback", "checkpoint"} {
		for _, survives := range []bool{false, true} {
			if what := fmt.Sprintf("%s, stored %t", kind, survives); happened[what] == 0 {
				t.Errorf("no %s: %v", what, happened)
			}
		}
	}
}

// decision is what was to be stored, with the order in which that is done.
func (d *doomed) decision() string {
	split := d.decided.split()
	switch {
	case split.RolledBack:
		if !d.inForce.RolledBack || d.inForce.Weight > 0 {
			d.mortal.t.Errorf("save %d: a rollback is stored while the split is %+v", d.at, d.inForce)
		}
		return "rollback"
	case split.Weight > d.before:
		if d.inForce.Weight != d.before {
			d.mortal.t.Errorf("save %d: a raise to %s is stored while the weight is %s and was %s", d.at, split.Weight, d.inForce.Weight, d.before)
		}
		return "raise"
	}
	return "checkpoint"
}

// outcome starts the next process, and plays on.
func (d *doomed) outcome(what string) {
	t := d.mortal.t
	limit := d.before
	if d.survives {
		limit = d.decided.split().Weight
	}
	d.bury(d.rig)
	d.reboot()
	got := d.configure(d.spec)[0]
	if got.Weight > limit || got.RolledBack != (d.survives && d.decided.split().RolledBack) {
		t.Errorf("save %d (%s): %+v after the restart, at most %s was allowed", d.at, what, got, limit)
	}
	then, _ := d.View("shop")
	d.dead = false
	d.beats(40, 0.5)
	if v := d.wantPhase("shop", PhaseRolledBack); v.Stage.Requests > then.Stage.Requests+500 {
		t.Errorf("save %d (%s): %d canary requests until the rollback", d.at, what, v.Stage.Requests-then.Stage.Requests)
	}
}
