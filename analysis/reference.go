package analysis

import "math"

const (
	// priorBad and priorTotal keep the guess of the error rate away from zero: a stable without a single error is taken
	// for one that fails about once in a thousand until much traffic says otherwise.
	priorBad   = 0.5
	priorTotal = 500
	// maxCentre bounds the guess, so that a stable that fails all the time leaves room to bet.
	maxCentre = 0.5
)

// centre is the guess of stable's error rate from its remembered requests.
func centre(bad, total float64) float64 { return min(maxCentre, (bad+priorBad)/(total+priorTotal)) }

// stratum is what is known about the traffic drawn with one probability, and its JSON.
//
// The picture of stable is kept per stratum. Any guess that is made from earlier blocks is valid, because the centre cancels
// in the expectation; but the variance, and the damage a slightly wrong weight does, are small only while the guess is
// near this stratum's own rate, and segments (early testers) differ from the rest in just that.
type stratum struct {
	// Number is the stratum, 1 to MaxStrata.
	Number int `json:"number"`
	// Weight is the probability that is in force.
	Weight float64 `json:"weight"`
	// Bad and Total are the remembered stable requests, fading by the half life.
	Bad   float64 `json:"bad"`
	Total float64 `json:"total"`
	// Latency is the remembered stable latencies, fading too; empty without latency checks.
	Latency histogram `json:"latency,omitempty"`
	// Canary and Stable are the requests since the weight or the step changed, for the check of the share.
	Canary uint64 `json:"canary"`
	Stable uint64 `json:"stable"`
	// Streams is one for each check.
	Streams []stream `json:"streams"`

	bets []bets // derived from Weight and Streams, one for each check
	held reach  // derived from Latency
}

// reach is the part of a histogram that may hold something, from first to before last: a service answers within a few powers of
// two, and most of the buckets are empty.
type reach struct{ first, last int }

func (r *reach) add(i int) {
	switch {
	case i >= r.first && i < r.last: // most often
	case r.first == r.last:
		*r = reach{i, i + 1}
	default:
		r.first, r.last = min(r.first, i), max(r.last, i+1)
	}
}

// forgotten is the remembered count of a bucket below which it is taken for none: a millionth of a request says nothing, and
// what is nothing need not be stored.
const forgotten = 1e-6

// stream is one check within one stratum, and its JSON.
type stream struct {
	// Known says that there is a centre to bet around.
	Known bool `json:"known"`
	// Centre is the guess of stable's bad rate that is in force.
	Centre float64 `json:"centre"`
	// Bad and Total are the remembered stable requests of an event, fading by the half life.
	Bad   float64 `json:"bad,omitempty"`
	Total float64 `json:"total,omitempty"`
	// StableLimit and CanaryLimit are the last buckets that are not bad, for latency.
	StableLimit int `json:"stable_limit,omitempty"`
	CanaryLimit int `json:"canary_limit,omitempty"`
	// Tied is how bad a stable request in the bucket of StableLimit is, 0 for not at all.
	//
	// The limit is the quantile p of stable: the share 1-p of its requests should be above it, and the canary is compared with
	// that share. When much of stable's traffic has one and the same latency (a cache, a clock of 10 ms, an answer of microseconds)
	// the share above is less, or nothing, though the quantile is where it is; a canary with the very same latencies then
	// never is shown to be within tolerance, and one with a few slow requests, which do not move its quantile, fails.
	// So the requests in the bucket are bad in part, such that the mean is 1-p: those are the ones that would be above if
	// ties were broken by lot.
	Tied float64 `json:"tied,omitempty"`
	// CanaryTotal, StableBad, StableTied and StableTotal count since the last refresh.
	CanaryTotal uint64 `json:"canary_total"`
	StableBad   uint64 `json:"stable_bad"`
	StableTied  uint64 `json:"stable_tied,omitempty"`
	StableTotal uint64 `json:"stable_total"`
	// StableSum is the sum of numbers that belong to StableTotal.
	StableSum float64 `json:"stable_sum,omitempty"`
}

// bets are the factors in force of one check in one stratum.
type bets struct{ harm, safe ladder }

// learnable says whether anything can be learnt from traffic that is drawn with this probability.
func learnable(w float64) bool { return w > 0 && w < maxWeight }

// fade forgets: everything remembered counts for the given part from now on.
func (s *stratum) fade(part float64) {
	s.Bad *= part
	s.Total *= part
	held := s.held
	s.held = reach{}
	for i := held.first; i < held.last; i++ {
		v := s.Latency[i] * part
		if v < forgotten {
			s.Latency[i] = 0
			continue
		}
		s.Latency[i] = v
		if s.held.last == 0 {
			s.held.first = i
		}
		s.held.last = i + 1
	}
	for i := range s.Streams {
		s.Streams[i].Bad *= part
		s.Streams[i].Total *= part
	}
}

// latencies is how many latencies are remembered.
func (s *stratum) latencies() float64 {
	total := 0.0
	for _, v := range s.Latency[s.held.first:s.held.last] {
		total += v
	}
	return total
}

// remember adds the stable requests of a block, for the checks in their order. It comes after the block was judged: what a bet is made of must not know
// what is bet on.
func (s *stratum) remember(b *Block, checks []Check) {
	s.Bad += float64(b.Stable.Bad)
	s.Total += float64(b.Stable.total())
	for _, v := range b.StableLatency {
		if v.Index >= 0 && v.Index < NumBuckets {
			s.Latency.grow(v.Index)
			s.Latency[v.Index] += float64(v.Count)
			s.held.add(v.Index)
		}
	}
	for i := range checks {
		switch c, st := &checks[i], &s.Streams[i]; {
		case c.Event > 0:
			_, stable := c.counts(b)
			st.Bad += float64(stable.Bad)
			st.Total += float64(stable.total())
		case c.Metric.Kind == MetricMean:
			_, stable := c.sums(b)
			st.Bad = max(0, st.Bad+stable.Sum)
			st.Total += float64(stable.Count)
		}
	}
}

// renew takes the guess for one check from what is remembered: latencies is their number, the same for all checks.
func (s *stratum) renew(i int, c *Check, latencies, minimum float64) {
	st := &s.Streams[i]
	switch {
	case c.absolute() || c.fed(): // looks at no stable of these requests
		return
	case c.metric():
		s.renewMetric(i, c, minimum)
		return
	case !c.latency():
		st.Known, st.Centre = true, centre(s.errors(i, c))
		return
	}
	total, counts := latencies, s.Latency[s.held.first:s.held.last]
	if st.Known = total >= minimum; !st.Known {
		return
	}
	st.StableLimit = s.held.first + quantileBucket(counts, total, c.Quantile)
	st.CanaryLimit = canaryBucket(st.StableLimit, c.Relative, float64(c.Slack.Microseconds()))
	exceed := 0.0
	for _, v := range s.Latency[st.StableLimit+1 : s.held.last] {
		exceed += v
	}
	st.Centre = latencyCentre(exceed, total, c.Quantile)
	st.Tied = 0
	if most, at := (1-c.Quantile)*total, s.Latency[st.StableLimit]; at >= leastTied && exceed < most/2 {
		st.Tied = min(1, (most-exceed)/at)
		st.Centre = latencyCentre(most, total, c.Quantile)
	}
}

// leastTied is how many remembered requests with the latency of the quantile are needed to speak of ties. Fewer are there by
// chance when there are few requests at all.
const leastTied = 5

// arm computes the factors of one check from the weight and the guess that are in force.
func (s *stratum) arm(i int, c *Check) {
	if !learnable(s.Weight) || !s.Streams[i].Known {
		return
	}
	o := c.odds(s.Weight, s.Streams[i].Centre)
	o.tied = s.Streams[i].Tied
	if c.Metric.Kind == MetricMean {
		s.bets[i].harm.setValues(o, harm)
		s.bets[i].safe.setValues(o, mild)
		return
	}
	s.bets[i].harm.set(o, harm)
	s.bets[i].safe.set(o, c.safeDirection())
}

// rate is stable's bad rate at the time of the requests since the last refresh: their own, or else the remembered one.
func (s *stratum) rate(i int, c *Check) (rate float64, known bool) {
	st := &s.Streams[i]
	switch {
	case st.StableTotal > 0:
		return (float64(st.StableBad) + st.StableSum + st.Tied*float64(st.StableTied)) / float64(st.StableTotal), true
	case c.latency():
		return st.Centre, st.Known
	}
	bad, total := s.errors(i, c)
	if total < 1 {
		return 0, false
	}
	return bad / total, true
}

// errors are the remembered stable requests of a check that is not about latency.
func (s *stratum) errors(i int, c *Check) (bad, total float64) {
	if c.remembered() {
		return s.Streams[i].Bad, s.Streams[i].Total
	}
	return s.Bad, s.Total
}

// halved is the part that remains of a memory after some time.
func halved(nanos, halfLife int64) float64 {
	return math.Exp2(-float64(max(0, nanos)) / float64(halfLife))
}
