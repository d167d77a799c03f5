package store

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// memory forgets everything with the process.
type memory struct {
	damage error // why it begins empty; set once

	mu      sync.Mutex
	records map[string]Record
	endings []Ending // oldest first
	audit   []Entry  // oldest first
	closed  bool
}

// NewMemory returns a store that forgets everything when the process ends.
func NewMemory() Store {
	return &memory{records: map[string]Record{}}
}

// NewSubstitute returns a store in memory that stands in for one that cannot be used: damage says why, and is its Damage.
func NewSubstitute(damage error) Store {
	return &memory{records: map[string]Record{}, damage: damage}
}

// Load implements Store.
func (m *memory) Load() ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, fmt.Errorf("load rollouts: %w", errClosed())
	}
	out := make([]Record, 0, len(m.records))
	for _, r := range m.records {
		r.Value = slices.Clone(r.Value)
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Record) int { return strings.Compare(a.Service, b.Service) })
	return out, nil
}

// Save implements Store.
func (m *memory) Save(records []Record) error {
	if err := checkRecords(records); err != nil {
		return fmt.Errorf("save rollouts: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return fmt.Errorf("save rollouts: %w", errClosed())
	}
	for _, r := range records {
		if err := checkRevision(r, m.records[r.Service].Revision); err != nil {
			return fmt.Errorf("save rollouts: %w", err)
		}
	}
	for _, r := range records {
		m.file(r.Endings)
		m.note(r.Audit)
		m.records[r.Service] = Record{Service: r.Service, Revision: r.Revision + 1, Value: slices.Clone(r.Value)}
	}
	return nil
}

// file keeps ended rollouts.
func (m *memory) file(endings []Ending) {
	if len(endings) == 0 {
		return
	}
	for _, e := range endings {
		m.endings = slices.DeleteFunc(m.endings, func(old Ending) bool { return old.ID == e.ID })
		e.Summary, e.Report = slices.Clone(e.Summary), slices.Clone(e.Report)
		m.endings = append(m.endings, e)
	}
	slices.SortStableFunc(m.endings, func(a, b Ending) int { return cmp.Or(a.Ended.Compare(b.Ended), cmp.Compare(a.ID, b.ID)) })
	var rest quota
	for i := len(m.endings) - 1; i >= 0; i-- {
		if !rest.take(m.endings[i].Service) {
			m.endings = slices.Delete(m.endings, i, i+1)
		}
	}
}

// note keeps entries of the audit.
func (m *memory) note(entries []Entry) {
	for _, e := range entries {
		m.audit = slices.DeleteFunc(m.audit, func(old Entry) bool { return old.Key == e.Key && old.Time.Equal(e.Time) })
		e.Value = slices.Clone(e.Value)
		m.audit = append(m.audit, e)
	}
	slices.SortStableFunc(m.audit, func(a, b Entry) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Key, b.Key)) })
	m.audit = slices.Delete(m.audit, 0, max(0, len(m.audit)-AuditMost))
}

// Delete implements Store.
func (m *memory) Delete(services []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return fmt.Errorf("delete rollouts: %w", errClosed())
	}
	for _, name := range services {
		delete(m.records, name)
	}
	return nil
}

// Ended implements Store.
func (m *memory) Ended(service string) ([]Ending, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, fmt.Errorf("list ended rollouts: %w", errClosed())
	}
	var list []Ending
	for _, e := range slices.Backward(m.endings) {
		if service == "" || e.Service == service {
			e.Summary, e.Report = slices.Clone(e.Summary), nil
			list = append(list, e)
		}
	}
	return list, nil
}

// Report implements Store.
func (m *memory) Report(id string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, fmt.Errorf("read a report: %w", errClosed())
	}
	for _, e := range m.endings {
		if e.ID == id {
			return slices.Clone(e.Report), nil
		}
	}
	return nil, nil
}

// Audit implements Store.
func (m *memory) Audit(most int) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, fmt.Errorf("read the audit: %w", errClosed())
	}
	var list []Entry
	for _, e := range slices.Backward(m.audit) {
		if len(list) >= most {
			break
		}
		e.Value = slices.Clone(e.Value)
		list = append(list, e)
	}
	return list, nil
}

// Damage implements Store.
func (m *memory) Damage() error { return m.damage }

// Accept implements Store.
func (m *memory) Accept() error { return nil }

// Close implements Store.
func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

func errClosed() error { return errors.New("the store is closed") }

// quota says, going from the latest to the oldest, which ended rollouts are kept.
type quota struct {
	all int
	per map[string]int
}

// take says whether there is room for one more of the service.
func (q *quota) take(service string) bool {
	if q.per == nil {
		q.per = map[string]int{}
	}
	if q.all >= EndingsMost || q.per[service] >= EndingsPerService {
		return false
	}
	q.all++
	q.per[service]++
	return true
}
