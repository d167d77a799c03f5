package rollout

import (
	"maps"

	"haldane/analysis"
)

// Trigger is what brought a rollback about, as a word for metrics.
type Trigger string

// The triggers.
const (
	// TriggerCheck is a check that failed.
	TriggerCheck Trigger = "check"
	// TriggerBudget is a spent budget.
	TriggerBudget Trigger = "budget"
	// TriggerOperator is a person's order.
	TriggerOperator Trigger = "operator"
	// TriggerState is a stored state that cannot be gone on from.
	TriggerState Trigger = "state"
	// TriggerRelease is another member of the release that was rolled back, or is gone.
	TriggerRelease Trigger = "release"
	// TriggerHook is a hook that ordered it, or refused too often.
	TriggerHook Trigger = "hook"
)

// Numbers counts what the rollouts of one service have done, in the life of this process.
type Numbers struct {
	// WeightChanges is how often the canary's weight changed.
	WeightChanges uint64
	// Runs is how often the judge was asked, by the class of its verdict.
	Runs map[analysis.Class]uint64
	// Rollbacks is how often a rollout was rolled back, by what brought it about.
	Rollbacks map[Trigger]uint64
}

// newNumbers begins at zero, with every word there is, so that the first of a kind is seen as a change.
func newNumbers() Numbers {
	return Numbers{
		Runs:      map[analysis.Class]uint64{analysis.Pass: 0, analysis.Marginal: 0, analysis.Fail: 0, analysis.NoData: 0},
		Rollbacks: map[Trigger]uint64{TriggerCheck: 0, TriggerBudget: 0, TriggerOperator: 0, TriggerState: 0, TriggerRelease: 0, TriggerHook: 0},
	}
}

// Numbers are those of all services with a rollout.
func (m *Manager) Numbers() map[string]Numbers {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string]Numbers, len(m.runners))
	for name, r := range m.runners {
		all[name] = Numbers{
			WeightChanges: r.numbers.WeightChanges,
			Runs:          maps.Clone(r.numbers.Runs),
			Rollbacks:     maps.Clone(r.numbers.Rollbacks),
		}
	}
	return all
}
