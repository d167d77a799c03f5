package stats

import (
	"sync"
	"sync/atomic"
	"time"
)

// The bounds of Samples.
const (
	// MaxSamples is how many requests are kept of a service.
	MaxSamples = 24
	// samplesPerKind is how many of them ended alike: with the same outcome and status.
	samplesPerKind = 3
)

// Sample is one request that failed. Whoever makes it leaves secrets out and cuts what is long: it is shown to people and stored.
type Sample struct {
	// Rollout is the rollout that the request was assigned under.
	Rollout string
	// Time is when it came, Took how long it lasted until its outcome was known.
	Time time.Time
	Took time.Duration
	// Secured says that it came over TLS.
	Secured bool
	// Method, Authority (the host, with its port) and Target (path and query) are what was asked for.
	Method, Authority, Target string
	// Fields are the request's fields in their order.
	Fields []SampleField
	// Cut says that the target was longer than what is kept.
	Cut bool
	// Body is the size of its body in bytes as far as it was read; the body itself is not kept.
	Body int64
	// Outcome is how it ended, Status what the endpoint answered; 0 for nothing. Stalled says that it was given up before.
	Outcome Outcome
	Status  int
	Stalled bool
	// Endpoint is the address that it was sent to; empty when there was none.
	Endpoint string
	// RequestID is the id that the endpoint got; empty when there is none.
	RequestID string
}

// SampleField is a field of a request.
type SampleField struct{ Name, Value string }

// Samples keeps a few failed requests of a service, so that people can repeat them: the first ones of each kind. Nothing is ever
// asked of it for a request that succeeded. It may be used from any goroutine; the zero value is ready.
type Samples struct {
	full  atomic.Bool // read first, so that a storm of failures does not queue here
	mu    sync.Mutex
	kept  []Sample       // guarded by mu
	kinds map[uint32]int // guarded by mu: how many there are of each kind
}

// Wants says whether a request that ended like this is worth being made into a Sample. Ask before it is made.
func (s *Samples) Wants(o Outcome, status int) bool {
	if s.full.Load() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kinds[sampleKind(o, status)] < samplesPerKind
}

// Add keeps a sample, if there is still room for it.
func (s *Samples) Add(one Sample) {
	kind := sampleKind(one.Outcome, one.Status)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) >= MaxSamples || s.kinds[kind] >= samplesPerKind {
		return
	}
	if s.kinds == nil {
		s.kinds = make(map[uint32]int)
	}
	s.kinds[kind]++
	s.kept = append(s.kept, one)
	s.full.Store(len(s.kept) >= MaxSamples)
}

// Reset forgets all of them.
func (s *Samples) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept, s.kinds = nil, nil
	s.full.Store(false)
}

// Of are the samples of a rollout, the earliest first. They are not to be changed.
func (s *Samples) Of(rollout string) []Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Sample
	for i := range s.kept {
		if s.kept[i].Rollout == rollout {
			list = append(list, s.kept[i])
		}
	}
	return list
}

// sampleKind is outcome and status in one word. A status has three digits.
func sampleKind(o Outcome, status int) uint32 { return uint32(o)<<16 | uint32(status)&0xffff }
