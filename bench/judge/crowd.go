package main

import (
	"math"
	"time"

	"haldane/analysis"
	"haldane/stats"
)

// crowd is users who stay on their variant: the split draws users, not requests.
type crowd struct {
	users  int     // 0: every request is drawn by itself
	zipf   float64 // how unequal they are: the k-th busiest makes k^-zipf of the requests
	broken float64 // share of users with a client that fails brokenErrors of its requests
	spread float64 // standard deviation of the log of each user's own latency
	bots   int     // users, besides, whose requests all fail
	// byRequest judges every request, as a judge would that does not know of users.
	byRequest bool
}

// brokenErrors is the error rate of a broken client, botRate the requests of a bot per second.
const (
	brokenErrors = 0.1
	botRate      = 0.5
)

// activity is the table from which the user of a request is drawn.
func (c *crowd) activity() alias {
	weights := make([]float64, c.users)
	for i := range weights {
		weights[i] = math.Pow(float64(i+1), -c.zipf)
	}
	return newAlias(weights)
}

// user is one user in one run.
type user struct {
	place  float64 // where the hash of the user puts it: on the canary when below the weight
	hash   uint64  // another hash, for the vote
	errors float64
	slow   float64
}

// town is the users of one run.
type town struct {
	law    *law
	users  []user // the bots are the last ones
	voters stats.Voters
	poll   stats.Poll
	weight float64
	votes  analysis.Block
	all    analysis.Block
}

func newTown(l *law, d *dice) *town {
	t := &town{law: l, users: make([]user, l.crowd.users+l.crowd.bots)}
	for i := range t.users {
		u := &t.users[i]
		u.place, u.hash = d.float(), d.pcg.Uint64()|1
		u.errors, u.slow = l.sides[stable].errors, math.Exp(l.crowd.spread*d.normal())
		switch {
		case i >= l.crowd.users:
			u.errors = 1
		case d.float() < l.crowd.broken:
			u.errors = brokenErrors
		}
	}
	return t
}

// play draws the requests of a tick one by one. They end in the tick in which they begin.
func (t *town) play(w *world, at time.Duration, a air) {
	if w.out.weight != t.weight {
		t.weight = w.out.weight
		t.poll.NewStep(&t.voters, clock(at))
	}
	clearBlock(&t.votes, w.out.weight)
	clearBlock(&t.all, w.out.weight)
	for range w.dice.poisson(t.law.rate * a.load * tickLength.Seconds()) {
		t.request(w, &t.users[t.law.users.draw(w.dice)], a)
	}
	for i := t.law.crowd.users; i < len(t.users); i++ {
		for range w.dice.poisson(botRate * tickLength.Seconds()) {
			t.request(w, &t.users[i], a)
		}
	}
	w.out.ended = t.all
	if !t.law.crowd.byRequest {
		w.out.votes = &t.votes
		t.poll.Look(&t.voters, clock(at), stats.Counts(t.votes.Canary))
	}
}

func (t *town) request(w *world, u *user, a air) {
	side := stable
	vote := stats.SideStable
	if u.place < w.out.weight {
		side, vote = canary, stats.SideCanary
	}
	votes := !t.law.crowd.byRequest && t.voters.Vote(u.hash, vote)
	b := &t.law.sides[side]
	bad := w.dice.float() < min(1, max(a.least, u.errors*a.errors)+b.extra)
	micros := 0.0
	if !bad {
		micros = t.law.body.draw(w.dice.pcg.Uint64(), w.dice) * a.slow * b.slow * u.slow
	}
	if side == canary {
		w.out.sent++
		if bad {
			w.out.doomed++
		}
	}
	micros = t.law.rounded(micros)
	bookRequest(&t.all, side, bad, micros)
	if votes && bad {
		t.voters.Fail(u.hash)
	}
	if votes {
		bookRequest(&t.votes, side, bad, micros)
	}
}

// bookRequest adds a request that has ended.
func bookRequest(b *analysis.Block, side int, bad bool, micros float64) {
	counts, latency := &b.Stable, &b.StableLatency
	if side == canary {
		counts, latency = &b.Canary, &b.CanaryLatency
	}
	if bad {
		counts.Bad++
		return
	}
	counts.Good++
	*latency = append(*latency, analysis.Bucket{Index: bucketOf(micros), Count: 1})
}

func clearBlock(b *analysis.Block, weight float64) {
	*b = analysis.Block{
		Stratum: 1, Weight: weight,
		CanaryLatency: b.CanaryLatency[:0], StableLatency: b.StableLatency[:0],
	}
}
