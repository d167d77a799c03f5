package main

import "time"

// foreignFamilies are services that the judge's numbers were not chosen with.
func foreignFamilies() []scenario {
	const ms = 1000
	return []scenario{
		{name: "a clock of 10 ms", clock: 10 * ms},
		{name: "a clock of 100 ms", clock: 100 * ms},
		{name: "answers of 5 ms by a clock of 10 ms", family: family{{share: 1, scale: 5 * ms, sigma: 0.1}}, clock: 10 * ms},
		{name: "quick answers", family: quick()},
		{name: "an endless tail", family: endless()},
		{name: "three modes", family: threeModes()},
	}
}

// foreignRuns is the most runs of a healthy one: there are many of them.
const foreignRuns = 300

// addForeign adds healthy releases of such services, and at other rates and weights.
func (h *shelf) addForeign() {
	for _, s := range foreignFamilies() {
		s.sides, s.length, s.runs = both(0.002), 30*time.Minute, foreignRuns
		h.add(s.at(100, 0.1))
		h.add(s.at(100, 0.5))
	}
	same := scenario{name: "same, 1 % errors", sides: both(0.01), runs: foreignRuns}
	h.add(same.at(30, 0.25))
	h.add(same.at(300, 0.02))
	h.add(same.at(3, 0.5))
	for _, w := range []float64{0.1, 0.5} {
		h.add(scenario{name: "same, errors in clusters of 3", sides: both(0.005), cluster: 3, runs: foreignRuns}.at(100, w))
	}
}

// addForeignCrowds adds other mixes of users.
func (h *shelf) addForeignCrowds() {
	for _, c := range []struct {
		name  string
		crowd crowd
	}{
		{"sticky: 12 users", crowd{users: 12, zipf: 0.5, spread: 0.2}},
		{"sticky: 60 users, very unequal", crowd{users: 60, zipf: 1.6, spread: 0.3}},
		{"sticky: 1000 users, a third with a broken client", crowd{users: 1000, zipf: 1, broken: 0.33, spread: 0.3}},
	} {
		for _, w := range []float64{0.1, 0.5} {
			h.add(scenario{name: c.name, length: 30 * time.Minute, sides: both(0.002), runs: foreignRuns, crowd: c.crowd}.at(50, w))
		}
	}
}

// addForeignFaults adds faults of such services.
func (h *shelf) addForeignFaults() {
	for _, s := range foreignFamilies() {
		for _, b := range []behaviour{{slow: 2}, {tail: 3}} {
			s, name := s, "all x2"
			if b.tail > 0 {
				name = "p99 x3"
			}
			b.errors = 0.002
			s.name += ": " + name
			s.sides, s.goal = [sides]behaviour{{errors: 0.002}, b}, goal{power: leastPower}
			s.runs = 100
			h.add(s.at(100, 0.1))
		}
	}
	h.add(scenario{name: "errors 2 -> 6 %", sides: [sides]behaviour{{errors: 0.02}, {errors: 0.06}}, goal: goal{power: leastPower}, runs: 200}.at(30, 0.25))
	h.add(scenario{name: "errors 0.1 -> 2 %", sides: [sides]behaviour{{errors: 0.001}, {errors: 0.02}}, goal: goal{power: leastPower}, runs: 200}.at(300, 0.02))
}
