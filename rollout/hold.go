package rollout

import (
	"fmt"
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/stats"
)

const (
	// maxQuiet and minQuiet bound the time without canary requests after which the clock stops. Between them it is half of
	// the stage.
	maxQuiet = time.Minute
	minQuiet = 2 * time.Second
	// voteWindow is how often a user votes: for so long a canary may have traffic that says nothing new.
	voteWindow = stats.VoteWindow
)

// watch stops the clock or lets it run. It says whether it runs.
func (c *change) watch(v analysis.Verdict) bool {
	hold := c.s.hold(c.now, v)
	if hold == "" && c.s.Hold == HoldStore {
		// The clock has done its time; what is left is to try again.
		return c.mayStore()
	}
	was, text := c.s.Hold, c.s.holdText(hold, c.now, v)
	c.s.Hold, c.s.HoldText = hold, text
	switch {
	case hold != "" && hold != was:
		c.event(EventHold, cause{reason: text})
	case hold == "" && was != "":
		c.event(EventHoldEnded, cause{reason: "the clock runs again"})
	}
	return hold == ""
}

// hold says why the clock must stand still now; empty when it may run.
func (s *State) hold(now time.Time, v analysis.Verdict) Hold {
	quiet := quietPeriod(s.stage())
	switch {
	case s.Override != "":
		return HoldOverride
	case s.Recent.last(now, sickSeconds).sick():
		return HoldStableSick
	case s.idle(now) > quiet:
		return HoldNoTraffic
	case s.unjudged(now) > quiet+voteWindow && s.shares().compared():
		return HoldNoData
	case s.mismatch(v) != "":
		return HoldSplitMismatch
	}
	return ""
}

// idle is the time since the last canary request, unjudged since the last one that could be compared.
func (s *State) idle(now time.Time) time.Duration {
	return now.Sub(latest(s.LastCanary, s.Awake, s.Entered))
}

func (s *State) unjudged(now time.Time) time.Duration {
	return now.Sub(latest(s.LastJudged, s.Awake, s.Entered))
}

// holdText explains a hold, with the numbers of the moment.
func (s *State) holdText(h Hold, now time.Time, v analysis.Verdict) string {
	stable := s.Recent.last(now, sickSeconds)
	switch {
	case h == HoldOverride:
		return "an operator's override sends all traffic to " + s.Override
	case h == HoldStableSick:
		return fmt.Sprintf("stable is sick itself: %d of its %d requests failed in %d s", stable.Failed, stable.Requests, sickSeconds)
	case h == HoldNoTraffic && stable.Requests == 0:
		return fmt.Sprintf("no traffic: the canary had no request for %s", seconds(s.idle(now)))
	case h == HoldNoTraffic:
		return fmt.Sprintf("no canary traffic for %s", seconds(s.idle(now)))
	case h == HoldNoData:
		return fmt.Sprintf("no canary request could be compared for %s", seconds(s.unjudged(now)))
	case h == HoldSplitMismatch:
		return s.mismatch(v)
	}
	return ""
}

// mismatch says that a share of requests is not the weight. With user keys few users may be any share of the traffic,
// which is no fault.
func (s *State) mismatch(v analysis.Verdict) string {
	if s.Users > 0 {
		return ""
	}
	for _, h := range v.Hold {
		if h.Reason == analysis.HoldSplitMismatch {
			return h.Sentence
		}
	}
	return ""
}

// quietPeriod is the time without canary requests after which the clock of a stage stops.
func quietPeriod(stage config.Step) time.Duration {
	return max(minQuiet, min(maxQuiet, time.Duration(stage.Duration)/2))
}

// waits lists what is still missing for the stage to be done, for people; empty when it is done.
func (s *State) waits(now time.Time) []string {
	stage := s.stage()
	var list []string
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if rest := s.least() - s.Clock; rest > 0 {
		add("%s of %s are left", seconds(rest), stage.Duration)
	}
	list = append(list, s.waitsForRamp(now)...)
	if s.shares().compared() {
		list = append(list, s.waitsForJudge(stage)...)
	} else {
		list = append(list, s.waitsForExposure()...)
		list = append(list, s.waitsForChecks(stage, func(c *analysis.CheckVerdict) bool { return c.Alone })...)
	}
	if text := s.waitsForEvidence(now); text != "" {
		list = append(list, text)
	}
	return append(list, s.waitsForLife(now)...)
}

// waitsForLife lists what speaks against going on at this very moment.
func (s *State) waitsForLife(now time.Time) []string {
	var list []string
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	// Without this a step whose traffic stopped would end before its silence is noticed.
	switch idle := now.Sub(s.LastCanary); {
	case s.StepRequests == 0: // said elsewhere
	case s.LastCanary.IsZero():
		add("no canary request was seen since the restart")
	case idle > minQuiet:
		add("the last canary request is %s ago", seconds(idle))
	}
	if s.Recent.last(now, nowSeconds).sick() {
		add("stable is failing right now")
	}
	return list
}

// waitsForJudge lists what the comparison still misses.
func (s *State) waitsForJudge(stage config.Step) []string {
	var list []string
	if need := uint64(max(1, stage.MinRequests)); s.StepJudged < need {
		list = append(list, fmt.Sprintf("%d of %d compared canary requests were seen on this step", s.StepJudged, need))
	}
	return append(list, s.waitsForChecks(stage, func(*analysis.CheckVerdict) bool { return true })...)
}

// leansToHarm is the score below which a check leans to harm. What rounds to 50 does not: evidence next to nothing goes to and
// fro around it, and with several checks one of them would often be just below.
const leansToHarm = 49.5

// waitsForChecks lists which checks that count, of those that judge this stage, stand against going on.
func (s *State) waitsForChecks(stage config.Step, judges func(*analysis.CheckVerdict) bool) []string {
	var list []string
	for i := range s.Verdict.Checks {
		check := &s.Verdict.Checks[i]
		switch {
		case check.Muted || !judges(check) || !counts(&stage, check.Name):
		case check.Score < leansToHarm:
			list = append(list, fmt.Sprintf("the check %s leans to harm (score %.0f of 100)", check.Name, check.Score))
		case stage.AdvanceWhen == config.AdvanceProven && check.Class != analysis.Pass:
			list = append(list, fmt.Sprintf("the check %s is not yet shown within tolerance (score %.0f of 100)", check.Name, check.Score))
		}
	}
	return list
}

// waitsForExposure lists what a stage without a comparison misses: somebody must have been on the canary, and it must not
// have failed most of them.
func (s *State) waitsForExposure() []string {
	switch seen := (Seen{Requests: s.StepRequests, Failed: s.StepFailed}); {
	case seen.Requests == 0:
		return []string{"no canary request was seen on this step"}
	case seen.Failed*5 > seen.Requests: // sickShare without its minimum: here a few requests are all there is
		return []string{fmt.Sprintf("%d of the %d canary requests of this step failed, with nothing to compare them with",
			seen.Failed, seen.Requests)}
	}
	return nil
}

// seconds is a duration for people.
func seconds(d time.Duration) config.Duration {
	if d < 10*time.Second {
		return config.Duration(d.Round(100 * time.Millisecond))
	}
	return config.Duration(d.Round(time.Second))
}

func latest(times ...time.Time) time.Time {
	var last time.Time
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
