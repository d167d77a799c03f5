package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSpreadOf(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Spread
	}{
		{nil, Spread{}},
		{[]float64{3}, Spread{3, 3, 3, 1}},
		{[]float64{9, 1, 4}, Spread{4, 1, 9, 3}},
		{[]float64{8, 2, 4, 6}, Spread{5, 2, 8, 4}},
		{[]float64{math.NaN(), 2, math.Inf(1)}, Spread{2, 2, 2, 1}},
	} {
		if diff := cmp.Diff(c.want, SpreadOf(c.values)); diff != "" {
			t.Errorf("%v: %s", c.values, diff)
		}
	}
}

// sample has a machine that is twice as slow in the second round, for all alike.
func sample() *Report {
	run := func(round int, peer, load string, micros int64) Run {
		return Run{Round: round, Peer: peer, Load: load, Requests: 1000, Bytes: 1 << 20, Seconds: 0.5, CPU: micros * 1e6, P99: float64(micros) * 10, P999: float64(micros) * 40}
	}
	small := &Scenario{Name: "small", Title: "small requests", Per: PerRequest, Runs: []Run{
		run(0, "haldane", "closed", 15), run(0, "haproxy", "closed", 20), run(0, "haldane", "open 80 %", 15), run(0, "haproxy", "open 80 %", 10),
		run(1, "haproxy", "closed", 40), run(1, "haldane", "closed", 30), run(1, "haldane", "open 80 %", 30), run(1, "haproxy", "open 80 %", 20),
		run(2, "haldane", "closed", 18), // its pair failed
	}}
	down := &Scenario{Name: "1m", Title: "bodies", Per: PerMiB, Runs: []Run{run(0, "haldane", "closed", 800), run(0, "nginx", "closed", 1600)}}
	return &Report{Machine: "a machine", Peers: []Peer{{"haldane", "1"}}, Missing: []Peer{{"caddy", "not installed"}}, Scenarios: []*Scenario{small, down}}
}

func TestRatiosAreOfPairs(t *testing.T) {
	s := sample().Scenario("small")
	got := s.Ratio(Key{"haldane", closed}, Key{"haproxy", closed}, s.Cost())
	if diff := cmp.Diff(Spread{0.75, 0.75, 0.75, 2}, got); diff != "" {
		t.Error("what slows both changes no ratio: ", diff)
	}
	if got := s.Of(Key{"haldane", closed}, s.Cost()); got.Median != 18 || got.Count != 3 {
		t.Errorf("cost %+v, want 18 us of 3", got)
	}
	b := sample().Scenario("1m")
	if got := b.Of(Key{"haldane", closed}, b.Cost()); got.Median != 800_000 {
		t.Errorf("cost %v, want 800000 us/MiB", got.Median)
	}
}

func TestTargets(t *testing.T) {
	var lines []string
	for _, target := range sample().targets() {
		lines = append(lines, strings.Join(target.text(), " | "))
	}
	want := []string{
		"small requests, CPU: parts of haproxy | at most 1.05 | 0.75 (0.75-0.75, of 2) | met",
		"p99, open 80 %: parts of haproxy's | at most 1.10 | 1.50 (1.50-1.50, of 2) | not met",
		"p99.9, open 80 %: parts of haproxy's | at most 1.50 | 1.50 (1.50-1.50, of 2) | met",
		"1 MiB down, CPU per byte: parts of nginx | at most 0.30 | 0.50 | not met",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

func TestJSONKeepsEverything(t *testing.T) {
	var b bytes.Buffer
	if err := sample().WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	again, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), again); diff != "" {
		t.Error(diff)
	}
}

func TestPage(t *testing.T) {
	r := sample()
	r.Scenarios[0].Failures = []string{"caddy | did\nnot start"}
	var b bytes.Buffer
	if err := r.WritePage(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Measured on a machine.", "left out: caddy (not installed)", "| haproxy | 30.0 (20.0-40.0) |", "**0.75** (0.75-0.75)", "**failed**: caddy | did not start",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	columns := 0
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		if n := strings.Count(line, "|"); columns != 0 && n != columns {
			t.Errorf("a row with %d bars below one with %d: %s", n, columns, line)
		} else {
			columns = n
		}
	}
	b.Reset()
	if err := r.WriteShort(&b); err != nil || !strings.Contains(b.String(), "2 of the 4 targets are met") {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestPictures(t *testing.T) {
	pictures := sample().Pictures()
	if len(pictures) != 3 {
		t.Fatalf("%d pictures, want 3", len(pictures))
	}
	for _, p := range pictures {
		var b bytes.Buffer
		if err := p.Write(&b); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.String(), "<rect"); n != len(p.chart.bars) {
			t.Errorf("%s: %d bars, want %d", p.Name, n, len(p.chart.bars))
		}
		for d := xml.NewDecoder(&b); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", p.Name, err)
			}
		}
	}
}

func TestPut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	write := func(text string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
	}
	if err := os.WriteFile(path, []byte("before\n"+marksBegin+"old\n"+marksEnd+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Put(path, write("new\n")); err != nil {
			t.Fatal(err)
		}
	}
	if err := Put(path, func(io.Writer) error { return errors.New("broken") }); err == nil {
		t.Error("what cannot be written was put in")
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "before\n" + marksBegin + "new\n" + marksEnd + "after\n"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
	if err := os.WriteFile(path, []byte(marksEnd+marksBegin), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Put(path, write("new\n")); err == nil {
		t.Error("marks in the wrong order were taken")
	}
}
