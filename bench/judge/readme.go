package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
)

// The lines between which the README has the compact table.
const (
	readmeBegin = "<!-- bench/judge: begin -->\n"
	readmeEnd   = "<!-- bench/judge: end -->\n"
)

// writeReadme puts the compact table into a file that has the two marks, each once and in order.
func (r *report) writeReadme(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("put the table into the readme: %w", err)
	}
	before, rest, begins := bytes.Cut(text, []byte(readmeBegin))
	_, after, ends := bytes.Cut(rest, []byte(readmeEnd))
	if !begins || !ends {
		return fmt.Errorf("put the table into the readme: %s lacks the marks of the table", path)
	}
	var b bytes.Buffer
	b.Write(before)
	b.WriteString(readmeBegin)
	r.writeCompact(&paper{w: &b})
	b.WriteString(readmeEnd)
	b.Write(after)
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil { //nolint:gosec // a readme is for everybody to read
		return fmt.Errorf("put the table into the readme: %w", err)
	}
	return nil
}

// fold is one rule in all scenarios of some groups.
type fold struct {
	runs, rolledBack int
	worst            float64
	seconds          []float64 // medians of the scenarios
	requests, failed []float64
}

func (r *report) fold(rule int, groups ...group) fold {
	var f fold
	for i := range r.Rows {
		s, c := &r.Rows[i].scenario, &r.Rows[i].Cells[rule]
		asked := s.goal.power > 0 || s.goal.falseRate > 0 && s.goal.falseRate < 1
		if !slices.Contains(groups, s.group) || c.Runs == 0 || !asked {
			continue
		}
		f.runs += c.Runs
		f.rolledBack += c.RolledBack
		f.worst = max(f.worst, c.Rate)
		if c.RolledBack > 0 {
			f.seconds = append(f.seconds, c.Seconds)
			f.requests, f.failed = append(f.requests, c.Requests), append(f.failed, c.Failed)
		}
	}
	return f
}

// mistakes is the share of false rollbacks: of all runs, and in the worst scenario.
func (f *fold) mistakes() string {
	if f.runs == 0 {
		return ""
	}
	return fmt.Sprintf("%s; %s", percent(float64(f.rolledBack)/float64(f.runs)), percent(f.worst))
}

func (f *fold) finds() string {
	switch {
	case f.runs == 0:
		return ""
	case f.rolledBack == 0:
		return "never"
	}
	same := func(v float64) float64 { return v }
	return fmt.Sprintf("%s; %s; %.0f; %.0f", percent(float64(f.rolledBack)/float64(f.runs)),
		seconds(middle(f.seconds, 0.5, same)), middle(f.requests, 0.5, same), middle(f.failed, 0.5, same))
}

// writeCompact writes the table of the rules by groups of scenarios.
func (r *report) writeCompact(p *paper) {
	found := 0
	for i := range r.Rows {
		if r.Rows[i].scenario.goal.power > 0 {
			found++
		}
	}
	p.line("Simulated releases of %d kinds, up to %d of each; the other rules see the same requests, and play the first %d. *Healthy*: rolled",
		len(r.Rows), r.Runs, r.Peers)
	p.line("back by mistake, of all releases; in the worst kind. *Harmful* (%d kinds that can be found within the hour): found; median time,", found)
	p.line("canary requests and failed canary requests until then.")
	p.line("")
	var rows [][]string
	for i, c := range contestants() {
		quiet, nasty := r.fold(i, healthy), r.fold(i, hard)
		errors, slow, hangs := r.fold(i, failing), r.fold(i, slower, shapes), r.fold(i, hanging)
		rows = append(rows, []string{
			c.name, quiet.mistakes(), nasty.mistakes(), errors.finds(), slow.finds(), hangs.finds(),
		})
	}
	p.table([]string{"rule", "healthy", "healthy, hard to tell", "errors", "latency, late and hidden faults", "hangs"}, rows)
}
