package rawhttp

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"haldane/bench/process"
)

// configuration is a plain reverse proxy to one endpoint with short time limits. Nothing may take the endpoint away, however
// often it fails.
const configuration = `
version: 1
listen: {address: "%ADDRESS%"}
admin: {address: "%ADMIN%"}
state: {store: memory, directory: "%DIR%/state"}
timeouts: {header: 1500ms, idle: 3s, body: 1500ms, write: 3s}
services:
  origin:
    variants:
      only:
        endpoints: ["%ENDPOINT%"]
        timeouts: {connect: 1s, response_header: 2500ms, idle: 3s}
        ejection: off
`

// lanes is how many cases are played at a time. They wait most of the time.
const lanes = 8

// result is what came of one case.
type result struct {
	trial   trial
	verdict verdict
	err     error
}

// TestCases plays every case through the built binary. Each must case has to pass, and of the should cases at least 37 of 38.
func TestCases(t *testing.T) {
	if raceEnabled {
		t.Skip("the binary is the same in the pass without the race detector, and times are right there")
	}
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	results := playAll(t, readCases(t))
	must, should := count{}, count{}
	for _, r := range results {
		if r.err != nil {
			t.Fatalf("%s/%s: %v", r.trial.group, r.trial.name, r.err)
		}
		total, level := &should, "should"
		if r.trial.must {
			total, level = &must, "must"
		}
		total.all++
		if len(r.verdict) == 0 {
			total.passed++
			continue
		}
		report := t.Logf
		if r.trial.must {
			report = t.Errorf
		}
		report("%s %s/%s (%s: %s):\n\t%s", level, r.trial.group, r.trial.name, r.trial.rule, r.trial.why, strings.Join(r.verdict, "\n\t"))
	}
	t.Logf("must %d of %d, should %d of %d", must.passed, must.all, should.passed, should.all)
	if should.passed*38 < should.all*37 {
		t.Errorf("%d of %d should cases passed, want 37 of 38", should.passed, should.all)
	}
}

// count is how many of how many passed.
type count struct{ passed, all int }

// readCases reads all files of cases.
func readCases(t *testing.T) []trial {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.cases")
	if err != nil {
		t.Fatal(err)
	}
	var all []trial
	names := make(map[string]bool)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		some, err := parseCases(strings.TrimSuffix(filepath.Base(path), ".cases"), string(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range some {
			if names[one.group+"/"+one.name] {
				t.Fatalf("two cases %s/%s", one.group, one.name)
			}
			names[one.group+"/"+one.name] = true
		}
		all = append(all, some...)
	}
	return all
}

// playAll plays cases on several lanes, the long ones first. HALDANE_CASE plays only those with that in their name.
func playAll(t *testing.T, trials []trial) []result {
	t.Helper()
	if only := os.Getenv("HALDANE_CASE"); only != "" {
		trials = slices.DeleteFunc(trials, func(one trial) bool { return !strings.Contains(one.group+"/"+one.name, only) })
	}
	slices.SortStableFunc(trials, func(a, b trial) int { return int(b.limit - a.limit) })
	binary := process.Build(t)
	queue := make(chan int, len(trials))
	for n := range trials {
		queue <- n
	}
	close(queue)
	results := make([]result, len(trials))
	var group sync.WaitGroup
	for range min(lanes, len(trials)) {
		lane := startLane(t, binary)
		group.Go(func() {
			for n := range queue {
				v, err := lane.play(&trials[n])
				results[n] = result{trials[n], v, err}
			}
		})
	}
	group.Wait()
	return results
}

// startLane starts a process and its endpoint.
func startLane(t *testing.T, binary string) *lane {
	t.Helper()
	e, err := newEndpoint()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.stop)
	text := strings.ReplaceAll(configuration, "%ENDPOINT%", e.listener.Addr().String())
	p := process.Start(t, process.Options{Binary: binary, Config: text})
	return &lane{proxy: p.Address, endpoint: e}
}
