package rollout

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// A canary is not promoted by itself while too little is known of it. Short steps on little traffic see next to nothing, and
// nothing is what they then have against the canary. So the last step on which it is compared also waits until a gross
// regression would have been found by now in four of five cases (analysis.CheckVerdict.Powered), by every check that
// counts, or until that step's longest time is over and a person is asked. The bake is for what a person has sent
// there before that.

// decisive says whether the stage is the last one before the end, or before the bake, on which something is learnt.
func (s *State) decisive() bool {
	if s.Bake {
		return true
	}
	for i := s.Step + 1; i < len(s.Policy.Steps); i++ {
		if comparing(&s.Policy.Steps[i]) {
			return false
		}
	}
	return true
}

// comparing says whether a share of a step's requests is drawn at random.
func comparing(step *config.Step) bool {
	return teaches(step.Weight) || step.Group() != "" && teaches(step.Strength)
}

// inform notes once that enough is known. It stays: what would have been found by then would have ended the rollout.
func (c *change) inform() {
	c.s.Informed = c.s.Informed || c.s.informs()
}

// informs says whether enough is known for the first time.
func (s *State) informs() bool {
	return !s.Informed && len(s.Verdict.Checks) > 0 && s.decisive() && !s.blind(nil)
}

// blind says whether some check that counts on this stage could not have found a gross regression yet, and names each to who wants to hear.
func (s *State) blind(name func(*analysis.CheckVerdict)) bool {
	some, compared, stage := false, s.shares().compared(), s.stage()
	for i := range s.Verdict.Checks {
		check := &s.Verdict.Checks[i]
		if check.Muted || partOf(check.Name) != "" || check.Powered || check.WithinTolerance || !compared && !check.Alone || !counts(&stage, check.Name) || s.excused(check) {
			continue
		}
		if some = true; name == nil {
			break
		}
		name(check)
	}
	return some
}

// waitsForEvidence says what is not known yet of the canary on a stage that decides; empty when it is enough.
func (s *State) waitsForEvidence(now time.Time) string {
	if s.Informed || !s.decisive() {
		return ""
	}
	var names []string
	var most *analysis.CheckVerdict
	s.blind(func(check *analysis.CheckVerdict) {
		names = append(names, check.Name)
		if most == nil || check.Missing > most.Missing {
			most = check
		}
	})
	if most == nil {
		return ""
	}
	text := fmt.Sprintf("evidence: too little is known to promote (%s); %s", strings.Join(names, ", "), most.Sees)
	if most.Missing > 0 {
		text += fmt.Sprintf("; about %s more canary requests are needed", about(most.Missing))
		if left, known := s.timeFor(now, most.Missing); known {
			text += fmt.Sprintf(", %s at the present rate", seconds(left))
		}
	}
	return text
}

// timeFor is how long so many more compared canary requests take at the present rate.
func (s *State) timeFor(now time.Time, requests uint64) (time.Duration, bool) {
	rate := s.Pace.canary(now)
	if rate <= 0 {
		return 0, false
	}
	return time.Duration(min(float64(requests)/rate, longest.Seconds()) * float64(time.Second)), true
}

// about is a number of requests for people: two digits matter, and thousands are set apart.
func about(n uint64) string {
	unit := uint64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	digits := strconv.FormatUint((n+unit/2)/unit*unit, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// longest is the longest time that is told; whatever takes longer will not be waited for.
const longest = 1000 * time.Hour
