package main

import (
	"time"

	"haldane/analysis"
)

// tick is what happens in one tick.
type tick struct {
	at     time.Duration // its end, since the canary may get requests; history is negative
	weight float64       // as stated

	ended analysis.Block // what ends, as everybody sees it
	// stalled is requests that Haldane takes for failed because they have had no answer for so long; overdue is the same requests
	// when they end for everybody else, long after.
	stalled, overdue [sides]uint64
	overdueLatency   [sides][]analysis.Bucket
	votes            *analysis.Block // what may be judged, when users vote; nil for everything

	sent, doomed uint64 // canary requests that begin, and how many of them will fail
}

// judged is what Haldane hands to its judge.
func (t *tick) judged() analysis.Block {
	if t.votes != nil {
		return *t.votes
	}
	b := t.ended
	b.Canary.Bad += t.stalled[canary]
	b.Stable.Bad += t.stalled[stable]
	return b
}

const (
	// stallTimeout is how long Haldane waits for an answer before it counts a request as failed.
	stallTimeout = 5 * time.Second
	// upstreamTimeout is when a hanging request ends.
	upstreamTimeout = 30 * time.Second
	// ahead is how many ticks a request may take; one that takes longer ends in the last of them.
	ahead = 256
)

// slot gathers what will end in a tick to come.
type slot struct {
	counts         [sides]analysis.Counts
	latency        [sides][]analysis.Bucket
	stalled        [sides]uint64
	overdue        [sides]uint64
	overdueLatency [sides][]analysis.Bucket
}

// clear empties a slot that is over. Its lists serve the next slots: so few of them are in use that they stay in the processor's
// cache.
func (w *world) clear(s *slot) {
	for side := range sides {
		if s.latency[side] != nil {
			w.spare = append(w.spare, s.latency[side][:0])
		}
		overdue := s.overdueLatency[side][:0]
		s.counts[side], s.latency[side], s.overdueLatency[side] = analysis.Counts{}, nil, overdue
		s.stalled[side], s.overdue[side] = 0, 0
	}
}

// list is an empty list of latencies.
func (w *world) list() []analysis.Bucket {
	last := len(w.spare) - 1
	if last < 0 {
		return make([]analysis.Bucket, 0, 16)
	}
	list := w.spare[last]
	w.spare = w.spare[:last]
	return list
}

// world is the traffic of one run.
type world struct {
	law   *law
	dice  *dice
	sky   *sky
	slots [ahead]slot
	spare [][]analysis.Bucket // lists that no slot needs now
	turn  int
	robin float64 // round robin: how much of a request the canary is owed
	plant *plant  // pods; nil for none
	town  *town   // sticky users; nil for none
	out   tick
}

func newWorld(l *law, d *dice) *world {
	w := &world{law: l, dice: d, sky: newSky(l.weather, l.duration(), d)}
	if l.pods.total > 0 {
		w.plant = newPlant(l.pods, d)
	}
	if l.crowd.users > 0 {
		w.town = newTown(l, d)
	}
	return w
}

// next plays the tick that ends at a moment, with the weight that is in force. What it returns is valid until the next call.
func (w *world) next(at time.Duration, weight float64) *tick {
	w.turn = (w.turn + 1) % ahead
	now := &w.slots[w.turn]
	w.out = tick{at: at, weight: weight}
	begins := at - tickLength
	a := w.sky.at(begins)
	switch {
	case w.town != nil:
		w.town.play(w, at, a)
		return &w.out
	case w.plant != nil:
		w.plant.play(w, begins, a)
	default:
		w.play(begins, a)
	}
	w.out.ended = analysis.Block{
		Stratum: 1, Weight: weight,
		Canary: now.counts[canary], Stable: now.counts[stable],
		CanaryLatency: now.latency[canary], StableLatency: now.latency[stable],
	}
	w.out.stalled, w.out.overdue, w.out.overdueLatency = now.stalled, now.overdue, now.overdueLatency
	// The slot that comes a whole turn from now is the one before this one: it is over.
	w.clear(&w.slots[(w.turn+ahead-1)%ahead])
	return &w.out
}

// play draws the requests of both sides.
func (w *world) play(begins time.Duration, a air) {
	mean := w.law.rate * a.load * tickLength.Seconds()
	share := min(1, w.out.weight*w.law.share)
	means := [sides]float64{mean * (1 - share), mean * share}
	if w.law.robin && share > 0 {
		w.playInTurns(begins, a, mean, share)
		return
	}
	for side, m := range means {
		b := w.behaviour(side, begins)
		p := b.failing(a)
		var bad int
		if size := w.law.cluster; size > 0 {
			bad = size * w.dice.poisson(m*p/float64(size))
		} else {
			bad = w.dice.poisson(m * p)
		}
		hang := w.dice.poisson(m * (1 - p) * b.hang)
		good := w.dice.poisson(m * (1 - p) * (1 - b.hang))
		w.begin(side, begins, a, drawn{bad: bad, good: good, hang: hang})
	}
}

// playInTurns gives every n-th request to the canary.
func (w *world) playInTurns(begins time.Duration, a air, mean, share float64) {
	n := w.dice.poisson(mean)
	w.robin += float64(n) * share
	mine := int(w.robin)
	w.robin -= float64(mine)
	for side, all := range [sides]int{n - mine, mine} {
		bad := w.dice.binomial(all, w.behaviour(side, begins).failing(a))
		w.begin(side, begins, a, drawn{bad: bad, good: all - bad})
	}
}

// behaviour is how a side answers now.
func (w *world) behaviour(side int, at time.Duration) *behaviour {
	if side == canary && (at < w.law.late || w.out.weight < w.law.loaded) {
		side = stable
	}
	return &w.law.sides[side]
}

// failing is the chance of a request to fail in this air.
func (b *behaviour) failing(a air) float64 { return min(1, max(a.least, b.errors*a.errors)+b.extra) }

// drawn is how many requests of a side begin in a tick, by what becomes of them.
type drawn struct{ bad, good, hang int }

func (w *world) begin(side int, begins time.Duration, a air, n drawn) {
	b := w.behaviour(side, begins)
	slow := a.slow * b.slow
	table := w.law.body
	if side == canary {
		slow *= w.law.cold.slow(begins)
		if b == &w.law.sides[canary] {
			table = w.law.changed
		}
		w.out.sent += uint64(n.bad + n.good + n.hang)
		w.out.doomed += uint64(n.bad + n.hang)
	}
	w.slots[w.turn].counts[side].Bad += uint64(n.bad)
	for range n.good {
		random := w.dice.pcg.Uint64()
		w.finish(side, random, table.draw(random, w.dice)*slow)
	}
	for range n.hang {
		w.stall(side)
		w.in(upstreamTimeout, w.dice.float()).overdue[side]++
	}
}

// in is the slot of the tick that lies so far ahead of a moment within this tick.
func (w *world) in(d time.Duration, part float64) *slot {
	n := int(part + float64(d)/float64(tickLength))
	return &w.slots[(w.turn+min(n, ahead-2))%ahead]
}

// finish books a good request in the tick in which it ends. The lower half of the random bits says when it began.
func (w *world) finish(side int, random uint64, micros float64) {
	micros = w.law.rounded(micros)
	const perMicro = 1 / float64(tickLength/time.Microsecond)
	bucket := analysis.Bucket{Index: bucketOf(micros), Count: 1}
	n := int(float64(uint32(random))*0x1p-32 + micros*perMicro)
	s := &w.slots[(w.turn+min(n, ahead-2))%ahead]
	if micros < float64(stallTimeout/time.Microsecond) {
		if s.latency[side] == nil {
			s.latency[side] = w.list()
		}
		s.latency[side] = append(s.latency[side], bucket)
		s.counts[side].Good++
		return
	}
	w.stall(side)
	s.overdueLatency[side] = append(s.overdueLatency[side], bucket)
}

// stall books a request that has no answer when its time is over. Haldane looks at every tick for those that are due; one that
// began within this tick is due within the tick that ends the timeout later.
func (w *world) stall(side int) {
	w.slots[(w.turn+int(stallTimeout/tickLength))%ahead].stalled[side]++
}
