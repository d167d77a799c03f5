package rollout

import (
	"fmt"
	"math"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// On a ramp the weight grows by itself: at most twofold, and not before
//
//   - the ramp's shortest time on a weight is over, enough requests were compared in all, and some at this weight;
//   - no check leans to harm, and neither variant is silent or failing just now: what also keeps a step;
//   - a canary that is as bad as could not be excluded yet would not be found too late.
//
// The last is what makes the difference between a ramp and steps. Be u the bad rate that the check of errors could have seen by
// now (analysis.CheckVerdict.Detectable): a worse canary would have failed in four of five cases, so u is the worst that is
// not excluded; 1 at the beginning. Be n(w, r) the canary requests that it takes to find a canary with the rate r at the weight
// w in four of five cases (analysis.Plan.Finds, times the size of the clusters that failures come in), R all requests a
// second, and T the time before which nothing is found: as many burst windows as must speak against a canary, and two looks. How
// many failures a find costs hardly depends on the weight, because evidence counts requests and not time; what grows with the
// weight are the failures of the time T. Hence the two conditions on a new weight w:
//
//   - R w T <= n(w, u): no more requests are spent before anything can be found than finding takes anyhow;
//   - max(r n(w, r), u R w T) <= left, with r = max(u, the gross rate): the failures until it is found can be paid by what is left
//     of the budget, or by the ramp's max_failures. Below the gross rate (see enough.go) nobody waits for a proof, so
//     more evidence does not make a find dearer than that.
//
// Evidence survives a change of weight, and the revision of the split that comes with it. So a good canary is at the end after
// log2(to/from) times the shortest time, while thin traffic or a small budget make the ramp slow without being told to.

// ramp is where a rollout is on its ramp.
type ramp struct {
	// Weight is the one it has come to.
	Weight config.Percent `json:"weight,omitempty"`
	// At is the clock of the step when it came there, Judged how many canary requests had been compared on the step.
	At     time.Duration `json:"at,omitempty"`
	Judged uint64        `json:"judged,omitempty"`
}

// climbing says whether the rollout is on a ramp, and not at its end.
func (s *State) climbing() bool {
	return s.Policy.Ramp != nil && !s.Bake && s.Phase.exposing() && s.Staging.Ramp.Weight < s.Policy.Ramp.To
}

// least is the clock before which the stage is not left, nor its weight raised.
func (s *State) least() time.Duration {
	d := time.Duration(s.stage().Duration)
	if s.Policy.Ramp != nil && !s.Bake {
		d += s.Staging.Ramp.At
	}
	return d
}

// grow raises the weight of a ramp, if it may. It says whether it did.
func (c *change) grow() bool {
	if c.rejoin() {
		return true
	}
	next, _ := c.s.growth(c.now)
	if next == 0 || c.s.Clock >= c.s.Deadline || !c.agreed(config.HookConfirmTrafficIncrease) || !c.mayStore() {
		return false
	}
	c.forgetYes()
	why := cause{reason: fmt.Sprintf("the ramp grows from %s to %s", c.s.Staging.Ramp.Weight, next), numbers: c.s.Verdict.Sentence()}
	c.s.Staging.Ramp = ramp{Weight: next, At: c.s.Clock, Judged: c.s.StepJudged}
	c.s.Pace = pace{}
	c.clearHold()
	c.s.Reason = why.reason
	c.event(EventRamp, why)
	return true
}

// rejoin brings a changed policy into force where the weight could grow: what a step is to other policies, a weight is to a ramp.
// Another ramp goes on from the weight of this one, and lowers it if it must; steps begin where the ramp might have grown.
func (c *change) rejoin() bool {
	next := &c.s.Spec.Policy
	if !c.s.climbing() || c.s.Clock < c.s.least() || c.s.current() || !c.mayStore() {
		return false
	}
	why := cause{reason: "the changed policy applies", numbers: c.s.Verdict.Sentence()}
	weight := c.s.Staging.Ramp.Weight
	if next.Ramp != nil {
		c.enter(0)
		c.s.Staging.Ramp.Weight = min(weight, next.Ramp.To)
		c.s.Reason = why.reason
		c.event(EventRamp, why)
		return true
	}
	if grown, _ := c.s.growth(c.now); grown == 0 || !c.agreed(config.HookConfirmTrafficIncrease) {
		return false
	}
	step, _ := c.s.nextStep()
	c.enter(step)
	c.s.Reason = why.reason
	c.event(EventStep, why)
	return true
}

// growth is the weight that the ramp may grow to now; zero for none. why says what keeps it when only the risk does.
func (s *State) growth(now time.Time) (next config.Percent, why string) {
	at := &s.Staging.Ramp
	stage := s.stage()
	switch {
	case !s.climbing() || s.Clock < s.least():
	case s.StepJudged < uint64(max(1, stage.MinRequests)) || s.StepJudged <= at.Judged:
	case len(s.harmful(&stage)) > 0 || len(s.waitsForLife(now)) > 0:
	default:
		r, known := s.risk(now)
		if !known {
			return 0, ""
		}
		return r.farthest(at.Weight, s.Policy.Ramp.To)
	}
	return 0, ""
}

// harmful lists which checks lean to harm.
func (s *State) harmful(stage *config.Step) []string {
	plain := *stage
	plain.AdvanceWhen = config.AdvanceNoRegression
	return s.waitsForChecks(plain, func(*analysis.CheckVerdict) bool { return true })
}

// waitsForRamp says how far a ramp has come, and what keeps it if it is the risk.
func (s *State) waitsForRamp(now time.Time) []string {
	if !s.climbing() {
		return nil
	}
	text := fmt.Sprintf("the ramp is at %s, on its way to %s", s.Staging.Ramp.Weight, s.Policy.Ramp.To)
	if _, why := s.growth(now); why != "" {
		text += ": " + why
	}
	return []string{text}
}

// looks is the time that two looks take.
const looks = 2 * tickEvery

// risk is what is known of the failures that a canary may cost.
type risk struct {
	settings     analysis.Settings
	stable       float64 // the share of stable's requests that fail
	worst, gross float64 // the worst share of the canary's that is not excluded, and the one that nobody wants to overlook
	clusters     float64 // how many failures make one piece of evidence
	perSecond    float64 // requests of both variants
	delay        time.Duration
	left         float64 // failures that may be risked; +Inf for any number
}

// risk is that of the moment. It is not known without traffic.
func (s *State) risk(now time.Time) (risk, bool) {
	e := &s.Policy.Checks.Errors
	r := risk{
		settings: s.settings(), worst: 1, gross: 1, clusters: 1, perSecond: s.Pace.both(now),
		delay: time.Duration(e.Window)*time.Duration(e.Windows) + looks, left: math.Inf(1),
	}
	for i := range s.Verdict.Checks {
		if c := &s.Verdict.Checks[i]; c.Name == checkErrors {
			r.stable, r.gross, r.clusters = c.StableRate, c.Gross, max(1, c.Clusters)
			if c.Detectable > 0 {
				r.worst = c.Detectable
			}
		}
	}
	for _, loss := range s.losses() {
		if loss.Kind == LossFailed || loss.Kind == LossExcess {
			r.left = min(r.left, float64(loss.Left))
		}
	}
	if most := s.Policy.Ramp.MaxFailures; most > 0 {
		r.left = min(r.left, float64(most))
	}
	return r, r.perSecond > 0
}

// finds is the number of canary requests that it takes to find a canary with the rate at the weight; +Inf when it is not found.
func (r *risk) finds(weight, rate float64) float64 {
	f, known := r.settings.ForecastFind(checkErrors, weight, r.stable, rate, r.perSecond)
	if !known {
		return math.Inf(1)
	}
	return r.clusters * f.Requests
}

// cost is the failures until a canary is found that is as bad as is not excluded, at the weight.
func (r *risk) cost(weight float64) float64 {
	rate := max(r.worst, r.gross)
	return max(rate*r.finds(weight, rate), r.worst*r.early(weight))
}

// early is the canary requests before which nothing is found.
func (r *risk) early(weight float64) float64 { return r.perSecond * weight * r.delay.Seconds() }

// bears says whether the weight may be tried.
func (r *risk) bears(weight config.Percent) bool {
	w := weight.Ratio()
	return r.early(w) <= r.finds(w, r.worst) && r.cost(w) <= r.left
}

// rampParts is how finely the way to twice a weight is divided.
const rampParts = 8

// farthest is the largest weight that may be tried, at most twice the present one and at most the end of the ramp. Without one it
// is zero, and why says what it would cost.
func (r *risk) farthest(weight, to config.Percent) (next config.Percent, why string) {
	smallest := to
	for part := rampParts; part > 0; part-- {
		w := min(to, plainWeight(float64(weight)*math.Exp2(float64(part)/rampParts)))
		if part == rampParts {
			w = min(to, 2*weight)
		}
		if w <= weight {
			continue
		}
		if smallest = w; r.bears(w) {
			return w, ""
		}
	}
	text := fmt.Sprintf("a canary that fails %s of its requests is not excluded yet, and would cost about %s failures at %s until it is found",
		share(r.worst), about(uint64(math.Ceil(min(1e15, r.cost(smallest.Ratio()))))), smallest)
	if !math.IsInf(r.left, 1) {
		text += fmt.Sprintf("; %s may be risked", about(uint64(r.left)))
	}
	return 0, text
}

// plainWeight is a weight rounded down to two digits that matter: weights are read by people.
func plainWeight(w float64) config.Percent {
	p := config.Percent(w)
	unit := config.Percent(1)
	for p/unit >= 100 {
		unit *= 10
	}
	return p / unit * unit
}

// RampView is a ramp as people and programs see it.
type RampView struct {
	// From and To are its first and its last weight.
	From config.Percent `json:"from"`
	To   config.Percent `json:"to"`
}

// rampView is that of the running step; nil without a ramp.
func (s *State) rampView() *RampView {
	r := s.Policy.Ramp
	if r == nil || s.Bake {
		return nil
	}
	return &RampView{From: r.From, To: r.To}
}

// rampStage is the index of the running stage in an unrolled policy.
func (s *State) rampStage(at int) int {
	if s.Policy.Ramp == nil {
		return at
	}
	steps := unrolled(s.Policy).Steps
	for i := range steps {
		if !s.Bake && steps[i].Weight >= s.Staging.Ramp.Weight {
			return i
		}
	}
	return len(steps)
}

// unrolled is a policy with the steps that its ramp takes when nothing keeps it, for forecasts.
func unrolled(p config.Policy) config.Policy {
	r := p.Ramp
	if r == nil {
		return p
	}
	one := p.Steady().Steps[0]
	p.Steps, p.Ramp = nil, nil
	for weight := r.From; ; weight = min(2*weight, r.To) {
		one.Name, one.Weight = "ramp "+weight.String(), weight
		p.Steps = append(p.Steps, one)
		one.MinRequests = 1 // of all weights together
		if weight >= r.To {
			return p
		}
	}
}
