package rollout

import (
	"testing"
	"time"

	"haldane/config"
	"haldane/stats"
)

// caution gives a policy random budgets, outcomes and cool-downs.
func (r *walk) caution(p *config.Policy) {
	p.Budget.ExcessFailures = r.IntN(2) * r.IntN(100)
	p.Budget.SlowRequests, p.Budget.SlowAfter = r.IntN(2)*r.IntN(1000), config.Duration(time.Second)
	p.Budget.ExposedUsers = r.IntN(2) * r.IntN(60)
	p.Budget.OnExposed = []string{"", config.FailurePause, config.FailureRollBack}[r.IntN(3)]
	p.CoolDown, p.Retries = config.Duration(r.IntN(60))*config.Duration(time.Second), r.IntN(3)
	words := []string{"", config.OnAdvance, config.OnHold, config.OnRollBack}
	p.Checks.Errors.On = config.Outcomes{Marginal: words[r.IntN(3)], Fail: words[r.IntN(4)], NoData: words[r.IntN(4)]}
	p.Checks.Errors.Muted = r.IntN(5) == 0
}

// losses grow, but for an excess that stable has made up for.
func (r *walk) losses() stats.Losses {
	l := r.state.Setbacks.Losses
	if !r.state.Phase.exposing() {
		return stats.Losses{}
	}
	l.Excess = max(0, l.Excess+r.Float64()-0.4)
	l.Slow += uint64(r.IntN(4))
	l.Users += uint64(r.IntN(4))
	return l
}

// steppedBack says whether a step was taken back as the policy says: from each stage once, and exposing nobody else.
func steppedBack(old, next *State, before, after Split) bool {
	n := len(next.Setbacks.Back)
	return old.Policy.OnFailure == config.FailureStepBack && !after.raises(before) && n == len(old.Setbacks.Back)+1 &&
		next.Setbacks.Back[n-1] == old.stageNumber() && next.Clock == 0 && next.Verdict.Class == 0
}

// Of random lives, some go back a step, some retry by themselves, some wait because of their users: the invariants are held where they
// matter.
func TestRandomLivesHaveSetbacks(t *testing.T) {
	seen := map[EventKind]int{}
	exposed, cooling := 0, 0
	for seed := range 40 {
		r := newWalk(seed)
		r.start(t)
		for range 400 {
			attempt := r.state.Attempt
			r.move(t, seed)
			if r.state.Attempt == attempt+1 && r.state.Setbacks.Retried > 0 {
				seen[EventRetried]++
			}
			if h := r.state.History; len(h) > 0 && h[len(h)-1].Kind == EventSteppedBack {
				seen[EventSteppedBack]++
			}
			if r.state.Pause == PauseExposed {
				exposed++
			}
			if r.state.cooling(r.now) > 0 {
				cooling++
			}
		}
	}
	if seen[EventRetried] == 0 || seen[EventSteppedBack] == 0 || exposed == 0 || cooling == 0 {
		t.Errorf("%v, %d moments of too many users, %d of a cool-down: too few to mean something", seen, exposed, cooling)
	}
}
