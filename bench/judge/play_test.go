package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"haldane/analysis"
)

func find(t *testing.T, name string) scenario {
	t.Helper()
	for _, s := range catalogue() {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("there is no scenario %q", name)
	return scenario{}
}

// A canary that fails everything is found, and the numbers are those of the moment.
func TestTotalFailureIsFound(t *testing.T) {
	s := find(t, "errors 0 -> 100 %, 100/s, weight 10 %")
	row := (&job{seed: 1, runs: 5, peers: 4, workers: 2, notes: io.Discard}).play(context.Background(), s)
	own, flag := row.Cells[0], row.Cells[2]
	if own.RolledBack != 5 || own.Seconds > 5 || own.Requests != own.Failed || own.Requests > 100 {
		t.Errorf("Haldane: %+v", own)
	}
	if flag.Runs != 1 || flag.RolledBack != 1 || flag.Seconds != 300 || flag.Requests < 2700 || flag.Requests > 3300 {
		t.Errorf("Flagger: %+v", flag)
	}
	if m := row.missed(); len(m) > 0 {
		t.Errorf("missed: %v", m)
	}
}

// What came before the fault is not counted, and a decision before it is an early one.
func TestOutcomeCountsFromTheFault(t *testing.T) {
	var tr trail
	for i := range 40 {
		k := &tick{at: time.Duration(i+1) * tickLength, sent: 2}
		if i >= 20 {
			k.doomed = 1
		}
		tr.add(k)
	}
	o := tr.outcome(7*time.Second, 5*time.Second)
	if o.Early || o.At != 2*time.Second || o.Sent != 16 || o.Failed != 8 || o.Delay != 2*time.Second {
		t.Errorf("after the fault: %+v", o)
	}
	if o := tr.outcome(3*time.Second, 5*time.Second); !o.Early || o.Sent != 24 {
		t.Errorf("before it: %+v", o)
	}
}

// The same seed gives the same numbers, whatever the number of workers; another one gives others.
func TestReportIsDeterministic(t *testing.T) {
	play := func(seed uint64, workers int) []byte {
		j := job{seed: seed, runs: 4, peers: 4, workers: workers, notes: io.Discard}
		var list []scenario
		for _, name := range []string{
			"errors 1 -> 5 %, 100/s, weight 10 %", "all x1.5, 100/s, weight 10 %",
			"sticky: 300 users, Zipf 1.2, 3 % with a broken client, 100/s, weight 50 %", "drift: load wanders, 100/s, weight 10 %",
		} {
			s := find(t, name)
			s.length = 4 * time.Minute
			list = append(list, s)
		}
		r := report{Rows: j.playAll(context.Background(), list)}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	first := play(1, 1)
	if !bytes.Equal(first, play(1, 2)) {
		t.Error("two workers find something else than one")
	}
	if bytes.Equal(first, play(2, 2)) {
		t.Error("another seed finds exactly the same")
	}
}

// The evidence of errors is the same with and without latency beside it: both have half of alpha. So one judge serves for both
// rows of the report, and asking it seldom changes nothing.
func TestErrorsAreTheSameInBothJudges(t *testing.T) {
	s := find(t, "errors 0.1 -> 1 %, 100/s, weight 10 %")
	l := prepare(s)
	for n := range 3 {
		alone := analysis.NewJudge(analysis.Defaults())
		w := newWorld(l, newDice(1, s.name, n))
		want := time.Duration(0)
		for at := -history + tickLength; want == 0; at += tickLength {
			weight := 0.0
			if at > 0 {
				weight = 0.1
			}
			alone.Observe(clock(at), []analysis.Block{w.next(at, weight).judged()})
			if alone.Verdict().Class == analysis.Fail {
				want = at
			}
		}
		got := l.play(newDice(1, s.name, n), contestants()[:2])[1]
		if got.At != want {
			t.Errorf("run %d: found at %v, by a judge of errors alone at %v", n, got.At, want)
		}
	}
}

func TestWholeRollouts(t *testing.T) {
	for _, c := range []struct {
		ladder string
		policy int
		want   ending
	}{
		{"healthy, 0.1 % errors, 100/s", 0, promoted},
		{"errors 0 -> 100 %, 100/s", 0, rolledBack},
		{"errors 0 -> 100 %, 100/s", 3, rolledBack},
		{"healthy, 0.1 % errors, 100/s", 3, promoted},
	} {
		for _, l := range ladders() {
			if l.name != c.ladder {
				continue
			}
			l.length = time.Hour
			got := l.play(prepare(l.scenario), newDice(1, l.name, 0), conductors()[c.policy])
			if got.End != c.want {
				t.Errorf("%s under %s: %v after %v", c.ladder, conductors()[c.policy].name, got.End, got.At)
			}
			if c.want == promoted && (got.At < 4*time.Minute || got.At > 30*time.Minute) {
				t.Errorf("%s under %s: promoted after %v", c.ladder, conductors()[c.policy].name, got.At)
			}
		}
	}
}

func TestCatalogueIsSound(t *testing.T) {
	seen := make(map[string]bool)
	quick := 0
	for _, s := range catalogue() {
		if seen[s.name] {
			t.Errorf("%q is there twice", s.name)
		}
		seen[s.name] = true
		if s.quick {
			quick++
		}
		if s.duration()%(5*time.Second) != 0 || s.rate <= 0 || len(s.weights) == 0 {
			t.Errorf("%q lasts %v at %v/s", s.name, s.duration(), s.rate)
		}
		if !s.group.harmful() && (s.goal.power > 0 || s.goal.requests > 0) || s.group.harmful() && s.goal.falseRate > 0 {
			t.Errorf("%q has a goal of the other kind", s.name)
		}
	}
	if quick < 10 || quick > 30 {
		t.Errorf("the short run has %d scenarios", quick)
	}
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	md, js := filepath.Join(dir, "table.md"), filepath.Join(dir, "numbers.json")
	only := "^errors 0 -> 100 %, 100/s, weight 50 %|whole rollout: errors 0 -> 100 %, 1000/s"
	readme := filepath.Join(dir, "README.md")
	if err := os.WriteFile(readme, []byte("# A\n"+readmeBegin+"old\n"+readmeEnd+"\n## B\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-runs", "2", "-rollouts", "1", "-only", only, "-markdown", md, "-json", js, "-readme", readme}
	var notes bytes.Buffer
	if err := run(context.Background(), args, io.Discard, &notes); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(md)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| errors 0 -> 100 %, 100/s, weight 50 % | 100 %", "## Whole rollouts", "## Goals"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
	if text, err = os.ReadFile(readme); err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`(?s)^# A\n<!-- bench/judge: begin -->\n.*\| Haldane \|  \|  \| 100 %; .*<!-- bench/judge: end -->\n\n## B\n$`)
	if !table.Match(text) || strings.Contains(string(text), "old") {
		t.Errorf("the readme is\n%s", text)
	}
	if !regexp.MustCompile(`2/2|1/1 .*weight 50 %`).MatchString(notes.String()) {
		t.Errorf("no progress: %q", notes.String())
	}
	var r report
	if text, err = os.ReadFile(js); err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil || len(r.Rows) != 1 || len(r.Ladders) != 1 || r.Rows[0].Cells[0].Runs != 2 {
		t.Errorf("the numbers are %+v, %v", r, err)
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if err := run(stopped, args, io.Discard, io.Discard); err == nil {
		t.Error("half a report is taken for a whole one")
	}
	for _, bad := range [][]string{{"-only", "("}, {"-runs", "0"}, {"-nonsense"}, append(args, "-readme", md)} {
		if err := run(context.Background(), bad, io.Discard, io.Discard); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}
