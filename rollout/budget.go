package rollout

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"haldane/config"
	"haldane/report"
	"haldane/stats"
)

// Loss is a kind of budget, as a word for metrics.
type Loss string

// The kinds of budgets, in their order.
const (
	// LossFailed is failed canary requests.
	LossFailed Loss = "failed_requests"
	// LossExcess is failures beyond what stable's rate would have given.
	LossExcess Loss = "excess_failures"
	// LossSlow is slow canary requests.
	LossSlow Loss = "slow_requests"
	// LossUsers is users on the canary.
	LossUsers Loss = "exposed_users"
)

// words are what is counted, after a number.
func (l Loss) words() string {
	switch l {
	case LossExcess:
		return "canary failures beyond stable's rate"
	case LossSlow:
		return "slow canary requests"
	case LossUsers:
		return "users on the canary"
	}
	return "failed canary requests"
}

// limitsOf are the limits of a policy's budget.
func limitsOf(b *config.Budget) stats.Limits {
	count := func(n int) uint64 { return uint64(max(0, n)) }
	return stats.Limits{
		Failed: count(b.FailedRequests), Excess: count(b.ExcessFailures),
		Slow: count(b.SlowRequests), SlowAfter: max(0, time.Duration(b.SlowAfter)),
		Users: count(b.ExposedUsers), UsersEnd: b.OnExposed == config.FailureRollBack,
	}
}

// LossView is one kind of a budget.
type LossView struct {
	// Kind says what is counted.
	Kind Loss `json:"kind"`
	// Limit is where it ends, or where a person is asked. Spent is how much there was, Left what is left; parts of an excess
	// count as a whole one.
	Limit uint64 `json:"limit"`
	Spent uint64 `json:"spent"`
	Left  uint64 `json:"left"`
}

// String is what was spent of it.
func (v LossView) String() string {
	return fmt.Sprintf("%d of %d %s", v.Spent, v.Limit, v.Kind.words())
}

// losses are the kinds that the policy bounds, in their order.
func (s *State) losses() []LossView {
	limits := limitsOf(&s.Policy.Budget)
	list := []LossView{}
	add := func(kind Loss, limit, spent uint64) {
		if limit > 0 {
			list = append(list, LossView{Kind: kind, Limit: limit, Spent: spent, Left: limit - min(limit, spent)})
		}
	}
	add(LossFailed, limits.Failed, s.Spent)
	add(LossExcess, limits.Excess, wholePart(s.Setbacks.Losses.Excess))
	add(LossSlow, limits.Slow, s.Setbacks.Losses.Slow)
	add(LossUsers, limits.Users, s.Setbacks.Losses.Users)
	return list
}

// wholePart is the whole ones in an excess: a limit is reached by a whole one, and not before.
func wholePart(excess float64) uint64 { return uint64(max(0, excess+1e-9)) }

// bankrupt says which kind of the budget is spent, so that the rollout must end; empty for none.
func (s *State) bankrupt() string {
	limits := limitsOf(&s.Policy.Budget)
	if !limits.Exhausted(s.Spent, s.Setbacks.Losses) {
		return ""
	}
	for _, loss := range s.losses() {
		if loss.Left == 0 && (loss.Kind != LossUsers || limits.UsersEnd) {
			return "the budget is spent: " + strconv.FormatUint(loss.Spent, 10) + " " + loss.Kind.words() +
				", allowed are " + strconv.FormatUint(loss.Limit, 10)
		}
	}
	return ""
}

// crowded says that so many users are on the canary that a person must say whether there may be more; empty when there may.
//
// It does not roll back: they are exposed already, and to be sent back is a change of version more for each of them. And nobody
// who is drawn is turned away, because the users on both sides would no longer be alike, and what is compared would be
// worth nothing. So it is the weight that stands still, until a person lets it grow.
func (s *State) crowded() string {
	limit := uint64(max(0, s.Policy.Budget.ExposedUsers))
	if limit == 0 || s.Setbacks.Accepted || s.Setbacks.Losses.Users < limit {
		return ""
	}
	return fmt.Sprintf("the budget is spent: %d users on the canary, allowed are %d", s.Setbacks.Losses.Users, limit)
}

// budgetView shows the budget.
func (s *State) budgetView() BudgetView {
	b := BudgetView{Limit: uint64(max(0, s.Policy.Budget.FailedRequests)), Spent: s.Spent, Kinds: s.losses()}
	b.Left = b.Limit - min(b.Limit, b.Spent)
	return b
}

// Words are what is left of each kind, for people: "7 of 10", and what, when it is not failed requests alone; empty without a
// limit.
func (b *BudgetView) Words() string {
	var parts []string
	for _, k := range b.Kinds {
		text := fmt.Sprintf("%d of %d", k.Left, k.Limit)
		if len(b.Kinds) > 1 || k.Kind != LossFailed {
			text += " " + strings.ReplaceAll(string(k.Kind), "_", " ")
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// reportBudget is the budget in a report.
func reportBudget(s *State) report.Budget {
	b := report.Budget{Limit: uint64(max(0, s.Policy.Budget.FailedRequests)), Spent: s.Spent}
	for _, k := range s.losses() {
		b.Kinds = append(b.Kinds, report.Loss{Kind: string(k.Kind), Words: k.Kind.words(), Limit: k.Limit, Spent: k.Spent})
	}
	return b
}

// spent is what the rollout has cost by now.
func (e *evidence) spent(s *State) (failed uint64, losses stats.Losses) {
	budget := e.service.Budget()
	return max(s.Spent, budget.Spent()), budget.Losses()
}

// spends says whether it has cost something since the last look.
func (e *evidence) spends(s *State) bool {
	failed, losses := e.spent(s)
	return failed != s.Spent || losses != s.Setbacks.Losses
}

// arm begins the budget of the rollout's policy, with the users that were on the canary before. The trip runs on the goroutine
// of the request that reached the limit.
func (m *Manager) arm(r *runner, crowd []byte) {
	if r.tie == nil {
		r.tie = &tie{}
	}
	name, tied := r.name, r.tie
	tied.fell.Store(nil)
	spent := r.evidence.service.Budget().Arm(stats.Arming{
		Limits: limitsOf(&r.state.Policy.Budget), Spent: r.state.Spent, Losses: r.state.Setbacks.Losses, Crowd: crowd,
		Trip: func() {
			m.options.Splitter.Revoke(name)
			tied.trip(name, m.options.Splitter)
			m.signal()
		},
		Tell: m.signal,
	})
	if spent {
		m.signal()
	}
}
