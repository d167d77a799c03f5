package analysis

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Metrics as a policy makes them: a conversion of which a fall of 2 % is allowed, a basket of up to 500 with the same.
func conversionCheck() Check {
	return Check{
		Name: "conversion", Event: 1, Words: "converted", Relative: 0.02, Critical: true, Share: 0.5,
		Meaning: "conversion", Metric: Metric{Kind: MetricShare, Falls: true},
	}
}

func basketCheck() Check {
	return Check{
		Name: "basket", Relative: 0.02, Critical: true, Share: 0.5,
		Meaning: "basket", Metric: Metric{Kind: MetricMean, Values: 1, Falls: true, High: 500},
	}
}

func givenCheck() Check {
	return Check{
		Name: "orders", Relative: 0.02, Critical: true, Share: 0.5,
		Meaning: "orders", Metric: Metric{Kind: MetricGiven, Feed: "orders", Falls: true, Stale: 5 * time.Minute},
	}
}

func readingCheck() Check {
	return Check{
		Name: "queue", Critical: true, Meaning: "queue",
		Metric: Metric{Kind: MetricReading, Feed: "queue", Max: Threshold{10, true}, Failures: 3, Stale: time.Minute},
	}
}

// shopper plays requests with business numbers to a judge.
type shopper struct {
	r         *rand.Rand
	j         *Judge
	now       time.Time
	perSecond int
	weight    float64
	// convert is the chance that a request of the canary (true) or stable converts, spend what it then brings, from 0 to 1.
	convert func(canary bool) float64
	spend   func(*rand.Rand) float64
}

func newShopper(seed uint64, c Check) *shopper {
	s := Settings{Checks: []Check{{Name: "errors", Relative: 0.1, Absolute: 0.001, Critical: true, Share: 0.5}, c}}
	return &shopper{
		r: rand.New(rand.NewPCG(seed, 99)), j: NewJudge(s), now: time.Unix(1_700_000_000, 0), perSecond: 200, weight: 0.5,
		spend: func(*rand.Rand) float64 { return 1 },
	}
}

// tick plays a quarter of a second, and says whether the metric has failed.
func (s *shopper) tick() bool {
	s.now = s.now.Add(tick)
	b := Block{
		Stratum: 1, Weight: s.weight, CanaryEvents: make([]Counts, 1), StableEvents: make([]Counts, 1),
		CanaryValues: make([]Sums, 1), StableValues: make([]Sums, 1),
	}
	for range s.perSecond / 4 {
		canary := s.r.Float64() < s.weight
		counts, event, value := &b.Stable, &b.StableEvents[0], &b.StableValues[0]
		if canary {
			counts, event, value = &b.Canary, &b.CanaryEvents[0], &b.CanaryValues[0]
		}
		counts.Good++
		value.Count++
		if s.r.Float64() >= s.convert(canary) {
			event.Good++
			continue
		}
		z := s.spend(s.r)
		event.Bad++
		value.Sum += z
		value.Squares += z * z
	}
	s.j.Observe(s.now, []Block{b})
	return s.j.memory.Checks[1].FailedAt != 0
}

// post tells the totals of a minute of a feed.
func (s *shopper) post() bool {
	s.now = s.now.Add(time.Minute)
	s.j.Observe(s.now, []Block{{Stratum: 1, Weight: s.weight, Canary: Counts{Good: 1}, Stable: Counts{Good: 1}}})
	r := Report{Feed: "orders"}
	for range s.perSecond * 60 {
		canary := s.r.Float64() < 0.3
		side := &r.Stable
		if canary {
			side = &r.Canary
		}
		side.Count++
		if s.r.Float64() < s.convert(canary) {
			side.Sum++
		}
	}
	s.j.Take(s.now, r)
	return s.j.memory.Checks[1].FailedAt != 0
}

// basket is log-normal with a coefficient of variation of about 0.5, mean 40 of 500.
func basket(r *rand.Rand) float64 { return min(1, 0.072*math.Exp(0.47*r.NormFloat64())) }

func rates(canary, stable float64) func(bool) float64 {
	return func(is bool) float64 {
		if is {
			return canary
		}
		return stable
	}
}

// A canary that is as good as stable, or exactly as much worse as is allowed, fails with a chance of at most its part of alpha.
func TestMetricsDoNotFailByChance(t *testing.T) {
	unraced(t)
	if testing.Short() {
		t.Skip("takes seconds of CPU")
	}
	one := func(*rand.Rand) float64 { return 1 }
	for _, c := range []struct {
		name     string
		check    Check
		convert  func(bool) float64
		spend    func(*rand.Rand) float64
		weight   float64
		rollouts int
	}{
		{"conversion 4 %, alike", conversionCheck(), rates(0.04, 0.04), one, 0.5, 200},
		{"conversion 40 %, at the edge", conversionCheck(), rates(0.392, 0.4), one, 0.5, 300},
		{"conversion 90 %, at the edge, 10 %", conversionCheck(), rates(0.882, 0.9), one, 0.1, 300},
		{"basket, alike", basketCheck(), rates(1, 1), basket, 0.5, 200},
		{"basket per request, at the edge", basketCheck(), rates(0.049, 0.05), basket, 0.5, 300},
		{"orders, at the edge", givenCheck(), rates(0.0392, 0.04), one, 0.5, 300},
	} {
		wrong := 0
		for seed := range c.rollouts {
			s := newShopper(uint64(seed), c.check)
			s.convert, s.spend, s.weight = c.convert, c.spend, c.weight
			step, looks := s.tick, 400
			if c.check.given() {
				step, looks = s.post, 20
				s.perSecond = 20
			}
			for range looks {
				if step() {
					wrong++
					break
				}
			}
		}
		t.Logf("%s: %d of %d failed", c.name, wrong, c.rollouts)
		if limit := binomialLimit(c.rollouts, 0.01*c.check.Share); wrong > limit {
			t.Errorf("%s: %d of %d failed, at most %d are chance", c.name, wrong, c.rollouts, limit)
		}
	}
}

// A fall of a tenth is found, by shares, by means and by totals.
func TestAFallOfATenthIsFound(t *testing.T) {
	unraced(t)
	if testing.Short() {
		t.Skip("takes seconds of CPU")
	}
	one := func(*rand.Rand) float64 { return 1 }
	for _, c := range []struct {
		name    string
		check   Check
		convert func(bool) float64
		spend   func(*rand.Rand) float64
		within  uint64 // canary requests, in the median
	}{
		{"conversion 40 to 36 %", conversionCheck(), rates(0.36, 0.4), one, 9_000},
		{"conversion 90 to 81 %", conversionCheck(), rates(0.81, 0.9), one, 1_500},
		{"basket 40 to 36", basketCheck(), rates(1, 1), nil, 4_000},
		{"orders 4 to 3.6 %", givenCheck(), rates(0.036, 0.04), one, 160_000},
	} {
		var needed []float64
		for seed := range 21 {
			s := newShopper(uint64(300+seed), c.check)
			s.convert, s.spend, s.perSecond = c.convert, c.spend, 400
			step := s.tick
			if c.check.given() {
				step = s.post
			}
			for range 1500 {
				if c.spend == nil {
					s.shrinkingBasket(0.9)
				}
				if step() {
					break
				}
			}
			k := &s.j.memory.Checks[1]
			if k.FailedAt == 0 {
				t.Errorf("%s: seed %d was not found in %d canary requests: %s", c.name, seed, k.CanaryTotal, s.j.Verdict().Checks[1].Sentence)
				continue
			}
			needed = append(needed, float64(k.CanaryTotal))
		}
		median := medianOf(needed)
		t.Logf("%s: found after %.0f canary requests in the median", c.name, median)
		if median > float64(c.within) {
			t.Errorf("%s: %.0f canary requests, want at most %d", c.name, median, c.within)
		}
	}
}

// shrinkingBasket makes the next tick's numbers of the canary smaller: who draws is known only to tick, so convert notes it.
func (s *shopper) shrinkingBasket(factor float64) {
	var canary bool
	s.convert = func(is bool) float64 { canary = is; return 1 }
	s.spend = func(r *rand.Rand) float64 {
		if canary {
			return factor * basket(r)
		}
		return basket(r)
	}
}

func medianOf(list []float64) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	sorted := append([]float64(nil), list...)
	for i := range sorted {
		for k := i; k > 0 && sorted[k] < sorted[k-1]; k-- {
			sorted[k], sorted[k-1] = sorted[k-1], sorted[k]
		}
	}
	return sorted[len(sorted)/2]
}

// randomMetricOdds are odds that a metric can have.
func randomMetricOdds(r *rand.Rand) (c Check, o odds) {
	c = conversionCheck()
	c.Metric.Falls = r.IntN(2) == 0
	c.Relative, c.Absolute = 0.3*r.Float64(), 0.05*r.Float64()
	return c, c.odds(0.01+0.93*r.Float64(), r.Float64())
}

// What is booked for a number is never more than the log wealth of a game that is fair at the edge of the tolerance.
func TestNumbersAreBookedBelowAFairGame(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		_, o := randomMetricOdds(r)
		d := []direction{harm, safe, mild}[r.IntN(3)]
		j := r.IntN(d.bets())
		k := o.kappa(d, j)
		if d != harm {
			k = -k
		}
		u := o.weight / (1 - o.weight)
		f, coin, z := o.valueFactors(d, j), o.factors(d, j), r.Float64()
		one := Sums{Count: 1, Sum: z, Squares: z * z}
		for _, c := range []struct {
			what   string
			got, y float64
		}{
			{"canary", f.logValues(one, Sums{}), k * (z - o.delta - o.centre)},
			{"stable", f.logValues(Sums{}, one), -k * u * (o.rho*z - o.centre)},
			{"canary as a part", coin.logValues(one, Sums{}), k * (z - o.delta - o.centre)},
			{"stable as a part", coin.logValues(Sums{}, one), -k * u * (o.rho*z - o.centre)},
		} {
			if fair := math.Log1p(c.y); !(c.got <= fair+1e-12) || math.IsInf(c.got, 0) {
				t.Fatalf("%s, %+v, z %v, bet %d: %v is booked, fair is %v", c.what, o, z, j, c.got, fair)
			}
		}
		// The fair game: at the edge its mean is 1 over the draw and the number.
		ps := r.Float64()
		pc := o.rho*ps + o.delta
		if mean := o.weight*(1+k*(pc-o.delta-o.centre)) + (1-o.weight)*(1-k*u*(o.rho*ps-o.centre)); math.Abs(mean-1) > 1e-9 {
			t.Fatalf("%+v: the mean is %v", o, mean)
		}
	}
}

// Given totals: the expectation of the product is at most 1 for rates within tolerance, whatever the numbers of both sides.
func TestGivenTotalsAreNoMoreThanFair(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		c, _ := randomMetricOdds(r)
		n, m := 1+r.IntN(500), 1+r.IntN(500)
		o := c.odds(float64(n)/float64(n+m), r.Float64())
		ps := r.Float64()
		pc := min(1, o.rho*ps+o.delta)
		f := o.factors(harm, r.IntN(harmBets))
		expected := float64(n)*math.Log(pc*math.Exp(f.canaryBad)+(1-pc)*math.Exp(f.canaryGood)) +
			float64(m)*math.Log(ps*math.Exp(f.stableBad)+(1-ps)*math.Exp(f.stableGood))
		if expected > 1e-9 {
			t.Fatalf("%+v, %d and %d, stable %v: the log of the mean is %v", o, n, m, ps, expected)
		}
	}
}

// Splitting blocks changes nothing, and a restart from what was stored goes on exactly.
func TestMetricsAreRestoredExactly(t *testing.T) {
	for _, check := range []Check{conversionCheck(), basketCheck(), givenCheck()} {
		s := newShopper(3, check)
		s.convert, s.spend = rates(0.3, 0.4), basket
		step := s.tick
		if check.given() {
			step = s.post
			s.perSecond = 2
		}
		for range 50 {
			step()
		}
		text, err := json.Marshal(s.j.State())
		if err != nil {
			t.Fatal(err)
		}
		var state State
		if err := json.Unmarshal(text, &state); err != nil {
			t.Fatal(err)
		}
		again, err := Restore(s.j.settings, state)
		if err != nil {
			t.Fatal(err)
		}
		twin := *s
		seed := *rand.New(rand.NewPCG(1, 1))
		s.r, twin.r, twin.j = &seed, rand.New(rand.NewPCG(1, 1)), again
		step, other := s.tick, twin.tick
		if check.given() {
			step, other = s.post, twin.post
		}
		for range 50 {
			step()
			other()
		}
		if diff := cmp.Diff(s.j.Verdict(), twin.j.Verdict()); diff != "" {
			t.Errorf("%s (-went on +restored):\n%s", check.Name, diff)
		}
	}
}

func TestMetricSentences(t *testing.T) {
	s := newShopper(1, conversionCheck())
	s.convert = rates(0.36, 0.4)
	for failed := false; !failed; {
		failed = s.tick()
	}
	v := s.j.Verdict()
	c := v.Checks[1]
	t.Log(c.Sentence, "|", c.Sees)
	if v.Class != Fail || !strings.HasPrefix(c.Sentence, "canary 3") || !strings.Contains(c.Sentence, " converted, stable ") ||
		!strings.Contains(c.Sentence, "; allowed -2 %;") || c.CanaryRate > c.Allowed || c.Allowed > c.StableRate || !c.Falls {
		t.Errorf("%+v", c)
	}
	s = newShopper(1, basketCheck())
	s.convert, s.spend = rates(1, 1), basket
	for range 200 {
		s.tick()
	}
	c = s.j.Verdict().Checks[1]
	t.Log(c.Sentence, "|", c.Sees)
	if !c.Mean || c.CanaryRate < 35 || c.CanaryRate > 45 || c.CanaryLow > c.CanaryRate || c.Gross > c.Allowed {
		t.Errorf("%+v", c)
	}
}

// Readings are held against their threshold, so many in a row, and what is not known is no data.
func TestReadings(t *testing.T) {
	s := newShopper(1, readingCheck())
	s.convert = rates(0, 0)
	take := func(value float64) CheckVerdict {
		s.now = s.now.Add(30 * time.Second)
		s.j.Observe(s.now, []Block{{Stratum: 1, Weight: 0.5, Canary: Counts{Good: 100}, Stable: Counts{Good: 100}}})
		s.j.Take(s.now, Report{Feed: "queue", CanaryValue: value})
		return s.j.Verdict().Checks[1]
	}
	if c := s.j.Verdict().Checks[1]; c.Class != NoData || c.Cause != CauseStale {
		t.Errorf("%+v", c)
	}
	for i, c := range []struct {
		value float64
		want  Class
	}{{5, Pass}, {11, Marginal}, {12, Marginal}, {10, Pass}, {11, Marginal}, {11, Marginal}, {11, Fail}, {1, Fail}} {
		if got := take(c.value); got.Class != c.want || !got.Threshold || !strings.HasPrefix(got.Sentence, "threshold: canary ") {
			t.Errorf("%d: %v is %v: %s", i, c.value, got.Class, got.Sentence)
		}
	}
	s = newShopper(1, readingCheck())
	take(5)
	s.j.Take(s.now, Report{Feed: "queue", Problem: "no answer"})
	if c := s.j.Verdict().Checks[1]; c.Class != NoData || c.Cause != CauseError || c.Sentence != "no answer" || c.Powered {
		t.Errorf("%+v", c)
	}
	take(5)
	s.now = s.now.Add(2 * time.Minute)
	s.j.Observe(s.now, nil)
	if c := s.j.Verdict().Checks[1]; c.Class != NoData || c.Cause != CauseStale || c.Sentence != "the last numbers are 2 min old" {
		t.Errorf("%+v", c)
	}
}

// Totals are not compared while nothing is drawn at random: the variants serve different users then.
func TestTotalsNeedADraw(t *testing.T) {
	s := newShopper(1, givenCheck())
	s.weight = 0
	s.convert = rates(0, 0.9)
	for range 5 {
		s.post()
	}
	if c := s.j.Verdict().Checks[1]; c.Class == Fail || c.CanaryTotal != 0 {
		t.Errorf("%+v", c)
	}
}
