package main

import (
	"math"
	"time"
)

// pods are the instances behind the variants. Each one has troubles of its own.
type pods struct {
	total  int     // 0: pods do not matter
	canary int     // how many of them are the canary's
	spread float64 // standard deviation of the log of each pod's own speed

	pause, pauseEvery time.Duration // all requests that begin in a pause wait for its end
	blip, blipEvery   time.Duration // all requests of a pod fail for so long, about so often
}

// pod is one instance in one run.
type pod struct {
	slow       float64
	nextPause  time.Duration
	blipEnds   time.Duration
	nextBlip   time.Duration
	blipsStart time.Duration
}

// plant is all pods of a run: first the canary's.
type plant struct {
	pods pods
	list []pod
}

func newPlant(p pods, d *dice) *plant {
	x := &plant{pods: p, list: make([]pod, p.total)}
	for i := range x.list {
		x.list[i].slow = math.Exp(p.spread * d.normal())
		x.list[i].nextPause = -history + time.Duration(d.float()*float64(p.pauseEvery))
		x.list[i].nextBlip = -history + time.Duration(d.exponential()*float64(p.blipEvery))
	}
	return x
}

// play draws the requests of a tick one by one.
func (x *plant) play(w *world, begins time.Duration, a air) {
	mean := w.law.rate * a.load * tickLength.Seconds()
	share := w.out.weight * w.law.share
	for i := range x.list {
		x.list[i].move(x.pods, begins, w.dice)
	}
	for side, m := range [sides]float64{mean * (1 - share), mean * share} {
		b := w.behaviour(side, begins)
		first, last := x.pods.canary, x.pods.total
		if side == canary {
			first, last = 0, x.pods.canary
		}
		for range w.dice.poisson(m) {
			p := &x.list[first+w.dice.below(last-first)]
			bad := p.down(begins) || w.dice.float() < b.failing(a)
			if side == canary {
				w.out.sent++
			}
			if bad {
				w.slots[w.turn].counts[side].Bad++
				if side == canary {
					w.out.doomed++
				}
				continue
			}
			random := w.dice.pcg.Uint64()
			micros := w.law.body.draw(random, w.dice) * a.slow * b.slow * p.slow
			micros += p.wait(x.pods, begins, random)
			w.finish(side, random, micros)
		}
	}
}

// move brings a pod to the tick.
func (p *pod) move(all pods, begins time.Duration, d *dice) {
	for all.pause > 0 && p.nextPause+all.pause <= begins {
		p.nextPause += all.pauseEvery
	}
	for all.blip > 0 && p.nextBlip <= begins {
		p.blipsStart = p.nextBlip
		p.blipEnds = p.nextBlip + all.blip
		p.nextBlip = p.blipEnds + time.Duration(d.exponential()*float64(all.blipEvery))
	}
}

func (p *pod) down(at time.Duration) bool { return at >= p.blipsStart && at < p.blipEnds }

// wait is how long, in microseconds, a request that begins within the tick waits for the end of a pause.
func (p *pod) wait(all pods, begins time.Duration, random uint64) float64 {
	if all.pause == 0 {
		return 0
	}
	at := begins + time.Duration(float64(uint32(random))*0x1p-32*float64(tickLength))
	if end := p.nextPause + all.pause; at >= p.nextPause && at < end {
		return float64((end - at).Microseconds())
	}
	return 0
}
