package report

import (
	"fmt"
	"io"
	"strings"
)

// paper writes Markdown and remembers the first error.
type paper struct {
	to  io.Writer
	err error
}

func (p *paper) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.to, format+"\n", args...)
	}
}

func (p *paper) table(head []string, rows [][]string) {
	p.line("| %s |", strings.Join(head, " | "))
	p.line("|%s", strings.Repeat(" --- |", len(head)))
	for _, r := range rows {
		p.line("| %s |", strings.Join(r, " | "))
	}
	p.line("")
}

// subject is who the others are compared with.
const subject = "haldane"

// WriteTables writes all scenarios as Markdown.
func (r *Report) WriteTables(to io.Writer) error {
	p := &paper{to: to}
	for _, s := range r.Scenarios {
		s.writeTables(p)
	}
	return p.err
}

func (s *Scenario) writeTables(p *paper) {
	p.line("### %s: %s", s.Name, s.Title)
	p.line("")
	for _, load := range s.Loads() {
		s.writeLoad(p, load)
	}
	for _, f := range s.Failures {
		p.line("- **failed**: %s", f)
	}
}

// writeLoad is one table: all proxies under one load.
func (s *Scenario) writeLoad(p *paper, load string) {
	var rows [][]string
	for _, peer := range s.Peers() {
		key := Key{peer, load}
		cost := s.Of(key, s.Cost())
		if cost.Count == 0 {
			continue
		}
		of := func(f Figure) float64 { return s.Of(key, f).Median }
		system := of(func(r Run) float64 { return float64(r.System) / 1e3 / r.Units(s.Per) })
		row := []string{
			peer, number(cost.Median), number(max(0, cost.Median-system)) + " + " + number(system), s.ratio(key),
			number(of(func(r Run) float64 { return r.Units(s.Per) / r.Seconds })),
			number(of(func(r Run) float64 { return r.P50 })), number(of(func(r Run) float64 { return r.P99 })),
			number(of(func(r Run) float64 { return r.P999 })), number(of(func(r Run) float64 { return float64(r.Resident) / (1 << 20) })),
			number(of(func(r Run) float64 { return r.Late })),
		}
		rows = append(rows, row)
	}
	p.table([]string{
		load, "CPU us/" + string(s.Per), "user + system", "Haldane / it", string(s.Per) + "s/s",
		"p50 us", "p99 us", "p99.9 us", "resident MiB", "generator late us",
	}, rows)
}

// ratio is Haldane's cost in parts of a peer's.
func (s *Scenario) ratio(k Key) string {
	if k.Peer == subject {
		return "1"
	}
	q := s.Ratio(Key{subject, k.Load}, k, s.Cost())
	if q.Count == 0 {
		return ""
	}
	return fmt.Sprintf("**%.2f** (%.2f-%.2f)", q.Median, q.Low, q.High)
}

// number writes a figure with three digits that mean something.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
