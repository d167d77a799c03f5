package main

import (
	"math"
	"testing"
	"time"

	"haldane/analysis"
)

// sum is what a run of a world did.
type sum struct {
	ended, stalled [sides]analysis.Counts
	sent, doomed   uint64
	overdue        [sides]uint64
}

func observe(s scenario, run int) sum {
	l := prepare(s)
	w := newWorld(l, newDice(1, s.name, run))
	var total sum
	for at := tickLength; at <= l.duration(); at += tickLength {
		k := w.next(at, l.weightAt(at-tickLength))
		total.sent += k.sent
		total.doomed += k.doomed
		for side, c := range [sides]analysis.Counts{k.ended.Stable, k.ended.Canary} {
			total.ended[side].Bad += c.Bad
			total.ended[side].Good += c.Good
			total.overdue[side] += k.overdue[side] + uint64(len(k.overdueLatency[side]))
			total.stalled[side].Bad += k.stalled[side]
		}
		if n := len(k.ended.CanaryLatency); n != int(k.ended.Canary.Good) {
			panic("a good request without its latency")
		}
	}
	return total
}

// within says whether a Poisson count is within 4.5 standard deviations of its mean.
func within(t *testing.T, what string, got uint64, mean float64) {
	t.Helper()
	near(t, what, float64(got), mean, 4.5*math.Sqrt(mean)+1)
}

// What is drawn tick by tick has the rates that were asked for.
func TestWorldHasItsRates(t *testing.T) {
	const n = 100 * 1200 // requests of 20 minutes
	base := scenario{length: 20 * time.Minute, rate: 100, weights: fixed(0.1), sides: [sides]behaviour{{errors: 0.01}, {errors: 0.04}}}
	plain, robin, clustered, podded, crowded := base, base, base, base, base
	robin.robin = true
	clustered.cluster = 10
	podded.pods = pods{total: 20, canary: 2}
	for name, s := range map[string]scenario{"plain": plain, "robin": robin, "clustered": clustered, "pods": podded} {
		s.name = name
		got := observe(s, 0)
		within(t, name+": sent", got.sent, 0.1*n)
		if name == "clustered" { // ten at a time: the variance is ten times larger
			near(t, name+": failed", float64(got.ended[canary].Bad), 0.004*n, 4.5*math.Sqrt(10*0.004*n))
		} else {
			within(t, name+": failed", got.ended[canary].Bad, 0.004*n)
			within(t, name+": stable failed", got.ended[stable].Bad, 0.009*n)
		}
		// The last ones have not ended.
		within(t, name+": stable good", got.ended[stable].Good, 0.9*0.99*n)
		if got.doomed != got.ended[canary].Bad {
			t.Errorf("%s: %d were doomed, %d failed", name, got.doomed, got.ended[canary].Bad)
		}
	}
	crowded.sides[stable].errors, crowded.sides[canary].errors = 0, 0
	crowded.crowd = crowd{users: 5000, zipf: 0.5}
	got := observe(crowded, 0)
	near(t, "crowd: share of the canary", float64(got.sent)/n, 0.1, 0.02)
}

// Round robin never strays from its share.
func TestRoundRobinTakesTurns(t *testing.T) {
	s := scenario{name: "robin", length: time.Minute, rate: 100, weights: fixed(0.05), robin: true}
	l := prepare(s)
	w := newWorld(l, newDice(1, "x", 0))
	all, mine := 0.0, 0.0
	for at := tickLength; at <= l.duration(); at += tickLength {
		k := w.next(at, 0.05)
		mine += float64(k.sent)
		all += float64(k.ended.Stable.Bad+k.ended.Stable.Good) + float64(k.ended.Canary.Good)
	}
	near(t, "share", mine, 0.05*all, 3)
}

// A hanging request fails for Haldane at the first look five seconds after it began, and for everybody else after thirty.
func TestHangingRequests(t *testing.T) {
	l := prepare(scenario{length: time.Minute, rate: 100, weights: fixed(0.5), sides: [sides]behaviour{{}, {hang: 1}}})
	w := newWorld(l, newDice(1, "x", 0))
	var stalledAt, overdueAt time.Duration
	stalled, sent := uint64(0), uint64(0)
	for at := tickLength; at <= l.duration(); at += tickLength {
		k := w.next(at, 0.5)
		if at <= 30*time.Second {
			sent += k.sent
		}
		if at <= 30*time.Second+stallTimeout {
			stalled += k.stalled[canary]
		}
		if stalledAt == 0 && k.stalled[canary] > 0 {
			stalledAt = at
		}
		if overdueAt == 0 && k.overdue[canary] > 0 {
			overdueAt = at
		}
	}
	if want := stallTimeout + tickLength; stalledAt != want {
		t.Errorf("the first one is counted at %v, want %v", stalledAt, want)
	}
	if overdueAt < upstreamTimeout || overdueAt > upstreamTimeout+2*tickLength {
		t.Errorf("the first one ends at %v", overdueAt)
	}
	if stalled != sent {
		t.Errorf("%d of %d are counted", stalled, sent)
	}
}

func TestLateFaultsBeginLate(t *testing.T) {
	s := scenario{
		length: 2 * time.Minute, rate: 100, weights: fixed(0.5),
		sides: [sides]behaviour{{}, {errors: 1}}, late: time.Minute,
	}
	l := prepare(s)
	w := newWorld(l, newDice(1, "x", 0))
	for at := tickLength; at <= l.duration(); at += tickLength {
		k := w.next(at, 0.5)
		if late := at > time.Minute; (k.doomed > 0) != (late && k.sent > 0) {
			t.Fatalf("at %v %d of %d fail", at, k.doomed, k.sent)
		}
	}
}

// A user votes once a minute however busy it is, and every request counts for everybody else.
func TestUsersVoteOnceAMinute(t *testing.T) {
	s := scenario{name: "votes", length: 5 * time.Minute, rate: 200, weights: fixed(0.5), crowd: crowd{users: 200, zipf: 0}}
	l := prepare(s)
	w := newWorld(l, newDice(1, "x", 0))
	votes, all := uint64(0), uint64(0)
	for at := tickLength; at <= l.duration(); at += tickLength {
		k := w.next(at, 0.5)
		if at > time.Minute { // until enough users are known they vote more often
			b := k.judged()
			votes += b.Canary.Good + b.Stable.Good
			all += k.ended.Canary.Good + k.ended.Stable.Good
		}
	}
	if votes < 4*190 || votes > 5*200 {
		t.Errorf("200 users voted %d times in 4 minutes", votes)
	}
	within(t, "all", all, 240*200)
}
