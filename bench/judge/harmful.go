package main

import "time"

const (
	// leastPower is the share of harmful releases that must be found where it can be done at all.
	leastPower = 0.99
	// totalDelay is the longest time from the first failure of a canary that fails every request to its rollback.
	totalDelay = 3500 * time.Millisecond
	// hangDelay is the same for a canary that never answers, from its first request.
	hangDelay = 8500 * time.Millisecond
)

// found is a goal: to find it, with at most so many canary requests in the median. The number is what a good judge of this
// kind needs, with a quarter (or 50) more.
func found(requests float64) goal {
	if requests == 0 {
		return goal{}
	}
	return goal{power: leastPower, requests: max(1.25*requests, min(requests+50, 250))}
}

// fault is a kind of harm and, by rate and weight, how many canary requests a good judge needs; 0 where it cannot be sure to
// find it within the hour.
type fault struct {
	name  string
	sides [sides]behaviour
	need  [3][4]float64
}

func errorFaults() []fault {
	rates := func(from, to float64) [sides]behaviour { return [sides]behaviour{{errors: from}, {errors: to}} }
	return []fault{
		{"errors 0.1 -> 1 %", rates(0.001, 0.01), [3][4]float64{{0, 0, 971, 2361}, {900, 953, 1011, 2424}, {1003, 1106, 1267, 3026}}},
		{"errors 0.5 -> 1 %", rates(0.005, 0.01), [3][4]float64{{}, {0, 0, 8376, 19884}, {8620, 8597, 9605, 19469}}},
		{"errors 1 -> 5 %", rates(0.01, 0.05), [3][4]float64{{0, 214, 263, 643}, {193, 234, 279, 705}, {247, 323, 410, 1285}}},
		{"errors 0 -> 100 %", rates(0, 1), [3][4]float64{{3, 4, 5, 17}, {4, 12, 23, 112}, {22, 112, 222, 1123}}},
	}
}

func latencyFaults() []fault {
	slow := func(b behaviour) [sides]behaviour {
		b.errors = 0.001
		return [sides]behaviour{{errors: 0.001}, b}
	}
	return []fault{
		{"p99 x1.25", slow(behaviour{tail: 1.25}), [3][4]float64{{}, {0, 0, 9715, 20480}, {8242, 11264, 16603, 49661}}},
		{"p99 x2", slow(behaviour{tail: 2}), [3][4]float64{{0, 671, 734, 1694}, {572, 985, 1317, 4682}, {1287, 3963, 7397, 35576}}},
		{"all x1.1", slow(behaviour{slow: 1.1}), [3][4]float64{{}, {0, 8766, 9404, 20198}, {8490, 11573, 16761, 50409}}},
		{"all x1.5", slow(behaviour{slow: 1.5}), [3][4]float64{{78, 118, 153, 490}, {147, 414, 755, 3580}, {742, 3548, 7098, 35465}}},
	}
}

func faultScenarios(g group, faults []fault) []scenario {
	h := shelf{group: g}
	for i, rate := range []float64{10, 100, 1000} {
		for k, w := range []float64{0.01, 0.05, 0.1, 0.5} {
			for _, f := range faults {
				s := scenario{name: f.name, sides: f.sides, goal: found(f.need[i][k])}.at(rate, w)
				if rate == 100 && w == 0.05 {
					s = s.shown(true)
				}
				if f.sides[canary].errors == 1 && rate*w >= 5 { // below that the failures themselves take longer to come
					s.goal.delay = totalDelay
				}
				h.add(s)
			}
		}
	}
	return h.list
}

// lateStart is when late faults begin.
const lateStart = 30 * time.Minute

// shapeScenarios are faults under other laws, late ones, and faults that hide in a drift.
func shapeScenarios() []scenario {
	h := shelf{group: shapes}
	h.addFamilies()
	h.addForeignFaults()
	errors := func(from, to float64) [sides]behaviour { return [sides]behaviour{{errors: from}, {errors: to}} }
	like := func(b behaviour) [sides]behaviour {
		b.errors = 0.001
		return [sides]behaviour{{errors: 0.001}, b}
	}
	sure := goal{power: leastPower}
	late := func(name string, b [sides]behaviour, need float64) scenario {
		return scenario{name: "late (30 min): " + name, sides: b, late: lateStart, goal: found(need)}.at(100, 0.1)
	}
	h.add(late("errors 0.1 -> 1 %", errors(0.001, 0.01), 2197).shown(false))
	h.add(late("errors 0.1 -> 100 %", errors(0.001, 1), 55).shown(true))
	h.add(late("p99 x2", like(behaviour{tail: 2}), 1344))
	h.add(late("all x1.5", like(behaviour{slow: 1.5}), 348))
	h.add(scenario{
		name: "ladder, fails from weight 25 % on: errors 0.1 -> 5 %, 100/s", goal: sure, sides: errors(0.001, 0.05),
		rate: 100, weights: rungs(), loaded: 0.25, late: rungs()[3].from,
	})
	h.add(scenario{
		name: "ladder, " + ramp.String() + ", canary + 0.9 points of errors, 100/s", goal: sure, sides: like(behaviour{extra: 0.009}),
		rate: 100, weights: rungs(), weather: ramp,
	})
	h.add(scenario{name: ramp.String() + ", p99 x2", goal: found(1311), sides: like(behaviour{tail: 2}), weather: ramp}.at(100, 0.1))
	h.add(scenario{name: wandering.String() + ", all x1.1", goal: sure, sides: like(behaviour{slow: 1.1}), weather: wandering}.at(100, 0.1))
	h.add(scenario{name: "errors in clusters of 10, 0.5 -> 5 %", goal: sure, sides: errors(0.005, 0.05), cluster: 10}.at(100, 0.1))
	h.add(scenario{
		name: "sticky: 3000 users, errors + 10 points", goal: sure, sides: like(behaviour{extra: 0.1}),
		crowd: crowd{users: 3000, zipf: 0.8}, runs: 200,
	}.at(100, 0.1))
	h.add(scenario{
		name: "sticky: 10 users, the canary fails every request", length: 10 * time.Minute, sides: like(behaviour{extra: 1}),
		crowd: crowd{users: 10, zipf: 0.8},
	}.at(10, 0.5))
	return h.list
}

// addFamilies adds faults of services with a heavy tail or with two modes.
func (h *shelf) addFamilies() {
	for _, f := range []struct {
		name   string
		family family
	}{{"heavy tail", heavyTail()}, {"bimodal", bimodal()}} {
		for _, w := range []float64{0.05, 0.5} {
			for _, fault := range latencyFaults()[1:] {
				s := scenario{name: f.name + ": " + fault.name, sides: fault.sides, family: f.family, goal: goal{power: leastPower}}
				// A tenth of a median of 5 ms is within the slack of 1 ms, and a tenth more on a heavy tail takes luck.
				if fault.name == "all x1.1" && (f.name == "bimodal" || w < 0.5) {
					s.goal = goal{}
				}
				h.add(s.at(100, w))
			}
		}
	}
}

func hangScenarios() []scenario {
	h := shelf{group: hanging}
	all := scenario{sides: [sides]behaviour{{errors: 0.001}, {errors: 0.001, hang: 1}}, length: 15 * time.Minute}
	all.goal = goal{power: leastPower, delay: hangDelay}
	all.name = "all requests hang"
	h.add(all.at(100, 0.05).shown(true))
	h.add(all.at(100, 0.5))
	h.add(all.at(1000, 0.01))
	some := scenario{name: "2 % of the requests hang", sides: [sides]behaviour{{errors: 0.001}, {errors: 0.001, hang: 0.02}}}
	some.goal.power = leastPower
	h.add(some.at(100, 0.05))
	return h.list
}

// catalogue is every scenario with weights of its own.
func catalogue() []scenario {
	list := healthyScenarios()
	list = append(list, hardScenarios()...)
	list = append(list, blipScenarios()...)
	list = append(list, faultScenarios(failing, errorFaults())...)
	list = append(list, faultScenarios(slower, latencyFaults())...)
	list = append(list, shapeScenarios()...)
	return append(list, hangScenarios()...)
}
