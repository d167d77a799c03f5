package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// report is everything that was found out.
type report struct {
	Seed    uint64      `json:"seed"`
	Runs    int         `json:"runs"`
	Peers   int         `json:"runs_of_the_peers"`
	Rows    []row       `json:"scenarios"`
	Ladders []ladderRow `json:"whole_rollouts"`
	Missed  []string    `json:"missed_goals"`
	// Interrupted says that only a part was played.
	Interrupted bool `json:"interrupted"`
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// paper writes Markdown and remembers the first error.
type paper struct {
	w   io.Writer
	err error
}

func (p *paper) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
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

func (r *report) writeMarkdown(w io.Writer) error {
	p := &paper{w: w}
	p.line("# How good is the judge?")
	p.line("")
	p.line("Streams of requests of known law, the same for all rules. Seed %d, up to %d runs a scenario (a fifth at 1,000 requests/s);"+
		" the other rules play the first %d of them, in harmful scenarios a quarter of that.", r.Seed, r.Runs, r.Peers)
	p.line("")
	if r.Interrupted {
		p.line("**The run was interrupted: only a part of it is here.**")
		p.line("")
	}
	for _, c := range contestants() {
		p.line("- **%s**: %s", c.name, c.what)
	}
	p.line("")
	r.writeCompact(p)
	r.writeSummary(p)
	for g := healthy; g <= hanging; g++ {
		r.writeGroup(p, g)
	}
	r.writeLadders(p)
	p.line("## Goals")
	p.line("")
	if len(r.Missed) == 0 {
		p.line("All goals are met.")
	}
	for _, m := range r.Missed {
		p.line("- missed: %s", m)
	}
	return p.err
}

// writeSummary is the table for readers in a hurry.
func (r *report) writeSummary(p *paper) {
	head := headOf("scenario (an hour each)")
	var rows [][]string
	for i := range r.Rows {
		if r.Rows[i].scenario.summary {
			rows = append(rows, r.Rows[i].line(short))
		}
	}
	if len(rows) == 0 {
		return
	}
	p.line("## In short")
	p.line("")
	p.line("Healthy releases: rolled back by mistake. Harmful ones: found within the hour, and the median time it took.")
	p.line("")
	p.table(head, rows)
}

func (r *report) writeGroup(p *paper, g group) {
	var rows [][]string
	for i := range r.Rows {
		if r.Rows[i].scenario.group == g {
			rows = append(rows, r.Rows[i].line(long))
		}
	}
	if len(rows) == 0 {
		return
	}
	p.line("## %s", g.title())
	p.line("")
	if g.harmful() {
		p.line("Rolled back (exact 95 %% interval); median seconds; median canary requests; median failed canary requests.")
	} else {
		p.line("Rolled back, all by mistake (exact 95 %% interval).")
	}
	p.line("")
	p.table(headOf("scenario"), rows)
}

func headOf(first string) []string {
	head := []string{first}
	for _, c := range contestants() {
		head = append(head, c.name)
	}
	return head
}

// style is how much a cell says.
type style uint8

const (
	short style = iota
	long
)

func (r *row) line(s style) []string {
	list := []string{r.Name}
	for i := range r.Cells {
		list = append(list, r.Cells[i].text(s, r.scenario.group))
	}
	return list
}

func (c *cell) text(s style, g group) string {
	switch {
	case c.Runs == 0:
		return ""
	case g.harmful() && c.RolledBack == 0:
		return "never" + c.early()
	case g.harmful() && s == short:
		return fmt.Sprintf("%s; %s%s", percent(c.Rate), seconds(c.Seconds), c.early())
	case g.harmful():
		return fmt.Sprintf("%s (%s-%s); %s; %.0f; %.0f%s",
			percent(c.Rate), percent(c.Low), percent(c.High), seconds(c.Seconds), c.Requests, c.Failed, c.early())
	case s == short:
		return percent(c.Rate)
	}
	return fmt.Sprintf("%s (%s-%s)", percent(c.Rate), percent(c.Low), percent(c.High))
}

// early tells of rollbacks before the fault.
func (c *cell) early() string {
	if c.Early == 0 {
		return ""
	}
	return fmt.Sprintf("; too early %s", percent(float64(c.Early)/float64(c.Runs)))
}

func percent(v float64) string {
	if v == 1 {
		return "100 %"
	}
	return fmt.Sprintf("%.1f %%", 100*v)
}

func seconds(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.1f s", v)
	}
	return fmt.Sprintf("%.0f s", v)
}

func (r *report) writeLadders(p *paper) {
	if len(r.Ladders) == 0 {
		return
	}
	p.line("## Whole rollouts")
	p.line("")
	p.line("Promoted / rolled back / held; median time; median failed canary requests.")
	p.line("")
	head := []string{"canary"}
	for _, c := range conductors() {
		p.line("- **%s**: %s", c.name, c.what)
		head = append(head, c.name)
	}
	p.line("")
	var rows [][]string
	for _, l := range r.Ladders {
		line := []string{l.Name}
		for _, c := range l.Cells {
			n := float64(c.Runs) / 100
			line = append(line, fmt.Sprintf("%.1f / %.1f / %.1f; %s; %.0f",
				float64(c.Promoted)/n, float64(c.RolledBack)/n, float64(c.Held)/n, seconds(c.Seconds), c.Failed))
		}
		rows = append(rows, line)
	}
	p.table(head, rows)
}
