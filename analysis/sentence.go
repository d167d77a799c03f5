package analysis

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// sentence says a check's verdict in plain words.
func (c *Check) sentence(v *CheckVerdict, learning bool) string {
	switch {
	case v.Class == Fail:
		return c.numbers(v)
	case v.CanaryTotal == 0:
		if !learning && !c.absolute() {
			return "nothing to compare yet"
		}
		return "no canary requests were judged yet"
	case v.Class == NoData && !learning && !c.absolute():
		return c.numbers(v) + "; nothing to compare at the present weight"
	case v.Class == NoData:
		text := count(v.CanaryTotal) + " of " + count(v.MinRequests) + " canary requests needed"
		if v.CanaryBad > 0 {
			text += ", " + count(v.CanaryBad) + " of them " + c.bad()
		}
		return text
	case v.Class == Pass:
		return c.numbers(v) + "; shown within tolerance"
	}
	return c.numbers(v) + "; not shown within tolerance yet (" + oneIn(v.ToleranceEvidence) + ", needed " + oneIn(v.ToleranceNeeded) + ")"
}

// numbers is the comparison itself.
func (c *Check) numbers(v *CheckVerdict) string {
	text := "canary " + percent(v.CanaryRate) + " of " + count(v.CanaryTotal) + " " + c.bad()
	switch {
	case c.absolute():
		text += ", " + c.allowance() + " allowed"
	case v.StableTotal == 0:
		text += ", stable had no requests; allowed " + c.allowance()
	default:
		text += ", stable " + percent(v.StableRate) + " of " + count(v.StableTotal) + "; allowed " + c.allowance()
	}
	if v.Clusters >= 2 {
		text += "; they come in clusters: about " + decimal(v.Clusters, 0) + " count as one"
	}
	if v.Evidence < someEvidence {
		return text + "; no evidence against it"
	}
	return text + "; evidence " + oneIn(v.Evidence) + " against chance, needed " + oneIn(v.Needed)
}

// someEvidence is the least evidence that is worth a number: less rounds to 1 in 1.
const someEvidence = 1.05

// oneIn writes evidence.
func oneIn(n float64) string {
	if n < someEvidence {
		return "no evidence"
	}
	return "1 in " + rounded(n)
}

// sees says what the check could have found by now.
func (c *Check) sees(v *CheckVerdict) string {
	if v.Detectable == 0 {
		return "too early: not even a canary whose requests are all " + c.bad() + " would have been found for sure"
	}
	text := "a canary with " + percent(v.Detectable) + " " + c.bad() + ", or more, would have been found by now in 4 of 5 cases"
	if !v.Powered {
		text += "; less than " + percent(v.Gross) + " is wanted"
	}
	return text
}

// bad is the word for a bad request.
func (c *Check) bad() string {
	switch {
	case c.Words != "":
		return c.Words
	case c.latency() && c.absolute():
		return "slower than " + span(int64(c.Bound))
	case c.latency():
		return "slower than the limit"
	case c.Event > 0:
		return "with " + strconv.Quote(c.Name)
	}
	return "failed"
}

// allowance is the tolerance. It is a sum: stable's rate, a part of it more, and the points on top; or else a maximum.
func (c *Check) allowance() string {
	if c.absolute() {
		return "at most " + decimal(100*c.delta(), 4) + " %"
	}
	relative := "+" + decimal(100*c.Relative, 2) + " %"
	switch {
	case c.latency() && c.Slack > 0:
		return relative + " plus " + span(int64(c.Slack))
	case !c.latency() && c.Absolute > 0:
		return relative + " plus " + decimal(100*c.Absolute, 4) + " points"
	}
	return relative
}

// sentence of the whole: that of the check which decided the class. The only check needs no name.
func (j *Judge) sentence(v *Verdict) string {
	worst := -1
	for i := range v.Checks {
		k := &v.Checks[i]
		if k.Muted {
			continue
		}
		if k.Class != v.Class || (v.Class == Fail && !k.Critical) {
			continue
		}
		if worst < 0 || k.Score < v.Checks[worst].Score {
			worst = i
		}
	}
	for i := range v.Checks { // marginal because of checks without data, or of one that is only shown
		if worst < 0 && v.Checks[i].Class != Pass && !v.Checks[i].Muted {
			worst = i
		}
	}
	if len(v.Checks) == 1 {
		return v.Checks[0].Sentence
	}
	if worst < 0 {
		return "no check counts: all are muted"
	}
	return v.Checks[worst].Name + ": " + v.Checks[worst].Sentence
}

// percent writes a share with the digits that matter: "0.40 %", "0.0042 %", "23.1 %", "100 %".
func percent(share float64) string {
	p := 100 * share
	switch {
	case p == 0:
		return "0 %"
	case p == 100:
		return "100 %"
	case p >= 99.95:
		return decimal(p, 4) + " %"
	case p >= 10:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	case p >= 0.1:
		return strconv.FormatFloat(p, 'f', 2, 64) + " %"
	}
	return strconv.FormatFloat(p, 'f', min(12, 1-int(math.Floor(math.Log10(p)))), 64) + " %"
}

// count writes a number with separators for thousands: "37,080".
func count(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, d := range []byte(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(d)
	}
	return b.String()
}

// countless is where one number is as good as another.
const countless = 1_000_000_000

// rounded writes odds: two digits matter, "3,400"; small odds are written as they are, "1.4".
func rounded(n float64) string {
	switch {
	case n > countless:
		return "more than " + count(countless)
	case n < 10:
		return decimal(n, 1)
	}
	unit := math.Pow(10, math.Floor(math.Log10(n))-1)
	return count(uint64(math.Round(n/unit) * unit))
}

// decimal writes a number with at most so many decimals and no zeros at the end.
func decimal(v float64, places int) string {
	text := strconv.FormatFloat(v, 'f', places, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// span writes a duration without false precision: "38 h", "12 min", "61 s", "1 ms".
func span(nanos int64) string {
	d := time.Duration(nanos)
	switch {
	case d >= 2*time.Hour:
		return decimal(d.Hours(), 0) + " h"
	case d >= 2*time.Minute:
		return decimal(d.Minutes(), 0) + " min"
	case d >= 10*time.Second:
		return decimal(d.Seconds(), 0) + " s"
	case d >= time.Second:
		return decimal(d.Seconds(), 1) + " s"
	}
	return decimal(float64(d)/1e6, 3) + " ms"
}
