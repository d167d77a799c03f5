//go:build !race && amd64

package instructions

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

const (
	// tolerance is how far a count may move before it must be looked at. Two counts of the same code differ by less than a hundredth.
	tolerance = 0.03
	file      = "counts.txt"
	// fewer are the rounds of the shorter of the two runs whose difference is counted: what the start of a program does is in both.
	fewer = 200
)

// function is a function that every request comes by, as the benchmark of a package calls it, and how often: what the start of a program
// does differs by up to 200,000 instructions from run to run, so the less one call takes, the more of them are needed.
type function struct {
	name, room, benchmark string
	rounds                int
}

// functions are what is counted.
func functions() []function {
	return []function{
		{"guard to record, without transport", "proxy", "BenchmarkDecide", 20_000},
		{"match, assign and record", "proxy", "BenchmarkRoute/1", 20_000},
		{"request head", "proxy", "BenchmarkPhase/request_head", 20_000},
		{"answer head", "proxy", "BenchmarkPhase/answer_head", 20_000},
		{"parse an answer's head", "proxy/http1", "BenchmarkParseResponseHead", 20_000},
		{"record", "stats", "BenchmarkRecord/get", 200_000},
	}
}

// TestMain adds a flag.
func TestMain(m *testing.M) {
	flag.Bool("update", false, "take what is counted as right")
	os.Exit(m.Run())
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// TestInstructions counts again and compares. "go test ./bench/instructions -update" takes what it counts as right.
func TestInstructions(t *testing.T) {
	valgrind(t)
	known := load(t)
	binaries := make(map[string]string)
	var counts []string
	for _, f := range functions() {
		if binaries[f.room] == "" {
			binaries[f.room] = build(t, f.room)
		}
		run := func(rounds int) sums {
			return counted(t, binaries[f.room], "-test.run", "^$", "-test.bench", "^"+strings.ReplaceAll(f.benchmark, "/", "$/^")+"$",
				"-test.benchtime", strconv.Itoa(rounds)+"x")
		}
		n := run(fewer+f.rounds).minus(run(fewer), f.rounds).all
		counts = append(counts, fmt.Sprintf("%-40s %d", f.name, n))
		t.Logf("%s: %d instructions", f.name, n)
		if !updating() {
			compare(t, f.name, n, known[f.name])
		}
	}
	if updating() {
		save(t, counts)
	}
}

// compare holds a count against the one that is known.
func compare(t *testing.T, name string, n, known int64) {
	t.Helper()
	change := float64(n)/float64(max(known, 1)) - 1
	switch {
	case known == 0:
		t.Errorf("%s: not in %s", name, file)
	case change > tolerance:
		t.Errorf("%s: %d instructions, %.1f %% more than the %d of %s; if it must be so: go test ./bench/instructions -update", name, n, 100*change, known, file)
	case change < -tolerance:
		t.Errorf("%s: %d instructions, %.1f %% fewer than the %d of %s; keep it so: go test ./bench/instructions -update", name, n, -100*change, known, file)
	}
}

// build compiles the tests of a room. The oldest set of instructions is the one that every machine, and Valgrind, knows.
func build(t *testing.T, room string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "room.test")
	command := exec.CommandContext(t.Context(), "go", "test", "-c", "-tags", "grpcnotrace", "-ldflags=-w", "-o", path, "haldane/"+room)
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOAMD64=v1")
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build the tests of %s: %v\n%s", room, err, text)
	}
	return path
}

// load reads the counts by name.
func load(t *testing.T) map[string]int64 {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil && !updating() {
		t.Fatal(err)
	}
	counts := make(map[string]int64)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		end := strings.LastIndexByte(line, ' ')
		n, err := strconv.ParseInt(line[end+1:], 10, 64)
		if err != nil {
			t.Fatalf("%s: %q: %v", file, line, err)
		}
		counts[strings.TrimSpace(line[:end])] = n
	}
	return counts
}

// save writes the counts, in their order.
func save(t *testing.T, counts []string) {
	t.Helper()
	text := "# Instructions for one call each, counted by Valgrind with " + runtime.Version() + " (another Go counts a little differently).\n" +
		"# Made by: go test -tags grpcnotrace ./bench/instructions -update\n" + strings.Join(counts, "\n") + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
