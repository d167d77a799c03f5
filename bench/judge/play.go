package main

import "time"

// outcome is what one rule did in one run.
type outcome struct {
	Decided bool
	// Early says that it rolled back before anything was wrong.
	Early bool
	// At is when, from the fault on; Sent and Failed are the canary requests, and the failed ones, between.
	At     time.Duration
	Sent   uint64
	Failed uint64
	// Delay is the time from the first failed canary request.
	Delay time.Duration
}

// trail is what happened to the canary, tick by tick.
type trail struct {
	sent, doomed []uint64 // so far
	first        time.Duration
	failed       bool
}

func (t *trail) add(k *tick) {
	if k.at <= 0 {
		return
	}
	last := len(t.sent) - 1
	sent, doomed := k.sent, k.doomed
	if last >= 0 {
		sent += t.sent[last]
		doomed += t.doomed[last]
	}
	t.sent, t.doomed = append(t.sent, sent), append(t.doomed, doomed)
	if k.doomed > 0 && !t.failed {
		// Failures are spread over the tick; on average the first one of several comes early in it.
		t.first, t.failed = k.at-tickLength, true
	}
}

// until is what was sent and doomed up to a moment.
func (t *trail) until(at time.Duration) (sent, doomed uint64) {
	i := min(int(at/tickLength), len(t.sent)) - 1
	if i < 0 {
		return 0, 0
	}
	return t.sent[i], t.doomed[i]
}

// outcome of a decision that was made at a moment.
func (t *trail) outcome(at, fault time.Duration) outcome {
	o := outcome{Decided: true, At: at - fault, Early: at <= fault}
	sent, doomed := t.until(at)
	sentBefore, doomedBefore := t.until(fault)
	if o.Early {
		sentBefore, doomedBefore = 0, 0
	}
	o.Sent, o.Failed = sent-sentBefore, doomed-doomedBefore
	if t.failed {
		o.Delay = at - t.first
	}
	return o
}

// player is a rule at work on one stream.
type player struct {
	contestant
	rule    rule
	outcome outcome
	done    bool
}

// play runs one stream before all rules until they have decided or the time is over.
func (l *law) play(d *dice, rules []contestant) []outcome {
	w, h := newWorld(l, d), newHaldane(fullSettings())
	players := make([]player, len(rules))
	open, own := len(rules), 0
	for i, c := range rules {
		players[i] = player{contestant: c, rule: c.make()}
		if c.own {
			own++
		}
	}
	var v view
	var t trail
	for at := -history + tickLength; at <= l.duration() && open > 0; at += tickLength {
		weight := 0.0
		if at > 0 {
			weight = l.weightAt(at - tickLength)
		}
		k := w.next(at, weight)
		if v.tick = k; open > own { // somebody else's rule is still at work
			v.take(k)
		}
		t.add(k)
		if v.verdict = nil; own > 0 {
			v.verdict = h.observe(k)
			if at == l.duration() {
				v.verdict = h.ask()
			}
		}
		for i := range players {
			if p := &players[i]; p.look(&v, &t, l.late) {
				open--
				if p.own {
					own--
				}
			}
		}
	}
	outcomes := make([]outcome, len(players))
	for i := range players {
		outcomes[i] = players[i].outcome
	}
	return outcomes
}

// look says whether the player has just decided.
func (p *player) look(v *view, t *trail, fault time.Duration) bool {
	if p.done || !due(v.tick.at, p.every) {
		return false
	}
	at, rollBack := p.rule.look(v)
	if rollBack {
		p.outcome, p.done = t.outcome(at, fault), true
	}
	return rollBack
}

// due says whether a rule looks at the end of this tick.
func due(at, every time.Duration) bool {
	return every == tickLength || at > 0 && at%every == 0
}
