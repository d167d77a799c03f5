package app

import (
	"time"

	"haldane/admin"
	"haldane/config"
	"haldane/rollout"
)

// drillResult is what is measured.
type drillResult struct{ admin.Drill }

// decided notes the decision.
func (r *drillResult) decided(e *rollout.Event, since time.Time) {
	r.RolledBack, r.Trigger, r.Rule = true, string(e.Trigger), e.Reason
	if e.Numbers != "" {
		r.Rule += ": " + e.Numbers
	}
	r.Verdict = drillSpan(since, e.Time)
}

// measure notes what the sides have seen, once nothing runs any more.
func (r *drillResult) measure(d *drill) {
	broken := d.sides[1]
	r.Requests = d.sides[0].count() + broken.count()
	r.Canary, r.Failures = broken.count(), broken.failures()
	first := broken.firstFailure()
	r.Exposed = drillSpan(broken.first(), first)
	select {
	case at := <-d.revoked:
		r.Revocation = drillSpan(first, at)
		r.Last = drillSpan(first, broken.last())
		r.After = broken.after(at.Add(drillGrace))
	default:
	}
}

// words are the result in the audit.
func (r *drillResult) words() string {
	if !r.RolledBack {
		return "not rolled back"
	}
	return "rolled back after " + r.Revocation.String()
}

// drillSpan is the time between two moments; zero when one of them has not come.
func drillSpan(from, to time.Time) config.Duration {
	if from.IsZero() || to.IsZero() {
		return 0
	}
	return config.Duration(max(0, to.Sub(from)).Round(100 * time.Microsecond))
}
