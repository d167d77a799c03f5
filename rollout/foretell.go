package rollout

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"haldane/config"
)

// sentence is the forecast of a stage in plain words.
func (f *forecaster) sentence(i int, s *StageForecast) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: at %s requests/s %s canary requests", f.title(i, s.Takes), plain(f.perSecond), about(s.Requests))
	var finds []string
	blind := ""
	for _, c := range s.Checks {
		switch {
		case c.Finds == 0:
			blind = "; not even a total failure would be found for sure"
		case c.Slower > 0:
			finds = append(finds, c.Name+" x "+strconv.FormatFloat(max(1.01, c.Slower), 'f', 1+min(1, int(1.5/c.Slower)), 64))
		case c.Name == checkErrors:
			finds = append([]string{fmt.Sprintf("errors of %s and more (stable %s)", share(c.Finds), share(c.Stable))}, finds...)
		default:
			finds = append(finds, fmt.Sprintf("%s of %s and more", c.Name, share(c.Finds)))
		}
	}
	if len(finds) > 0 {
		blind = "; finds " + strings.Join(finds, ", ") + "; an increase to less stays unseen"
	}
	b.WriteString(blind)
	if s.Asks {
		fmt.Fprintf(&b, "; it would take %s to know enough, so a person is asked", s.Needs)
	}
	return b.String()
}

// title is "step 2 (5%, 5m)".
func (f *forecaster) title(i int, takes config.Duration) string {
	state := f.state(i)
	if state.Bake {
		return fmt.Sprintf("bake (%s, %s)", state.stage().Weight, takes)
	}
	return fmt.Sprintf("step %d (%s, %s)", i+1, exposure(&f.policy.Steps[i]), takes)
}

// nothing says why a stage teaches nothing that can be told before.
func (f *forecaster) nothing(i int, stage *config.Step) string {
	if stage.Group() != "" && teaches(stage.Strength) {
		return f.title(i, stage.Duration) + ": what it can know depends on the traffic of " + members(stage)
	}
	return f.title(i, stage.Duration) + ": nothing is drawn at random, so nothing is compared"
}

// share writes a share for people, with two digits that matter: "1.2%", "0.10%", "24%".
func share(v float64) string {
	p := 100 * v
	decimals := 0
	for limit := 10.0; p > 0 && p < limit && decimals < 6; limit /= 10 {
		decimals++
	}
	return strconv.FormatFloat(p, 'f', decimals, 64) + "%"
}

// plain writes a rate: "100", "2.5".
func plain(v float64) string {
	if v >= 10 {
		return about(uint64(v + 0.5))
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

// missing is how many more compared canary requests the stage needs, for its least number and for what it waits to know.
func (s *State) missing() uint64 {
	if !s.Phase.exposing() || !s.shares().compared() {
		return 0
	}
	stage := s.stage()
	most := uint64(0)
	if need := uint64(max(1, stage.MinRequests)); s.StepJudged < need {
		most = need - s.StepJudged
	}
	if s.Informed || !s.decisive() {
		return most
	}
	for i := range s.Verdict.Checks {
		if c := &s.Verdict.Checks[i]; !c.Muted && !c.WithinTolerance && partOf(c.Name) == "" && counts(&stage, c.Name) {
			most = max(most, c.Missing)
		}
	}
	return most
}

// left is how long the stage still takes, if nothing speaks against the canary and requests come as they do; 0 when that is not
// known.
func (s *State) left(now time.Time) time.Duration {
	if s.Phase != PhaseProgressing && s.Phase != PhaseBaking {
		return 0
	}
	if s.climbing() {
		return 0 // it depends on what is seen
	}
	rest := max(0, s.least()-s.Clock)
	missing := s.missing()
	if missing == 0 {
		return rest
	}
	wait, known := s.timeFor(now, missing)
	if !known {
		return 0
	}
	return max(rest, wait)
}

// rest says how long a stage still takes and what it needs.
func rest(left config.Duration, missing uint64) string {
	var parts []string
	if left > 0 {
		parts = append(parts, fmt.Sprintf("about %s left", left))
	}
	if missing > 0 {
		parts = append(parts, fmt.Sprintf("evidence needs %s more canary requests", about(missing)))
	}
	return strings.Join(parts, "; ")
}

// forecast is what the running stage can know by its end, at the present rate and with stable's present errors; nil when nothing
// is known of the traffic.
func (s *State) forecast(now time.Time) *StageForecast {
	rate := s.Pace.both(now)
	if !s.Phase.exposing() || !(rate > 0) {
		return nil
	}
	errors := 0.0
	for i := range s.Verdict.Checks {
		if c := &s.Verdict.Checks[i]; c.Name == checkErrors {
			errors = c.StableRate
		}
	}
	at := s.Step
	if s.Bake {
		at = len(s.Policy.Steps)
	}
	all := NewForecast(&s.Policy, rate, errors)
	if at = s.rampStage(at); at >= len(all.Stages) {
		return nil
	}
	return &all.Stages[at]
}
