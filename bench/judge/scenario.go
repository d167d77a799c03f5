package main

import "time"

// tickLength is how often Haldane looks.
const tickLength = 250 * time.Millisecond

// history is how long stable is seen before the canary gets its first request.
const history = 2 * time.Minute

// The sides of a release.
const (
	stable = iota
	canary
	sides
)

// behaviour is how a variant answers.
type behaviour struct {
	errors float64 // share of failed requests; grows with the drift
	extra  float64 // failed requests on top of that; does not grow
	slow   float64 // factor on every latency; 0 is 1
	tail   float64 // factor on p99, p90 and below untouched; 0 is 1
	hang   float64 // share of requests without an answer
}

// stage is a weight from some moment on.
type stage struct {
	from   time.Duration
	weight float64
}

// scenario is a law of traffic.
type scenario struct {
	name    string
	group   group
	quick   bool // also in the short run
	summary bool // in the summary table
	runs    int  // most runs; 0 for as many as are asked for

	length  time.Duration // 0: one hour
	rate    float64       // requests per second, both variants together
	weights []stage
	family  family  // nil: logNormal
	clock   float64 // latencies are whole multiples of it, in microseconds; 0: they are not

	sides   [sides]behaviour
	late    time.Duration // the canary behaves like stable until then
	loaded  float64       // the canary behaves like stable below this weight
	weather weather       // what happens to both
	cluster int           // failures come together, so many at once; 0: one by one
	share   float64       // what the canary gets of what the weight says; 0 is 1
	robin   bool          // the split takes turns instead of drawing
	cold    cold          // the canary starts cold
	pods    pods
	crowd   crowd

	goal goal
}

// group says what a right answer is.
type group uint8

const (
	healthy group = iota + 1 // no rollback
	hard                     // no rollback either, though it looks bad
	unstable
	failing // rollback
	slower
	shapes
	hanging
)

func (g group) title() string {
	switch g {
	case healthy:
		return "Healthy releases: the canary is like stable"
	case hard:
		return "Hard healthy releases: edge of the tolerance, cold start, clusters, pods, users"
	case unstable:
		return "Blips of a single canary pod (every pod of both variants has them equally often)"
	case failing:
		return "Harmful releases: errors"
	case slower:
		return "Harmful releases: latency"
	case shapes:
		return "Harmful releases: other laws of latency, late faults, drift"
	case hanging:
		return "A canary that hangs"
	}
	return "Other"
}

// harmful says whether a rollback is the right answer.
func (g group) harmful() bool { return g >= failing }

// goal is what Haldane is held to.
type goal struct {
	falseRate float64       // most false rollbacks; 0 for none asked
	power     float64       // least share of detections; 0 for none asked
	requests  float64       // largest median of canary requests until detection; 0 for none asked
	delay     time.Duration // longest time from the first failure to the rollback; 0 for none asked
}

// fixed is one weight for all the time.
func fixed(w float64) []stage { return []stage{{0, w}} }

// weightAt is the weight in force at a moment.
func (s *scenario) weightAt(at time.Duration) float64 {
	w := 0.0
	for _, st := range s.weights {
		if at >= st.from {
			w = st.weight
		}
	}
	return w
}

func (s *scenario) duration() time.Duration {
	if s.length == 0 {
		return time.Hour
	}
	return s.length
}

// law is a scenario with its tables: read-only, shared by all runs.
type law struct {
	scenario
	body    *latencies // of stable
	changed *latencies // of the canary
	users   alias
}

func prepare(s scenario) *law {
	if s.family == nil {
		s.family = logNormal()
	}
	for i := range s.sides {
		s.sides[i].slow = orOne(s.sides[i].slow)
	}
	s.share = orOne(s.share)
	l := &law{scenario: s}
	l.body = newLatencies(s.family, s.sides[stable].tail)
	l.changed = l.body
	if s.sides[canary].tail != s.sides[stable].tail {
		l.changed = newLatencies(s.family, s.sides[canary].tail)
	}
	if s.crowd.users > 0 {
		l.users = s.crowd.activity()
	}
	return l
}

func orOne(v float64) float64 {
	if v == 0 {
		return 1
	}
	return v
}
