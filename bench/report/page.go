package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// The lines between which a document has what is written here.
const (
	marksBegin = "<!-- bench: begin -->\n"
	marksEnd   = "<!-- bench: end -->\n"
)

// Put replaces what stands between the marks in a file, which has both, each once and in order.
func Put(path string, write func(io.Writer) error) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("put the figures into a document: %w", err)
	}
	before, rest, begins := bytes.Cut(text, []byte(marksBegin))
	_, after, ends := bytes.Cut(rest, []byte(marksEnd))
	if !begins || !ends {
		return fmt.Errorf("put the figures into a document: %s lacks the marks", path)
	}
	var b bytes.Buffer
	b.Write(before)
	b.WriteString(marksBegin)
	if err := write(&b); err != nil {
		return fmt.Errorf("put the figures into %s: %w", path, err)
	}
	b.WriteString(marksEnd)
	b.Write(after)
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil { //nolint:gosec // a document is for everybody to read
		return fmt.Errorf("put the figures into a document: %w", err)
	}
	return nil
}

// WritePage writes everything: machine, peers, targets and all tables.
func (r *Report) WritePage(to io.Writer) error {
	p := &paper{to: to}
	r.writeHead(p)
	r.writeTargets(p)
	for _, picture := range r.Pictures() {
		p.line("![%s](images/%s)", picture.chart.title, picture.Name)
		p.line("")
	}
	for _, s := range r.Scenarios {
		s.writeTables(p)
	}
	return p.err
}

// warn says when figures are not for quoting.
func (r *Report) warn(p *paper) {
	if r.Quick {
		p.line("**From short runs, to see that everything works. The figures mean little.**")
		p.line("")
	}
}

func (r *Report) writeHead(p *paper) {
	r.warn(p)
	p.line("Measured on %s. With:", r.Machine)
	p.line("")
	for _, peer := range r.Peers {
		if peer.Version != "" {
			p.line("- %s: %s", peer.Name, peer.Version)
		}
	}
	for _, peer := range r.Missing {
		p.line("- left out: %s (%s)", peer.Name, peer.Version)
	}
	p.line("")
}

func (r *Report) writeTargets(p *paper) {
	var rows [][]string
	for _, t := range r.targets() {
		rows = append(rows, t.text())
	}
	if rows == nil {
		return
	}
	p.line("### Targets")
	p.line("")
	p.line("Medians of pairs of the same round, with the least and the most.")
	p.line("")
	p.table([]string{"work", "target", "measured", ""}, rows)
}

// WriteShort writes what a readme has room for: small requests, and how many targets are met.
func (r *Report) WriteShort(to io.Writer) error {
	p := &paper{to: to}
	s := r.Scenario("small")
	if s == nil || len(s.Runs) == 0 {
		p.line("Small requests were not measured.")
		return p.err
	}
	r.warn(p)
	p.line("![CPU time for a small request, Haldane and others](docs/images/bench-small.svg)")
	p.line("")
	p.line("%s; one core for the proxy, another one for load and upstream. CPU time is that of the proxy's processes, for a request.", s.Title)
	p.line("Ratios are medians of pairs of the same round; p99 is under open load, all at the same rate.")
	p.line("")
	var rows [][]string
	for _, peer := range s.Peers() {
		rows = append(rows, r.short(s, peer))
	}
	p.table([]string{"proxy", "CPU, us", "Haldane / it", "1 MiB body: Haldane / it", "TLS: Haldane / it", "p99 at 80 %, us", "KiB per idle connection"}, rows)
	met, all := 0, r.targets()
	for _, t := range all {
		if t.met() {
			met++
		}
	}
	p.line("%d of the %d targets are met.", met, len(all))
	return p.err
}

// short is the row of one proxy.
func (r *Report) short(s *Scenario, peer string) []string {
	key := Key{peer, closed}
	row := []string{peer, number(s.Of(key, s.Cost()).Median)}
	for _, name := range []string{"small", "1m", "tls"} {
		cell := ""
		if q := r.ratio(name, peer); q.Count > 0 && peer != subject {
			cell = fmt.Sprintf("%.2f", q.Median)
		}
		row = append(row, cell)
	}
	tail, idle := "", ""
	if got := s.Of(Key{peer, "open 80 %"}, func(r Run) float64 { return r.P99 }); got.Count > 0 {
		tail = number(got.Median)
	}
	if i := r.Scenario("idle"); i != nil {
		if kib, ok := i.Facts[IdleFact+peer]; ok {
			idle = number(kib)
		}
	}
	return append(row, tail, idle)
}
