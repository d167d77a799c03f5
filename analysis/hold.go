package analysis

import (
	"fmt"
	"math"
	"time"
)

// recentSeconds is how many seconds of stable's requests are looked at to say whether it is sick.
const recentSeconds = 10

// sickMinimum is the number of stable requests in that time below which nothing is said.
const sickMinimum = 5

// silenceNeeded is how unlikely (1 in 1,000, as minus its log) it must be that chance alone gave the canary nothing. Without
// it a small weight on little traffic would be on hold half of the time.
const silenceNeeded = 6.9

// second is the stable requests of one second of the clock, and its JSON.
type second struct {
	At    int64  `json:"at"`
	Bad   uint64 `json:"bad"`
	Total uint64 `json:"total"`
}

// HoldReason says why the clock of a step should stand still.
type HoldReason string

// The reasons for a hold.
const (
	// HoldNoTraffic is silence: no request of either variant.
	HoldNoTraffic HoldReason = "no_traffic"
	// HoldNoCanaryTraffic is a canary that gets nothing although stable has traffic and there is a weight.
	HoldNoCanaryTraffic HoldReason = "no_canary_traffic"
	// HoldStableSick is a stable that fails itself: whatever is wrong, it is no time to go on.
	HoldStableSick HoldReason = "stable_sick"
	// HoldSplitMismatch is a share of requests that is proven not to be the weight: something in front of the count is
	// broken, and with it the comparison.
	HoldSplitMismatch HoldReason = "split_mismatch"
)

// Hold is one reason why the clock of a step should stand still. It never is a reason to roll back.
type Hold struct {
	// Reason is the word for it.
	Reason HoldReason `json:"reason"`
	// Since is when it began, where that is known; otherwise the moment of the verdict.
	Since time.Time `json:"since"`
	// Sentence says it with its numbers.
	Sentence string `json:"sentence"`
}

// book remembers a block after it was judged.
func (j *Judge) book(b *Block) {
	m := &j.memory
	s := j.stratum(b.Stratum)
	s.remember(b, j.settings.Checks)
	canary := b.Canary.total()
	if b.canary() {
		m.LastCanary = m.Now
		m.Silence = 0
		if m.FirstCanary == 0 {
			m.FirstCanary = m.Now
		}
	}
	if n := b.Stable.total(); n > 0 {
		m.LastStable = m.Now
		at := floorDiv(m.Now, int64(time.Second))
		sec := &m.Recent[uint64(at)%recentSeconds]
		if sec.At != at {
			*sec = second{At: at}
		}
		sec.Bad += b.Stable.Bad
		sec.Total += n
	}
	if learnable(s.Weight) {
		s.Canary += canary
		s.Stable += b.Stable.total()
		if !b.canary() {
			m.Silence -= float64(b.Stable.total()) * math.Log1p(-s.Weight)
		}
	} else {
		m.StepUncompared += canary
	}
}

// holds lists what speaks for a hold at the last moment the judge was told.
func (j *Judge) holds() []Hold {
	var list []Hold
	m := &j.memory
	if m.Started == 0 {
		return nil
	}
	last := max(m.LastCanary, m.LastStable)
	quiet := max(m.LastCanary, m.WeightAt)
	switch {
	case m.Now-max(last, m.Started) >= int64(j.settings.Idle):
		list = append(list, hold(HoldNoTraffic, max(last, m.Started), "no requests for "+span(m.Now-max(last, m.Started))))
	case j.learning() && m.Silence >= silenceNeeded && m.Now-quiet >= int64(j.settings.NoCanary):
		list = append(list, hold(HoldNoCanaryTraffic, quiet, "the canary gets no requests for "+span(m.Now-quiet)))
	}
	if bad, total := m.recent(); total >= sickMinimum && float64(bad) > j.settings.SickStable*float64(total) {
		text := fmt.Sprintf("stable is sick itself: %s of %s failed in %d s", percent(ratio(bad, total)), count(total), recentSeconds)
		list = append(list, hold(HoldStableSick, m.Now, text))
	}
	for i := range m.Strata {
		s := &m.Strata[i]
		if srmAlarm(s.Canary, s.Stable, s.Weight) {
			text := fmt.Sprintf("the split does not match its weight: the canary got %s of %s requests at a weight of %s",
				percent(ratio(s.Canary, s.Canary+s.Stable)), count(s.Canary+s.Stable), percent(s.Weight))
			list = append(list, hold(HoldSplitMismatch, m.Now, text))
		}
	}
	return list
}

func hold(r HoldReason, since int64, text string) Hold {
	return Hold{Reason: r, Since: time.Unix(0, since).UTC(), Sentence: text}
}

// recent is stable's requests of the last ten seconds.
func (m *State) recent() (bad, total uint64) {
	at := floorDiv(m.Now, int64(time.Second))
	for _, s := range m.Recent {
		if s.At > at-recentSeconds && s.At <= at {
			bad += s.Bad
			total += s.Total
		}
	}
	return bad, total
}

// learning says whether there is a weight at which something can be learnt.
func (j *Judge) learning() bool {
	for i := range j.memory.Strata {
		if learnable(j.memory.Strata[i].Weight) {
			return true
		}
	}
	return false
}
