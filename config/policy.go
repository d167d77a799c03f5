package config

// Policy says how a release proceeds.
type Policy struct {
	// Steps lead from the first exposure to the bake. At least one is required, or a ramp; a bare percentage is short for a weight.
	Steps []Step `yaml:"steps,omitempty"`
	// Checks are the measured promises.
	Checks Checks `yaml:"checks"`
	// Budget is the hard stop-loss.
	Budget Budget `yaml:"budget"`
	// Bake keeps the old variant warm, and the comparison running, before the rollout is promoted.
	Bake Bake `yaml:"bake"`
	// OnFailure is what a failed check does: "roll_back", "pause", or "step_back", which goes back to the step before, once from
	// each step and never from the first. The budget always rolls back. Default "roll_back".
	OnFailure string `yaml:"on_failure"`
	// Alpha is the chance of a false rollback in a whole rollout, up to 50%. Default 1%.
	Alpha Percent `yaml:"alpha"`
	// Beta is the chance, for each check, of a false "shown within tolerance", up to 50%. Default 5%.
	Beta Percent `yaml:"beta"`
	// Ramp grows the weight by itself, in the place of steps; "{}" takes its defaults. Default: none.
	Ramp *Ramp `yaml:"ramp,omitempty"`
	// RestartFactor is the share of duration and min_requests for which stages run (steps, where no stage is named) that an
	// earlier version of the canary has passed, when a new one supersedes it in mid-rollout. Evidence is never cut short: no
	// step has less than its checks need to fail. Above 0%. Default 100%.
	RestartFactor Percent `yaml:"restart_factor"`
	// Patch names the policy for a canary whose revision (major.minor.patch) differs from stable's in the patch number alone.
	// Default: none, it is released like any other.
	Patch string `yaml:"patch,omitempty"`
	// CoolDown is how long after a rollback by a check or the budget a retry is refused, unless it is forced. Default 0.
	CoolDown Duration `yaml:"cool_down"`
	// Retries is how often, at most, such a rollback is followed by a retry without a person's order, once the cool-down is
	// over. It needs one. Default 0.
	Retries int `yaml:"retries"`
	// Windows are the times of the week in which steps are taken; one that is open is enough. They hold at once, also for rollouts that
	// run. Default: always.
	Windows []Window `yaml:"windows,omitempty"`
	// Freezes are times in which nothing is changed, besides those of all policies. They hold at once. Default: none.
	Freezes []Freeze `yaml:"freezes,omitempty"`
	// Hooks are webhooks that are asked and told. They hold at once. Default: none.
	Hooks Hooks `yaml:"hooks,omitempty"`
	// Partial judges parts of the service apart. Default: none.
	Partial *Partial `yaml:"partial,omitempty"`
}

// Step says who is exposed, for how long and under which conditions.
type Step struct {
	// Name is shown to people. Default: the segment and the weight that the step brings.
	Name string `yaml:"name,omitempty"`
	// Weight is the canary's share of randomised traffic. It cannot fall from step to step; the last step needs one above
	// 0%. Default: that of the step before.
	Weight Percent `yaml:"weight"`
	// Segment names a segment that is exposed as well.
	Segment string `yaml:"segment,omitempty"`
	// Strength is the share of the segment that is drawn for the canary. The whole segment leaves nothing to compare it
	// with: absolute checks and the budget decide. Default 100%.
	Strength Percent `yaml:"strength"`
	// Duration is the shortest time on the step, counted while traffic flows. Default 1m.
	Duration Duration `yaml:"duration"`
	// MaxDuration is the longest time on the step before a person is asked, never below duration. Default 30m, or duration
	// when that is longer.
	MaxDuration Duration `yaml:"max_duration"`
	// MinRequests is the smallest number of judged canary requests on the step. Default 50.
	MinRequests int `yaml:"min_requests"`
	// AdvanceWhen is the condition to go on: "no_regression" (nothing leans to harm) or "proven" (shown within
	// tolerance). The last step with something to compare also waits until a gross regression would have been found. Default
	// "no_regression".
	AdvanceWhen string `yaml:"advance_when"`
	// Approval makes the step wait, once it is done, for a person to promote it. Default false.
	Approval bool `yaml:"approval"`
	// Stage names the stage that the step belongs to, for people and for restart_factor. The steps of a stage follow each
	// other. Default: none.
	Stage string `yaml:"stage,omitempty"`
	// OptIn exposes, as a segment does and with the same strength, those who opted in: "alpha" those who opted in at alpha,
	// "beta" those of beta as well. With a segment, the members of either are exposed. Default: none.
	OptIn string `yaml:"opt_in,omitempty"`
	// Checks lists the checks that count on the step, for going on and for failing: "errors" and the names of others. The
	// budget always counts, and so does every check in the bake. Default: all.
	Checks []string `yaml:"checks,omitempty"`
	// Checklist is what a person has to have done before the step is left, each item one line: "haldane tick". Default: none.
	Checklist []string `yaml:"checklist,omitempty"`
}

// Bake keeps the old variant warm before the rollout is promoted.
type Bake struct {
	// Duration is how long, counted while traffic flows. Zero skips the bake. Default 10m.
	Duration Duration `yaml:"duration"`
	// Holdback is the share of traffic that stays on the stable variant; what is left cannot be less than the weight of
	// the last step. Default 10%.
	Holdback Percent `yaml:"holdback"`
}
