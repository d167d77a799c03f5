package main

import (
	"math"
	"time"
)

// weather is what happens to both variants alike.
type weather uint8

const (
	calm       weather = iota
	ramp               // latency x3 and errors x10 over the run
	errorRamp          // errors x20 over the run
	wandering          // load, latency and errors wander (an AR(1) process)
	incident           // 3 minutes with 20 % errors and latency x4
	rushHour           // load x10 over the run, latency and errors with it
	shortCrash         // 20 seconds in which 40 % of all requests fail
)

// String is the weather in words.
func (k weather) String() string {
	return [...]string{
		"calm", "ramp (latency x3, errors x10)", "errors x20", "load wanders", "incident (3 min, 20 % errors, latency x4)",
		"load x10", "20 s with 40 % errors",
	}[k]
}

// sky is the weather of one run.
type sky struct {
	kind   weather
	length time.Duration
	begins time.Duration // of the incident
	log    float64       // the wandering load
	moved  time.Duration
	dice   *dice
}

// air is what the weather is like now.
type air struct {
	load, slow, errors float64 // factors
	least              float64 // smallest share of errors
}

const (
	incidentLength = 3 * time.Minute
	crashLength    = 20 * time.Second
	stir           = 10 * time.Second // how often the wandering moves
)

func newSky(kind weather, length time.Duration, d *dice) *sky {
	s := &sky{kind: kind, length: length, dice: d}
	switch kind {
	case incident, shortCrash:
		s.begins = time.Duration(d.float() * 0.9 * float64(length))
	case wandering:
		s.log = wanderSigma * d.normal()
	}
	return s
}

// The wandering load: standard deviation of its log, and how much of it is left after each stir.
const (
	wanderSigma = 0.35
	wanderKeep  = 0.97
)

func (s *sky) at(t time.Duration) air {
	part := min(1, max(0, float64(t)/float64(s.length)))
	a := air{load: 1, slow: 1, errors: 1}
	switch s.kind {
	case ramp:
		a.slow, a.errors = 1+2*part, 1+9*part
	case errorRamp:
		a.errors = 1 + 19*part
	case rushHour:
		a.load, a.slow, a.errors = 1+9*part, 1+2*part, 1+4*part
	case incident:
		if t >= s.begins && t < s.begins+incidentLength {
			a.slow, a.least = 4, 0.2
		}
	case shortCrash:
		if t >= s.begins && t < s.begins+crashLength {
			a.least = 0.4
		}
	case wandering:
		for s.moved+stir <= t {
			s.moved += stir
			s.log = wanderKeep*s.log + math.Sqrt(1-wanderKeep*wanderKeep)*wanderSigma*s.dice.normal()
		}
		f := math.Exp(s.log)
		a.load, a.slow, a.errors = f, f, f*f
	}
	return a
}

// cold is a canary that is slow when it starts: by a factor that decays to 1.
type cold struct {
	factor float64 // 0: none
	decay  time.Duration
}

func (c cold) slow(t time.Duration) float64 {
	if c.factor == 0 || t < 0 {
		return 1
	}
	return 1 + (c.factor-1)*math.Exp(-float64(t)/float64(c.decay))
}
