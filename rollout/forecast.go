package rollout

import (
	"math"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// Forecast is what a rollout under a policy can find out, stage by stage. It supposes a canary as good as stable, traffic as
// regular as its rate, failures that come one by one, and requests that are all drawn and counted.
type Forecast struct {
	// PerSecond is the requests a second of both variants, StableErrors stable's error rate.
	PerSecond    float64 `json:"requests_per_second"`
	StableErrors float64 `json:"stable_errors"`
	// Stages are the steps and, if there is one, the bake.
	Stages []StageForecast `json:"stages"`
	// Rises is how soon a canary that fails more often is found, at each weight of the steps.
	Rises []RiseForecast `json:"rises,omitempty"`
	// Takes is how long all of them take. Asks says that a person is asked on the way.
	Takes config.Duration `json:"takes"`
	Asks  bool            `json:"asks"`
}

// StageForecast is what a step, or the bake, can and cannot know by its end. Evidence adds up: it includes the stages before.
type StageForecast struct {
	// Name, Weight and Duration (the least) are the policy's.
	Name     string          `json:"name"`
	Weight   config.Percent  `json:"weight"`
	Duration config.Duration `json:"duration"`
	// Takes is how long it takes: its duration, its least number of requests and, on the last stage before the end or the bake,
	// the evidence it waits for; MaxDuration at most. Asks says that a person is asked then, Needs what it would have taken.
	Takes config.Duration `json:"takes"`
	Needs config.Duration `json:"needs"`
	Asks  bool            `json:"asks"`
	// Requests is the number of compared canary requests in that time; 0 where nothing is compared.
	Requests uint64 `json:"canary_requests"`
	// Checks is what each check of errors and latency that counts finds by then; empty where nothing is compared.
	Checks []CheckForecast `json:"checks"`
	// Sentence says it in plain words.
	Sentence string `json:"sentence"`
}

// CheckForecast is what a check finds in 4 of 5 cases.
type CheckForecast struct {
	// Name is the check's.
	Name string `json:"name"`
	// Stable is the bad share of stable that is supposed, Allowed the canary's, Finds the smallest one that is found; 0 when not
	// even a canary that is always bad is.
	Stable  float64 `json:"stable"`
	Allowed float64 `json:"allowed"`
	Finds   float64 `json:"finds"`
	// Slower is Finds for a latency, as the factor by which the canary is slower; 0 for none. It supposes a spread of latencies
	// like that of a log-normal law whose p99 is four times its median.
	Slower float64 `json:"slower,omitempty"`
	// Enough says that a gross regression is found; see analysis.CheckVerdict.Powered.
	Enough bool `json:"enough"`
}

// NewForecast looks ahead for a policy with at least one step. It is the zero value without requests.
func NewForecast(p *config.Policy, perSecond, stableErrors float64) Forecast {
	plan := unrolled(*p)
	f := forecaster{policy: &plan, settings: settings(p), perSecond: perSecond, stable: min(1, max(0, stableErrors))}
	out := Forecast{PerSecond: perSecond, StableErrors: f.stable, Stages: []StageForecast{}}
	if !(perSecond > 0) {
		return out
	}
	out.Rises = f.rises()
	for i := range f.stages() {
		s := f.next(i)
		out.Stages = append(out.Stages, s)
		out.Takes += s.Takes
		out.Asks = out.Asks || s.Asks
	}
	return out
}

// forecaster goes through the stages of a policy.
type forecaster struct {
	policy            *config.Policy
	settings          analysis.Settings
	perSecond, stable float64
	since             time.Duration // of compared requests, for the warm-up
	counts, latencies []analysis.Exposure
	informed          bool
}

// stages is the number of steps, and one for the bake.
func (f *forecaster) stages() int {
	if f.policy.Bake.Duration > 0 {
		return len(f.policy.Steps) + 1
	}
	return len(f.policy.Steps)
}

// state is a rollout on a stage, which knows what is decisive and what the stage is called.
func (f *forecaster) state(i int) State {
	s := State{Policy: *f.policy, Step: min(i, len(f.policy.Steps)-1), Bake: i == len(f.policy.Steps)}
	s.Spec.Policy = *f.policy
	return s
}

// next forecasts a stage; it is called for one after the other.
func (f *forecaster) next(i int) StageForecast {
	state := f.state(i)
	stage := state.stage()
	out := StageForecast{
		Name: state.stageName(), Weight: stage.Weight, Duration: stage.Duration, Takes: stage.Duration, Needs: stage.Duration,
		Checks: []CheckForecast{},
	}
	if !teaches(stage.Weight) {
		out.Sentence = f.nothing(i, &stage)
		return out
	}
	canary := f.perSecond * stage.Weight.Ratio()
	takes := max(time.Duration(stage.Duration), times(float64(stage.MinRequests)/canary))
	outlooks := f.look(&stage, takes)
	if state.decisive() && !f.informed {
		for _, o := range outlooks {
			takes = max(takes, times(o.missing(f.perSecond*stage.Weight.Ratio())+o.seconds))
		}
		f.informed = true
	}
	out.Needs = rounded(takes)
	if limit := time.Duration(stage.MaxDuration); takes > limit {
		takes, out.Asks = limit, true
	}
	out.Takes = rounded(takes)
	outlooks = f.look(&stage, takes)
	f.spend(&stage, takes)
	out.Requests = uint64(takes.Seconds() * canary)
	for _, o := range outlooks {
		out.Checks = append(out.Checks, o.forecast())
	}
	out.Sentence = f.sentence(i, &out)
	return out
}

// outlook is what a check knows after some time on a stage.
type outlook struct {
	analysis.Outlook
	check   *analysis.Check
	seconds float64 // on the stage
}

// missing is how many seconds more it takes until enough is known.
func (o *outlook) missing(canary float64) float64 {
	if o.check.Max > 0 || o.check.Bound > 0 || o.Powered {
		return 0
	}
	return o.Missing / canary
}

// look asks every check that counts and compares what it knows when a stage has lasted so long.
func (f *forecaster) look(stage *config.Step, takes time.Duration) []outlook {
	var list []outlook
	for i := range f.settings.Checks {
		c := &f.settings.Checks[i]
		if c.Muted || c.Max > 0 || c.Bound > 0 || c.Event > 0 || c.Metric.Kind != 0 || !counts(stage, c.Name) { // how often events happen to stable is not known
			continue
		}
		exposed := f.counts
		lasts := takes
		if c.Quantile > 0 {
			exposed = f.latencies
			lasts = f.warm(takes)
		}
		exposed = append(exposed[:len(exposed):len(exposed)], f.exposure(stage, lasts))
		if o, known := f.settings.Outlook(c.Name, f.stable, exposed); known {
			list = append(list, outlook{o, c, takes.Seconds()})
		}
	}
	return list
}

// warm is the part of the next time that is not warm-up.
func (f *forecaster) warm(takes time.Duration) time.Duration {
	return max(0, takes-max(0, f.settings.WarmUp-f.since))
}

func (f *forecaster) exposure(stage *config.Step, lasts time.Duration) analysis.Exposure {
	w := stage.Weight.Ratio()
	return analysis.Exposure{Weight: w, Canary: lasts.Seconds() * f.perSecond * w}
}

// spend lets the time of a stage pass.
func (f *forecaster) spend(stage *config.Step, takes time.Duration) {
	f.counts = append(f.counts, f.exposure(stage, takes))
	f.latencies = append(f.latencies, f.exposure(stage, f.warm(takes)))
	f.since += takes
}

func (o *outlook) forecast() CheckForecast {
	c := CheckForecast{Name: o.check.Name, Stable: o.Stable, Allowed: o.Allowed, Finds: o.Detectable, Enough: o.Powered}
	if o.check.Quantile > 0 && o.Detectable > 0 && o.Detectable < 1 {
		c.Slower = slower(o.check.Quantile, o.Detectable) * (1 + o.check.Relative)
	}
	return c
}

// spread is the sigma of the log-normal law that a factor of latencies supposes: its p99 is four times its median.
const spread = 0.6

// slower is the factor by which a canary is slower of which a share takes longer than stable's quantile q.
func slower(q, share float64) float64 {
	z := func(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
	return math.Exp(spread * (z(q) - z(1-share)))
}

// times is a duration of so many seconds, bounded.
func times(seconds float64) time.Duration {
	return time.Duration(min(seconds, longest.Seconds()) * float64(time.Second))
}

func rounded(d time.Duration) config.Duration { return seconds(d) }
