package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
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

// writeTables writes one scenario.
func (s *Scenario) writeTables(p *paper) {
	p.line("### %s: %s", s.Name, s.Title)
	p.line("")
	if peers := s.Peers(); len(peers) == 1 {
		s.writeTable(p, "load", peers, s.Loads())
	} else {
		for _, load := range s.Loads() {
			s.writeTable(p, load, peers, []string{load})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Facts)) {
		p.line("- %s: %s", name, number(s.Facts[name]))
	}
	for _, f := range s.Failures {
		p.line("- **failed**: %s", strings.Join(strings.Fields(f), " "))
	}
	if len(s.Facts)+len(s.Failures) > 0 {
		p.line("")
	}
}

// writeTable writes several proxies under one load, or one under several.
func (s *Scenario) writeTable(p *paper, title string, peers, loads []string) {
	timed, scheduled := false, false
	for _, r := range s.Runs {
		if slices.Contains(loads, r.Load) {
			timed, scheduled = timed || r.P99 > 0, scheduled || r.Late > 0
		}
	}
	compared := "Haldane / it"
	if len(peers) == 1 {
		compared = "first / it"
	}
	head := []string{title, "CPU us/" + string(s.Per), "user + system", compared, string(s.Per) + "/s", "busy", "resident MiB"}
	if timed {
		head = append(head, "p50 us", "p99 us", "p99.9 us")
	}
	if scheduled {
		head = append(head, "generator late, p99 us")
	}
	head = append(head, "failed")
	var rows [][]string
	for _, peer := range peers {
		for _, load := range loads {
			k := Key{peer, load}
			if s.Of(k, s.Cost()).Count == 0 {
				continue
			}
			row := s.row(k, timed, scheduled)
			if len(peers) == 1 {
				row[0] = load
			}
			rows = append(rows, row)
		}
	}
	p.table(head, rows)
}

// row is one proxy under one load.
func (s *Scenario) row(k Key, timed, scheduled bool) []string {
	of := func(f Figure) string { return number(s.Of(k, f).Median) }
	cost := s.Of(k, s.Cost())
	system := s.Of(k, func(r Run) float64 { return float64(r.System) / 1e3 / r.Units(s.Per) }).Median
	row := []string{
		k.Peer, fmt.Sprintf("%s (%s-%s)", number(cost.Median), number(cost.Low), number(cost.High)),
		number(max(0, cost.Median-system)) + " + " + number(system), s.against(k),
		of(func(r Run) float64 { return r.Units(s.Per) / r.Seconds }),
		of(func(r Run) float64 { return 100 * r.Busy() }) + " %",
		of(func(r Run) float64 { return float64(r.Resident) / (1 << 20) }),
	}
	if timed {
		row = append(row, of(func(r Run) float64 { return r.P50 }), of(func(r Run) float64 { return r.P99 }), of(func(r Run) float64 { return r.P999 }))
	}
	if scheduled {
		row = append(row, of(func(r Run) float64 { return r.Late }))
	}
	failed := 0
	for _, r := range s.Runs {
		if r.Peer == k.Peer && r.Load == k.Load {
			failed += r.Failed
		}
	}
	return append(row, fmt.Sprint(failed))
}

// against is Haldane's cost in parts of a peer's; of one peer under several loads, that of the first load in parts of it.
func (s *Scenario) against(k Key) string {
	of := Key{subject, k.Load}
	if len(s.Peers()) == 1 {
		of = Key{k.Peer, s.Loads()[0]}
	}
	if of == k {
		return "1"
	}
	q := s.Ratio(of, k, s.Cost())
	if q.Count == 0 {
		return ""
	}
	return fmt.Sprintf("**%.2f** (%.2f-%.2f)", q.Median, q.Low, q.High)
}

// number writes a figure with three digits that mean something.
func number(v float64) string {
	switch {
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10 || v <= -10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
