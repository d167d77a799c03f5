package rollout

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/report"
	"haldane/store"
)

// ErrNoReport says that there is no report of that id: it is another's, or was forgotten. Test for it with errors.Is.
var ErrNoReport = errors.New("no report")

// AuditEntry is one order that was carried out.
type AuditEntry struct {
	// Time is when, Service and Rollout are what it was about.
	Time    time.Time `json:"time"`
	Service string    `json:"service"`
	Rollout string    `json:"rollout"`
	// Command is what was ordered, with Variant or Weight where it takes one.
	Command CommandKind     `json:"command"`
	Variant string          `json:"variant,omitempty"`
	Weight  *config.Percent `json:"weight,omitempty"`
	// Item is what was ticked off. Force says that it was done in spite of a gate.
	Item  string `json:"item,omitempty"`
	Force bool   `json:"force,omitempty"`
	// Result is what came of an order that moves no rollout; empty for all others.
	Result string `json:"result,omitempty"`
	// Actor is who, Reason is why; both may be empty.
	Actor  string `json:"actor,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Caller is where the order came from, as far as Haldane itself knows it: the listener, the address or the process, and the role.
	Caller string `json:"caller,omitempty"`
	// Key is the Idempotency-Key that the order was sent with.
	Key string `json:"key,omitempty"`
	// Before and After are where the rollout was.
	Before Standing `json:"before"`
	After  Standing `json:"after"`
}

// Standing is where a rollout is.
type Standing struct {
	// Phase and Pause say what it does, Step (from 0) and Weight who is exposed, Override who gets all traffic by order.
	Phase    Phase          `json:"phase"`
	Pause    Pause          `json:"pause,omitempty"`
	Step     int            `json:"step"`
	Weight   config.Percent `json:"weight"`
	Override string         `json:"override,omitempty"`
}

func (s *State) standing() Standing {
	return Standing{Phase: s.Phase, Pause: s.Pause, Step: s.Step, Weight: s.split().Weight, Override: s.Override}
}

// audited is the entry about a command.
func audited(now time.Time, c *Command, before, after *State) []store.Entry {
	entry := AuditEntry{
		Time: now, Service: before.Spec.Service, Rollout: drawID(after.ID, after.Attempt), Command: c.Kind, Variant: c.Variant,
		Item: c.Item, Force: c.Force,
		Actor: c.Actor, Reason: c.Reason, Caller: c.Caller, Key: c.Key, Before: before.standing(), After: after.standing(),
	}
	if c.Kind == CommandSetWeight {
		entry.Weight = &c.Weight
	}
	text, err := json.Marshal(entry)
	if err != nil { // plain data
		return nil
	}
	return []store.Entry{{Time: now, Key: fmt.Sprintf("%s %s %d", entry.Service, entry.Rollout, after.Sequence), Value: text}}
}

// owedEndings and owedAudit bound what waits for a store that fails.
const (
	owedEndings = 20
	owedAudit   = 200
)

// debt is what a service has still to store besides its state. Storing something twice does no harm.
type debt struct {
	endings []store.Ending
	audit   []store.Entry
}

// add adds to it, and forgets the oldest when there is too much.
func (d *debt) add(endings []store.Ending, audit []store.Entry) {
	d.endings = slices.Concat(d.endings, endings)
	d.audit = slices.Concat(d.audit, audit)
	d.endings = d.endings[max(0, len(d.endings)-owedEndings):]
	d.audit = d.audit[max(0, len(d.audit)-owedAudit):]
}

// settle takes out what was stored.
func (d *debt) settle(record *store.Record) {
	left := debt{}
	for _, e := range d.endings {
		if !slices.ContainsFunc(record.Endings, func(s store.Ending) bool { return s.ID == e.ID && s.Ended.Equal(e.Ended) }) {
			left.endings = append(left.endings, e)
		}
	}
	for _, e := range d.audit {
		if !slices.ContainsFunc(record.Audit, func(s store.Entry) bool { return s.Key == e.Key && s.Time.Equal(e.Time) }) {
			left.audit = append(left.audit, e)
		}
	}
	*d = left
}

// filed puts into a record what is to be stored with the plan's state. A transition that is stored before it is made brings its
// own report; any other has left it with the runner.
func (m *Manager) filed(p *plan, record store.Record) store.Record {
	owed := p.r.owed
	if p.has(ActionStoreFirst) {
		owed.add(m.ending(p), p.audit)
	}
	record.Endings, record.Audit = owed.endings, owed.audit
	return record
}

// ending is the report of a plan that ends a rollout; none for any other.
func (m *Manager) ending(p *plan) []store.Ending {
	if !p.has(ActionEnd) {
		return nil
	}
	e, is, err := newEnding(&p.next, m.heldBack(&p.next), m.testimony(&p.next), p.r.recording)
	if err != nil {
		m.options.Logger.Error("the report of a rollout cannot be written", zap.String("service", p.r.name), zap.Error(err))
	}
	if !is {
		return nil
	}
	return []store.Ending{e}
}

// owe keeps what happened until it is stored.
func (r *runner) owe(endings []store.Ending, audit []store.Entry) {
	if len(endings) > 0 || len(audit) > 0 {
		r.owed.add(endings, audit)
		r.changed = true
	}
}

// present is what the manager knows better than the store.
type present struct {
	endings map[string]store.Ending // by id: not stored yet
	audit   map[string]store.Entry  // by key: not stored yet
	live    map[string]bool         // by id: has not ended, although a promotion that failed may have left a report in the store
}

func (m *Manager) present() present {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := present{endings: map[string]store.Ending{}, audit: map[string]store.Entry{}, live: map[string]bool{}}
	for _, r := range m.runners {
		for _, e := range r.owed.endings {
			p.endings[e.ID] = e
		}
		for _, e := range r.owed.audit {
			p.audit[e.Key] = e
		}
		if r.running && r.state.Phase.Live() {
			p.live[drawID(r.state.ID, r.state.Attempt)] = true
		}
	}
	return p
}

// History are the rollouts of a service that have ended, or of all services for an empty name; the latest first.
func (m *Manager) History(service string) ([]report.Summary, error) {
	now := m.present()
	fresh := now.endings
	stored, err := m.options.Store.Ended(service)
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	for _, e := range stored {
		if _, known := fresh[e.ID]; !known && !now.live[e.ID] {
			fresh[e.ID] = e
		}
	}
	list := make([]report.Summary, 0, len(fresh))
	for _, e := range fresh {
		var s report.Summary
		if err := json.Unmarshal(e.Summary, &s); err != nil {
			m.options.Logger.Error("an ended rollout cannot be read", zap.String("rollout", e.ID), zap.Error(err))
			continue
		}
		if service == "" || s.Service == service {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b report.Summary) int {
		return cmp.Or(b.Ended.Compare(a.Ended), strings.Compare(a.ID, b.ID))
	})
	return list, nil
}

// Report is the report on a rollout that has ended, by its id. The error is ErrNoReport without one.
func (m *Manager) Report(id string) (report.Report, error) {
	now := m.present()
	text := now.endings[id].Report
	if text == nil && !now.live[id] {
		stored, err := m.options.Store.Report(id)
		if err != nil {
			return report.Report{}, fmt.Errorf("read report %s: %w", id, err)
		}
		text = stored
	}
	if text == nil {
		return report.Report{}, fmt.Errorf("rollout %q: %w", id, ErrNoReport)
	}
	return report.Parse(text)
}

// Audit are the latest orders that were carried out, at most so many, the latest first.
func (m *Manager) Audit(most int) ([]AuditEntry, error) {
	fresh := m.present().audit
	entries, err := m.options.Store.Audit(most)
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	for _, e := range entries {
		delete(fresh, e.Key) // a save that seemed to fail
	}
	entries = slices.AppendSeq(entries, maps.Values(fresh))
	slices.SortFunc(entries, func(a, b store.Entry) int { return cmp.Or(b.Time.Compare(a.Time), strings.Compare(b.Key, a.Key)) })
	list := make([]AuditEntry, 0, len(entries))
	for _, e := range entries[:min(most, len(entries))] {
		var entry AuditEntry
		if err := json.Unmarshal(e.Value, &entry); err != nil {
			m.options.Logger.Error("an entry of the audit cannot be read", zap.String("key", e.Key), zap.Error(err))
			continue
		}
		list = append(list, entry)
	}
	return list, nil
}

// StoreFailures is how often the state could not be stored, since the start of the process.
func (m *Manager) StoreFailures() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.saver.failures
}
