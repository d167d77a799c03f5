package rollout

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"haldane/config"
	"haldane/stats"
	"haldane/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal is what the manager did, in order: to the proxy and to the store.
type journal struct {
	mu      sync.Mutex
	entries []string
	splits  map[string]Split
	refuse  error // of the next splits
}

func (j *journal) note(what string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, what)
}

func (j *journal) SetSplit(s Split) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.refuse != nil {
		return j.refuse
	}
	j.splits[s.Service] = s
	j.entries = append(j.entries, "split "+s.Service+" "+s.Weight.String())
	return nil
}

func (j *journal) Revoke(service string) { j.note("revoke " + service) }

func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	taken := j.entries
	j.entries = nil
	return taken
}

func (j *journal) split(service string) Split {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.splits[service]
}

// slowStore is a store that can fail, and hang.
type slowStore struct {
	store.Store
	journal *journal

	mu   sync.Mutex
	fail error
	hang chan struct{} // closed to let go; nil while it does not hang
}

func (s *slowStore) Save(records []store.Record) error {
	s.mu.Lock()
	fail, hang := s.fail, s.hang
	s.mu.Unlock()
	if hang != nil {
		<-hang
	}
	if fail != nil {
		return fail
	}
	err := s.Store.Save(records)
	if err == nil {
		s.journal.note("store")
	}
	return err
}

func (s *slowStore) set(fail error, hang chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail, s.hang = fail, hang
}

// rig is a manager with everything around it.
type rig struct {
	*Manager
	t       *testing.T
	store   *slowStore
	journal *journal
	stats   *stats.Registry
	random  *rand.Rand
}

func newRig(t *testing.T) *rig {
	t.Helper()
	j := &journal{splits: map[string]Split{}}
	r := &rig{
		t: t, journal: j, store: &slowStore{Store: store.NewMemory(), journal: j},
		random: rand.New(rand.NewPCG(1, 1)),
	}
	r.reboot()
	return r
}

// reboot is another process on the same store: kill -9 and start, if the one before was not stopped.
func (r *rig) reboot() {
	r.t.Helper()
	r.stats = stats.NewRegistry(1)
	r.journal.splits = map[string]Split{}
	m, err := NewManager(Options{Store: r.store, Stats: r.stats, Splitter: r.journal, Logger: zap.NewNop()})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Manager = m
}

// configure is a reload that works.
func (r *rig) configure(specs ...Spec) []Split {
	r.t.Helper()
	return r.configureAt(time.Now(), specs...)
}

func (r *rig) configureAt(now time.Time, specs ...Spec) []Split {
	r.t.Helper()
	var got []Split
	err := r.Configure(now, specs, func(splits []Split) error {
		got = splits
		r.journal.mu.Lock()
		defer r.journal.mu.Unlock()
		r.journal.splits = map[string]Split{}
		for _, s := range splits {
			r.journal.splits[s.Service] = s
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

// run starts the loop; the returned function stops it.
func (r *rig) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	m := r.Manager
	go func() { done <- m.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, errKilled) {
			r.t.Error(err)
		}
	})
}

// traffic is what clients do to a service, in requests a second.
type traffic struct {
	service              string
	rate                 int
	canaryBad, stableBad float64
	canarySlow           float64 // share of answers that take 50 ms, not 5 ms
	stableSlow           float64
	user                 func() uint64                                         // nil for requests without a user key
	answer               func(canary bool) (stats.Outcome, int)                // how a request ends, and its status; nil for ok and 200
	report               func(canary bool, m *stats.Measures, v *stats.Values) // what an answer reports; nil for nothing
	segment              bool                                                  // whether all requests are members of the step's segment
}

// flow lets time pass with traffic that obeys the split, as the proxy does.
func (r *rig) flow(d time.Duration, tr traffic) {
	const slice = 50 * time.Millisecond
	for range d / slice {
		for range tr.rate * int(slice) / int(time.Second) {
			r.request(tr)
		}
		time.Sleep(slice) // a bubble's time: this is what lets it pass
	}
	synctest.Wait()
}

// request draws, records and charges one request, as the proxy does.
func (r *rig) request(tr traffic) {
	split := r.journal.split(tr.service)
	if split.Service == "" {
		return
	}
	service := r.stats.Service(tr.service)
	share, stratum := split.Weight, stratumSplit
	if tr.segment && split.Segment != "" {
		share, stratum = split.Strength, stratumSegment
	}
	threshold, all := share.Fraction()
	user := uint64(0)
	draw := r.random.Uint64()
	if tr.user != nil {
		user = tr.user()
		draw = user * 0x9E3779B97F4A7C15
	}
	canary := all || draw < threshold
	variant, bad, slow, side := service.Variant(split.Stable), tr.stableBad, tr.stableSlow, stats.SideStable
	if canary {
		variant, bad, slow, side = service.Variant(split.Canary), tr.canaryBad, tr.canarySlow, stats.SideCanary
	}
	record := stats.Record{Outcome: stats.OutcomeOK, Status: 200, FirstByte: r.takes(slow)}
	if tr.answer != nil {
		record.Outcome, record.Status = tr.answer(canary)
	}
	if r.random.Float64() < bad {
		record.Status = 500
	}
	ended, events := service.Kinds().Classify(record.Outcome, record.Status)
	record.Outcome = ended
	purse := service.Budget().Purse()
	if canary {
		purse.Expose(user)
		purse.Slow(record.FirstByte)
		if ended.Failed() {
			purse.Spend()
		}
	}
	if service.Voters().Vote(user, side) {
		record.Lane = stats.Judged(stratum, split.Revision).With(events)
		if ended.Failed() {
			service.Voters().Fail(user)
			purse.Compare(side, share.Ratio())
		}
	}
	begun := variant.Begin(0)
	if tr.report != nil && ended.Succeeded() {
		var values stats.Values
		tr.report(canary, service.Measures(), &values)
		variant.Measure(0, record.Lane, &values)
	}
	begun.End(record)
}

// takes is how long an answer takes: about 5 ms, or about 50 ms for a share of them.
func (r *rig) takes(slow float64) time.Duration {
	d := 5 * time.Millisecond
	if slow > 0 && r.random.Float64() < slow {
		d = 50 * time.Millisecond
	}
	return d + time.Duration(r.random.Int64N(int64(d/5)))
}

// quickSpec is a release of a few seconds a step.
func quickSpec(service string, weights ...config.Percent) Spec {
	spec := Spec{
		Service: service, Stable: "v1", Canary: "v2", CanaryIdentity: "r1", PolicyName: "quick",
		Policy: config.DefaultPolicy(), Variants: []string{"v1", "v2", "v3"},
	}
	for _, w := range weights {
		step := config.DefaultStep()
		step.Weight = w
		step.Duration = config.Duration(10 * time.Second)
		spec.Policy.Steps = append(spec.Policy.Steps, step)
	}
	spec.Policy.Bake.Duration = config.Duration(10 * time.Second)
	return spec
}

const onePercent = config.Whole / 100

// errKilled is what a store says to a process that is killed: nothing of its end is stored.
var errKilled = errors.New("killed")

var errDisk = errors.New("no space left on device")

// phase fails the test unless the service's rollout is in the phase.
func (r *rig) wantPhase(service string, want Phase) View {
	r.t.Helper()
	v, ok := r.View(service)
	if !ok || v.Phase != want {
		r.t.Fatalf("%s is %s (%s), want %s", service, v.Phase, v.Reason, want)
	}
	return v
}

// kinds are the kinds of the events of a history.
func kinds(history []Event) []EventKind {
	list := make([]EventKind, 0, len(history))
	for _, e := range history {
		list = append(list, e.Kind)
	}
	return list
}

// before says whether one entry stands before another one.
func before(entries []string, first, second string) bool {
	a, b := slices.Index(entries, first), slices.Index(entries, second)
	return a >= 0 && b > a
}
