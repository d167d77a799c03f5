package analysis

import (
	"math"
	"strconv"
)

// canaryRate is the bad share of the canary, or the mean of its numbers.
func (k *checkState) canaryRate() float64 {
	if k.Sums.Canary != 0 && k.CanaryTotal > 0 {
		return k.Sums.Canary / float64(k.CanaryTotal)
	}
	return ratio(k.CanaryBad, k.CanaryTotal)
}

// wholeRate is the same of stable, at whatever times.
func (k *checkState) wholeRate() float64 {
	if k.Sums.Stable != 0 && k.StableTotal > 0 {
		return k.Sums.Stable / float64(k.StableTotal)
	}
	return ratio(k.StableBad, k.StableTotal)
}

// metricVerdict makes a verdict that is about bad requests one about the metric.
func (j *Judge) metricVerdict(i int, v *CheckVerdict, learning bool) {
	c, k := &j.settings.Checks[i], &j.memory.Checks[i]
	v.Metric, v.Falls = true, c.Metric.Falls
	if c.reading() {
		k.readingVerdict(c, v, j.memory.Now)
		v.Sentence = k.readingSentence(c, v, j.memory.Now)
		return
	}
	cause, _ := k.silence(c, j.memory.Now)
	if cause != "" && v.Class != Fail {
		v.Class, v.Cause = NoData, cause
	}
	if c.valued() {
		half := 1.96 * math.Sqrt(max(0, k.spread(c))/max(1, float64(k.CanaryTotal)))
		v.CanaryLow, v.CanaryHigh = v.CanaryRate-half, v.CanaryRate+half
	}
	if c.given() { // counted as parts of a request
		v.CanaryBad, v.StableBad = uint64(math.Round(k.Sums.Canary)), uint64(math.Round(k.Sums.Stable))
		v.CanaryLow, v.CanaryHigh = Wilson(v.CanaryBad, v.CanaryTotal)
	}
	if v.Falls {
		v.turn()
	}
	v.scale(&c.Metric)
	v.Sees = c.metricSees(v)
	if c.given() {
		v.Missing = 0 // it counts what is told, and not requests
	}
	v.Sentence = k.metricSentence(c, v, j.memory.Now, learning)
}

// turn tells of what happened instead of what did not.
func (v *CheckVerdict) turn() {
	v.CanaryBad, v.StableBad = v.CanaryTotal-v.CanaryBad, v.StableTotal-v.StableBad
	v.CanaryLow, v.CanaryHigh = 1-v.CanaryHigh, 1-v.CanaryLow
	for _, rate := range []*float64{&v.CanaryRate, &v.StableRate, &v.Allowed, &v.Gross} {
		*rate = 1 - *rate
	}
	if v.Detectable > 0 {
		v.Detectable = 1 - v.Detectable
	}
}

// scale gives a mean its unit back.
func (v *CheckVerdict) scale(m *Metric) {
	if m.Low == m.High {
		return
	}
	v.Mean, v.CanaryBad, v.StableBad = true, 0, 0
	for _, rate := range []*float64{&v.CanaryRate, &v.StableRate, &v.Allowed, &v.Gross, &v.CanaryLow, &v.CanaryHigh, &v.Detectable} {
		*rate = m.Low + *rate*(m.High-m.Low)
	}
}

// metricSentence says the verdict of a metric in plain words.
func (k *checkState) metricSentence(c *Check, v *CheckVerdict, now int64, learning bool) string {
	_, silent := k.silence(c, now)
	text := c.metricNumbers(v)
	switch {
	case v.Class == Fail:
		return text
	case silent != "" && v.CanaryTotal == 0:
		return silent
	case silent != "":
		return silent + "; before: " + text
	case v.CanaryTotal == 0 && !learning:
		return "nothing to compare yet"
	case v.CanaryTotal == 0:
		return "no numbers of the canary yet"
	case v.Class == NoData && !learning:
		return text + "; nothing to compare at the present weight"
	case v.Class == NoData:
		return count(v.CanaryTotal) + " of " + count(v.MinRequests) + " canary requests needed"
	case v.Class == Pass:
		return text + "; shown within tolerance"
	}
	return text + "; not shown within tolerance yet (" + oneIn(v.ToleranceEvidence) + ", needed " + oneIn(v.ToleranceNeeded) + ")"
}

// metricNumbers is the comparison itself: "canary 36.1 % of 4,120 converted, stable 40.2 % of 37,080; allowed -2 %".
func (c *Check) metricNumbers(v *CheckVerdict) string {
	text := "canary " + v.CanaryText()
	if c.Words != "" {
		text += " " + c.Words
	}
	if v.StableTotal == 0 {
		text += ", stable has none"
	} else {
		text += ", stable " + v.StableText()
	}
	text += "; allowed " + c.metricAllowance()
	if v.Clusters >= 2 {
		text += "; they come in clusters: about " + decimal(v.Clusters, 0) + " count as one"
	}
	if v.Evidence < someEvidence {
		return text + "; no evidence against it"
	}
	return text + "; evidence " + oneIn(v.Evidence) + " against chance, needed " + oneIn(v.Needed)
}

// metricAllowance is the tolerance with its sign: "-2 %", "+2 % plus 0.5 points".
func (c *Check) metricAllowance() string {
	sign, and := "+", " plus "
	if c.Metric.Falls {
		sign, and = "-", " less "
	}
	text := sign + decimal(100*c.Relative, 2) + " %"
	if c.Absolute == 0 {
		return text
	}
	points := decimal(100*c.Absolute, 4) + " points"
	switch {
	case c.reading():
		points = decimal(c.Absolute, 6)
	case c.Metric.Low != c.Metric.High:
		points = decimal((c.Absolute*(c.Metric.High-c.Metric.Low))-c.Relative*c.Metric.Low, 6)
	}
	if c.Relative == 0 {
		return sign + points
	}
	if points == "0" {
		return text
	}
	return text + and + points
}

// metricSees says what could have been found by now.
func (c *Check) metricSees(v *CheckVerdict) string {
	edge, word := v.Detectable, "more"
	if v.Falls {
		word = "less"
	}
	if !v.Powered && (v.CanaryTotal == 0 || c.unseen(v)) {
		return "too early: not even the worst canary would have been found for sure"
	}
	text := "a canary with " + v.rate(edge) + ", or " + word + ", would have been found by now in 4 of 5 cases"
	if !v.Powered {
		text += "; already " + v.rate(v.Gross) + " is wanted"
	}
	return text
}

// unseen says whether nothing would have been found: Detectable is 0 then, before any unit.
func (c *Check) unseen(v *CheckVerdict) bool { return v.Detectable == c.Metric.Low && !v.Powered }

// CanaryText is the canary's side of a check: "36.1 % of 4,120", "12.34 of 4,120" for a mean, "0.21" for a reading.
func (v *CheckVerdict) CanaryText() string { return v.side(v.CanaryRate, v.CanaryTotal) }

// StableText is stable's side.
func (v *CheckVerdict) StableText() string { return v.side(v.StableRate, v.StableTotal) }

// AllowedText is what the canary may have.
func (v *CheckVerdict) AllowedText() string { return v.rate(v.Allowed) }

func (v *CheckVerdict) side(rate float64, total uint64) string {
	if v.Threshold {
		return v.rate(rate)
	}
	return v.rate(rate) + " of " + count(total)
}

// rate writes a share, or a mean with four digits that matter.
func (v *CheckVerdict) rate(x float64) string {
	if !v.Mean {
		return percent(x)
	}
	if x == 0 {
		return "0"
	}
	places := 3 - int(math.Floor(math.Log10(math.Abs(x))))
	return decimal(x, min(12, max(0, places)))
}

// readingSentence says in plain words how readings stand to their thresholds.
func (k *checkState) readingSentence(c *Check, v *CheckVerdict, now int64) string {
	_, silent := k.silence(c, now)
	if silent != "" && v.Class != Fail {
		return silent
	}
	text := "threshold: canary " + v.CanaryText()
	if c.compares() {
		text += ", stable " + v.StableText() + "; allowed " + c.metricAllowance()
	}
	for _, t := range []struct {
		name string
		Threshold
	}{{"at most", c.Metric.Max}, {"at least", c.Metric.Min}} {
		if t.Set {
			text += "; allowed " + t.name + " " + decimal(t.Value, 6)
		}
	}
	switch {
	case v.Class == Fail:
		return text + "; beyond it " + strconv.Itoa(c.Metric.Failures) + " times in a row"
	case v.Beyond > 0:
		return text + "; beyond it " + strconv.Itoa(v.Beyond) + " of " + strconv.Itoa(c.Metric.Failures) + " times in a row"
	}
	return text
}
