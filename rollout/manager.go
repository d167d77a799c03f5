package rollout

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"haldane/stats"
	"haldane/store"
)

// ErrUnknown says that the service has no rollout. Test for it with errors.Is.
var ErrUnknown = errors.New("no rollout")

// Options is what a Manager works with. All fields but Witness and Record are required.
type Options struct {
	// Store remembers the rollouts. The manager does not close it.
	Store store.Store
	// Stats counts the requests.
	Stats *stats.Registry
	// Splitter shares out the traffic.
	Splitter Splitter
	// Logger gets every event.
	Logger *zap.Logger
	// Witness adds to the reports; nil for none.
	Witness Witness
	// Record keeps what is judged of each rollout for its report, so that it can be replayed. It takes up to half a megabyte of memory for
	// each active rollout.
	Record bool
}

func (o *Options) validate() error {
	if o.Store == nil || o.Stats == nil || o.Splitter == nil || o.Logger == nil {
		return errors.New("a rollout manager needs a store, stats, a splitter and a logger")
	}
	return nil
}

// Manager runs the rollouts of all services. Everything but Run may be called before, while and after Run runs.
type Manager struct {
	options Options
	wake    chan struct{} // has room for one: a trip of a budget
	hub     hub
	stored  time.Time // when the last checkpoint was made; the loop's

	mu      sync.Mutex
	runners map[string]*runner // by service; guarded by mu
	saver   saver              // guarded by mu
	// releases are the services of each release, sorted, as the configuration has them; guarded by mu.
	releases map[string][]string
	lost     error // guarded by mu: why the store is empty, until the first Configure has acted on it
}

// NewManager loads the stored rollouts. They do nothing until Configure says which of them are still wanted. A record that
// cannot be understood is no error: its service stays on the stable variant until an operator retries.
func NewManager(o Options) (*Manager, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	records, err := o.Store.Load()
	if err != nil {
		return nil, fmt.Errorf("load the rollouts: %w", err)
	}
	m := &Manager{
		options: o,
		wake:    make(chan struct{}, 1),
		runners: make(map[string]*runner, len(records)),
		saver:   saver{store: o.Store},
		lost:    o.Store.Damage(),
	}
	if m.lost != nil {
		o.Logger.Error("the stored state of all rollouts is lost; their services stay on the stable variant until an operator retries",
			zap.Error(m.lost))
	}
	for _, record := range records {
		m.runners[record.Service] = m.load(record)
	}
	return m, nil
}

// load makes a sleeping runner of a record.
func (m *Manager) load(record store.Record) *runner {
	r := &runner{name: record.Service, stored: record.Revision, asleep: true, numbers: newNumbers()}
	memory, err := decodeMemory(record.Value)
	if err != nil {
		m.options.Logger.Error("the stored state of a rollout cannot be read; its service stays on the stable variant",
			zap.String("service", record.Service), zap.Error(err))
		r.unread = err
		return r
	}
	r.former, r.revision = memory.Former, memory.Revision
	if memory.State != nil {
		r.state, r.running, r.restored, r.crowd = *memory.State, true, memory.Judge, memory.Crowd
		m.keepRecording(r)
	}
	return r
}

// Views are all rollouts, sorted by service.
func (m *Manager) Views() []View {
	m.mu.Lock()
	defer m.mu.Unlock()
	views := []View{}
	for _, r := range m.sorted() {
		if r.awake() {
			views = append(views, m.show(r, time.Now()))
		}
	}
	return views
}

// View is the rollout of one service, with its stages and a forecast; false when it has none.
func (m *Manager) View(service string) (View, bool) {
	now := time.Now()
	v, state, known := m.withState(service, now)
	if known { // without the lock: a forecast takes its time, and a state is a value
		v.Stage.Forecast = state.forecast(now)
		v.Stages = state.sketches()
	}
	return v, known
}

// withState is the view of a service's rollout, with the state that it shows.
func (m *Manager) withState(service string, now time.Time) (View, State, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.runners[service]
	if r == nil || !r.awake() {
		return View{}, State{}, false
	}
	return m.show(r, now), r.state, true
}

// Subscribe returns the events from now on, in their order. Nobody waits for a slow subscriber: what does not fit the
// buffer (at least 1) is lost, and the next event that does fit is an EventLost that says how many. cancel ends the
// subscription and closes the channel; it may be called twice.
func (m *Manager) Subscribe(buffer int) (events <-chan Event, cancel func()) {
	return m.hub.subscribe(buffer)
}

// Do carries out an operator's command and returns the rollout as it is then. On a member of a release it is carried out on all
// of them, or on none; an override is for one service alone. The error is ErrUnknown without a rollout, an
// *ImpossibleError, ErrBadCommand, ErrMoved, ErrChanged, or that of the store: then nothing was done. A command that takes users off the canary is
// carried out even if it cannot be stored.
func (m *Manager) Do(service string, c Command) (View, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.runners[service]
	if r == nil || !r.awake() {
		return View{}, fmt.Errorf("service %q: %w", service, ErrUnknown)
	}
	now := time.Now()
	if c.Kind != CommandAbort { // an abort does not wait for a step that cannot be stored
		m.look(r, now)
	}
	err := c.checkRevision(&r.state)
	var plans []*plan
	if err == nil {
		plans, err = m.ordered(now, r, c)
	}
	if err != nil {
		return m.show(r, now), err
	}
	m.commit(now, plans)
	if err := plans[0].err; err != nil {
		return m.show(r, now), fmt.Errorf("%s %s: state cannot be stored: %w", c.Kind, service, err)
	}
	return m.show(r, now), nil
}

// AbortAll rolls back every rollout that is not decided yet, and returns those. Of the order it takes who gave it and why. It works
// when nothing can be stored.
func (m *Manager) AbortAll(order Command) ([]View, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	order = Command{Kind: CommandAbort, Reason: order.Reason, Actor: order.Actor, Caller: order.Caller, Key: order.Key}
	var plans []*plan
	for _, r := range m.sorted() {
		if !r.awake() || !r.state.Phase.Live() {
			continue
		}
		next, actions, err := Apply(r.state, now, order)
		if err != nil {
			return nil, fmt.Errorf("abort all: %w", err)
		}
		plans = append(plans, &plan{r: r, next: next, actions: actions, audit: audited(now, &order, &r.state, &next)})
	}
	m.commit(now, plans)
	views := []View{}
	for _, p := range plans {
		views = append(views, m.show(p.r, now))
	}
	return views, nil
}

// sorted are the runners by service.
func (m *Manager) sorted() []*runner {
	list := make([]*runner, 0, len(m.runners))
	for _, name := range slices.Sorted(maps.Keys(m.runners)) {
		list = append(list, m.runners[name])
	}
	return list
}
