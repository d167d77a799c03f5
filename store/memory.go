package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// memory forgets everything with the process.
type memory struct {
	mu      sync.Mutex
	records map[string]Record
	closed  bool
}

// NewMemory returns a store that forgets everything when the process ends.
func NewMemory() Store {
	return &memory{records: map[string]Record{}}
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
		r.Revision++
		r.Value = slices.Clone(r.Value)
		m.records[r.Service] = r
	}
	return nil
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

// Close implements Store.
func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

func errClosed() error { return errors.New("the store is closed") }
