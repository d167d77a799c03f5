package rollout

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// ErrNotJudged says that there is nothing to judge now. Test for it with errors.Is.
var ErrNotJudged = errors.New("nothing is judged now")

// Posts is what is remembered of numbers that were posted, and its JSON.
type Posts struct {
	// Keys are the last idempotency keys, oldest first: what comes with one of them has been taken.
	Keys []string `json:"keys,omitempty"`
}

const (
	// keysKept is how many idempotency keys are remembered of a rollout.
	keysKept = 64
	// reportsMost bounds what waits for the next look at a rollout.
	reportsMost = 256
	// largestTotal bounds one post: more than this is a mistake.
	largestTotal = 1e12
)

// Post is totals of one variant that are posted, what came since the last post: Good of Total for a ratio, Sum and Count for a mean.
type Post struct {
	// Metric is the name of the metric, Variant the variant that the totals are of.
	Metric  string
	Variant string
	// Good of Total is for a ratio.
	Good, Total uint64
	// Sum over Count is for a mean.
	Sum   float64
	Count uint64
	// Key is an idempotency key, of at most 200 bytes; empty for none. A post with a key that came before is not taken again.
	Key string
}

// Post takes totals of a business metric. The error is ErrUnknown without a rollout, ErrNotJudged while nobody is on the canary, or
// ErrBadCommand. again says that the key came before: nothing was taken. What was taken is stored with the evidence, within seconds.
func (m *Manager) Post(service string, p Post) (again bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.runners[service]
	if r == nil || !r.awake() {
		return false, fmt.Errorf("service %q: %w", service, ErrUnknown)
	}
	check, known := r.state.Policy.Checks.Metrics[p.Metric]
	if !known || check.Source != config.SourcePosted {
		return false, fmt.Errorf("%w: the policy %s has no metric %q of source posted", ErrBadCommand, r.state.PolicyName, p.Metric)
	}
	report, err := p.report(&r.state, &check)
	if err != nil {
		return false, err
	}
	if p.Key != "" && slices.Contains(r.state.Posts.Keys, p.Key) {
		return true, nil
	}
	if !r.state.Phase.exposing() {
		return false, fmt.Errorf("service %q is %s: %w", service, r.state.Phase, ErrNotJudged)
	}
	if err := r.report(report); err != nil {
		return false, err
	}
	if p.Key != "" {
		keys := append(slices.Clone(r.state.Posts.Keys), p.Key)
		r.state.Posts.Keys = keys[max(0, len(keys)-keysKept):]
		r.evidence.keyed++
		r.changed = true
	}
	return false, nil
}

// report is the post as the judge hears it.
func (p *Post) report(s *State, check *config.MetricCheck) (analysis.Report, error) {
	var sums analysis.Sums
	bad := func(format string, args ...any) (analysis.Report, error) {
		return analysis.Report{}, fmt.Errorf("%w: %s", ErrBadCommand, fmt.Sprintf(format, args...))
	}
	switch low, high := float64(check.Smallest), float64(check.Largest); {
	case check.Kind == config.KindRatio && (p.Count != 0 || p.Sum != 0):
		return bad("a ratio is posted as good and total")
	case check.Kind == config.KindRatio && (p.Good > p.Total || p.Total > largestTotal):
		return bad("good (%d) is more than total (%d), or total more than %.0f", p.Good, p.Total, float64(largestTotal))
	case check.Kind == config.KindRatio:
		sums = analysis.Sums{Count: p.Total, Sum: float64(p.Good)}
	case p.Good != 0 || p.Total != 0:
		return bad("a mean is posted as sum and count")
	case p.Count > largestTotal || math.IsNaN(p.Sum) || p.Sum < low*float64(p.Count) || p.Sum > high*float64(p.Count):
		return bad("a sum of %v over %d is not between smallest (%s) and largest (%s)", p.Sum, p.Count, check.Smallest, check.Largest)
	default:
		sums = analysis.Sums{Count: p.Count, Sum: (p.Sum - low*float64(p.Count)) / (high - low)}
	}
	switch p.Variant {
	case s.Spec.Canary:
		return analysis.Report{Feed: p.Metric, Canary: sums}, nil
	case s.Spec.Stable:
		return analysis.Report{Feed: p.Metric, Stable: sums}, nil
	}
	return bad("the rollout is of %s and %s, not of %q", s.Spec.Stable, s.Spec.Canary, p.Variant)
}

// report keeps a report for the next look.
func (r *runner) report(one analysis.Report) error {
	if len(r.evidence.reports) >= reportsMost {
		return fmt.Errorf("%d reports wait already: %w", reportsMost, ErrNotJudged)
	}
	r.evidence.reports = append(r.evidence.reports, one)
	return nil
}

// takeReports tells the judge what was reported since the last look.
func (r *runner) takeReports(now time.Time) {
	for _, one := range r.evidence.reports {
		r.judge.Take(now, one)
	}
	r.evidence.reports, r.evidence.keyed = nil, 0
}

// judged is a state without the keys of posts that the judge has not heard yet: what is stored knows either both or neither.
func (r *runner) judged(s *State) *State {
	if r.evidence.keyed == 0 {
		return s
	}
	stored := *s
	stored.Posts.Keys = stored.Posts.Keys[:max(0, len(stored.Posts.Keys)-r.evidence.keyed)]
	return &stored
}

// Query is a business metric that a Prometheus is to be asked for.
type Query struct {
	// Service is the service and Rollout its rollout, of this attempt.
	Service string
	Rollout string
	// Metric is the name of the metric; Stable and Canary are the variants to ask for.
	Metric string
	Stable string
	Canary string
	// Check is the metric: its queries, and how often they are asked.
	Check config.MetricCheck
}

// Queries are the metrics of source prometheus of all rollouts that have users on their canary.
func (m *Manager) Queries() []Query {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Query
	for _, r := range m.runners {
		if !r.awake() || !r.state.Phase.exposing() {
			continue
		}
		for _, name := range metricNames(&r.state.Policy.Checks) {
			check := r.state.Policy.Checks.Metrics[name]
			if check.Source == config.SourcePrometheus {
				list = append(list, Query{
					Service: r.name, Rollout: drawID(r.state.ID, r.state.Attempt), Metric: name,
					Stable: r.state.Spec.Stable, Canary: r.state.Spec.Canary, Check: check,
				})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Query) int { return strings.Compare(a.Service, b.Service) })
	return list
}

// Reading is what a Prometheus said to a Query, or why it said nothing.
type Reading struct {
	// Problem says why there is no answer, for people; empty when there is one.
	Problem string
	// Canary and Stable are Good of Total since the last answer, of a ratio; CanaryValue and StableValue are for a value.
	Canary, Stable           Totals
	CanaryValue, StableValue float64
}

// Totals is so many of so many.
type Totals struct{ Good, Total uint64 }

// Read takes the answer to a query. One to a rollout that is over, or to a metric that is another one by now, is dropped.
func (m *Manager) Read(q Query, a Reading) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.runners[q.Service]
	if r == nil || !r.awake() || !r.state.Phase.exposing() || drawID(r.state.ID, r.state.Attempt) != q.Rollout ||
		r.state.Policy.Checks.Metrics[q.Metric] != q.Check {
		return
	}
	one := analysis.Report{Feed: q.Metric, Problem: a.Problem, CanaryValue: a.CanaryValue, StableValue: a.StableValue}
	one.Canary = analysis.Sums{Count: a.Canary.Total, Sum: float64(min(a.Canary.Good, a.Canary.Total))}
	one.Stable = analysis.Sums{Count: a.Stable.Total, Sum: float64(min(a.Stable.Good, a.Stable.Total))}
	// A full box is emptied by the next look, and the next answer comes soon: this one is less evidence, and nothing else.
	_ = r.report(one)
}
