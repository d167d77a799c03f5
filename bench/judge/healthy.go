package main

import (
	"fmt"
	"time"
)

// mostFalse is the false rollbacks that Haldane's alpha allows.
const mostFalse = 0.01

// shelf gathers the scenarios of a group.
type shelf struct {
	group group
	goal  goal // of scenarios without one
	list  []scenario
}

// add puts a scenario on the shelf.
func (h *shelf) add(s scenario) {
	s.group = h.group
	if s.goal == (goal{}) {
		s.goal = h.goal
	}
	h.list = append(h.list, s)
}

// at names a scenario after its rate and weight, and sets them.
func (s scenario) at(rate, weight float64) scenario {
	s.name = fmt.Sprintf("%s, %g/s, weight %g %%", s.name, rate, 100*weight)
	s.rate, s.weights = rate, fixed(weight)
	return s
}

// shown makes a scenario part of the summary, and of the short run.
func (s scenario) shown(quick bool) scenario {
	s.summary, s.quick = true, quick
	return s
}

// both is two variants that fail alike.
func both(errors float64) [sides]behaviour {
	return [sides]behaviour{{errors: errors}, {errors: errors}}
}

// healthyScenarios are releases with a canary that is like stable, in all kinds of traffic and weather.
func healthyScenarios() []scenario {
	h := shelf{group: healthy, goal: goal{falseRate: mostFalse}}
	for _, rate := range []float64{10, 100, 1000} {
		for _, w := range []float64{0.01, 0.05, 0.1, 0.5} {
			s := scenario{name: "same, 0.5 % errors", sides: both(0.005)}.at(rate, w)
			if w == 0.1 && rate <= 100 {
				s = s.shown(rate == 100)
			}
			h.add(s)
		}
	}
	for _, rate := range []float64{10, 100} {
		for _, w := range []float64{0.01, 0.05, 0.5} {
			h.add(scenario{name: "same, 0.1 % errors", sides: both(0.001)}.at(rate, w))
		}
	}
	h.add(scenario{name: "same, no errors", sides: both(0)}.at(100, 0.1))
	h.add(scenario{name: "same, 2 % errors", sides: both(0.02)}.at(100, 0.1))
	h.add(scenario{name: "same, 30 % errors", sides: both(0.3)}.at(100, 0.1))
	thin := scenario{name: "same, thin", sides: both(0.005)}
	h.add(thin.at(1, 0.05).shown(true))
	h.add(thin.at(1, 0.5))
	for _, w := range []float64{0.01, 0.1, 0.5} {
		h.add(scenario{name: "same, heavy tail", sides: both(0.005), family: heavyTail()}.at(100, w))
		h.add(scenario{name: "same, bimodal", sides: both(0.005), family: bimodal()}.at(100, w))
	}
	h.addForeign()
	h.addWeather()
	return h.list
}

// rungs is the ladder of weights that releases climb within the hour.
func rungs() []stage {
	const step = 12 * time.Minute
	return []stage{{0, 0.01}, {step, 0.05}, {2 * step, 0.1}, {3 * step, 0.25}, {4 * step, 0.5}}
}

// addWeather adds releases while something happens to both variants, or to the split.
func (h *shelf) addWeather() {
	for _, kind := range []weather{ramp, wandering, incident} {
		for _, w := range []float64{0.01, 0.1, 0.5} {
			s := scenario{name: "drift: " + kind.String(), sides: both(0.005), weather: kind}.at(100, w)
			if kind == incident && w == 0.1 {
				s = s.shown(true)
			}
			h.add(s)
		}
	}
	for _, kind := range []weather{rushHour, shortCrash} {
		h.add(scenario{name: "drift: " + kind.String(), sides: both(0.005), weather: kind, runs: 400}.at(100, 0.1))
	}
	for _, kind := range []weather{calm, ramp, errorRamp, wandering, incident} {
		s := scenario{name: "ladder 1-5-10-25-50 %: " + kind.String() + ", 100/s", sides: both(0.001), weather: kind}
		s.rate, s.weights = 100, rungs()
		if kind == ramp {
			s = s.shown(true)
		}
		h.add(s)
	}
	h.add(scenario{
		name: "ladder 1-5-10-25-50 %: " + errorRamp.String() + ", 1000/s", sides: both(0.001), weather: errorRamp,
		rate: 1000, weights: rungs(),
	})
	h.add(scenario{name: "round robin split", sides: both(0.005), robin: true}.at(100, 0.05))
	h.add(scenario{name: "wrong split, +5 %", sides: both(0.005), share: 1.05}.at(100, 0.1))
	h.add(scenario{name: "wrong split, +20 %", sides: both(0.005), share: 1.2}.at(100, 0.1))
}

// hardScenarios look bad and are not.
func hardScenarios() []scenario {
	h := shelf{group: hard, goal: goal{falseRate: mostFalse}}
	for _, w := range []float64{0.01, 0.1, 0.5} {
		errors := [sides]behaviour{{errors: 0.005}, {errors: 0.0065}}
		slow := [sides]behaviour{{errors: 0.001}, {errors: 0.001, slow: 1.05}}
		one := scenario{name: "edge of the tolerance: errors x1.1 + 0.1 points", sides: errors}.at(100, w)
		two := scenario{name: "edge of the tolerance: latency x1.05", sides: slow}.at(100, w)
		if w == 0.1 {
			one, two = one.shown(true), two.shown(false)
		}
		h.add(one)
		h.add(two)
	}
	chill := cold{factor: 5, decay: 15 * time.Second}
	h.add(scenario{name: "cold start: latency x5 for a while", sides: both(0.001), cold: chill}.at(100, 0.05).shown(true))
	h.add(scenario{name: "cold start: latency x5 for a while", sides: both(0.001), cold: chill}.at(1000, 0.05))
	h.add(scenario{name: "errors in clusters of 10", sides: both(0.005), cluster: 10}.at(100, 0.05))
	h.add(scenario{name: "errors in clusters of 10", sides: both(0.005), cluster: 10}.at(100, 0.5).shown(true))
	h.add(scenario{name: "errors in clusters of 50", sides: both(0.005), cluster: 50}.at(1000, 0.05))
	h.add(scenario{name: "errors in clusters of 50", sides: both(0.005), cluster: 50}.at(1000, 0.5))
	h.addPods()
	h.addCrowds()
	return h.list
}

// addPods adds pods that differ from each other as much on stable as on the canary.
func (h *shelf) addPods() {
	pausing := func(pause time.Duration) pods {
		return pods{total: 20, canary: 1, pause: pause, pauseEvery: 30 * time.Second}
	}
	for _, rate := range []float64{100, 1000} {
		h.add(scenario{name: "pods differ by 2 %", sides: both(0.001), pods: pods{total: 20, canary: 2, spread: 0.02}}.at(rate, 0.1))
		h.add(scenario{name: "each pod pauses 300 ms every 30 s", sides: both(0.001), pods: pausing(300 * time.Millisecond)}.at(rate, 0.05))
	}
	long := scenario{name: "each pod pauses 1 s every 30 s", sides: both(0.001), pods: pausing(time.Second)}
	h.add(long.at(1000, 0.05))
	long.name, long.family = "bimodal, "+long.name, bimodal()
	h.add(long.at(1000, 0.05))
}

// addCrowds adds users who stay where they are.
func (h *shelf) addCrowds() {
	for _, users := range []int{300, 3000, 30000} {
		for _, zipf := range []float64{0.8, 1.2} {
			for _, w := range []float64{0.05, 0.5} {
				s := scenario{
					name:   fmt.Sprintf("sticky: %d users, Zipf %g, 3 %% with a broken client", users, zipf),
					length: 30 * time.Minute, sides: both(0.001), runs: 200,
					crowd: crowd{users: users, zipf: zipf, broken: 0.03, spread: 0.3},
				}.at(100, w)
				if users == 300 && zipf == 1.2 && w == 0.05 {
					s = s.shown(true)
				}
				h.add(s)
			}
		}
	}
	h.addForeignCrowds()
	bots := scenario{name: "sticky: 3 bots fail every request", sides: both(0.001), crowd: crowd{users: 3000, zipf: 0.8, bots: 3}}
	h.add(bots.at(100, 0.05).shown(false))
	bots.name += " (by request, as Haldane does not)"
	bots.crowd.byRequest = true
	bots.goal.falseRate = 1 // shown for comparison
	h.add(bots.at(100, 0.05))
}

// blipScenarios are a single canary pod with a trouble that all pods have. There is no right answer: they show what the burst
// window forgives.
func blipScenarios() []scenario {
	h := shelf{group: unstable}
	for _, d := range []time.Duration{1, 2, 5, 20} {
		for _, rate := range []float64{20, 100} {
			h.add(scenario{
				name:  fmt.Sprintf("1 of 20 pods, each fails for %d s every 20 min", d),
				sides: both(0.001), runs: 100,
				pods: pods{total: 20, canary: 1, blip: d * time.Second, blipEvery: 20 * time.Minute},
			}.at(rate, 0.05))
		}
	}
	return h.list
}
