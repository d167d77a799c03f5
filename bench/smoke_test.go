package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"haldane/bench/machine"
	"haldane/bench/report"
)

// TestSmoke plays short rounds with the real binary and the relay: what is started does its work (the split, the pin, the cookie
// and the forwarded fields are checked before anything is measured), and what is counted adds up. No figure is looked at.
func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "bench.json")
	var out bytes.Buffer
	err := run(t.Context(), []string{
		"-pin=false", "-peers", "haldane|relay", "-only", "^(small|tls|websocket|1m)$", "-rounds", "1", "-time", "100ms", "-json", file, "-pictures", dir,
	}, &out, testNotes{t})
	if err != nil {
		t.Fatal(err)
	}
	if left, err := machine.Family(os.Getpid()); err != nil || len(left) != 1 {
		t.Errorf("processes are left over: %v, %v", left, err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	loads := map[string]int{"small": 3 * 3, "1m": 3, "tls": 2, "websocket": 3} // the relay knows no TLS
	for _, s := range r.Scenarios {
		if len(s.Runs) != loads[s.Name] && !(s.Name == "small" && len(s.Runs) >= 5) { // a slow peer is left out of open load
			t.Errorf("%s: %d runs, want %d", s.Name, len(s.Runs), loads[s.Name])
		}
		delete(loads, s.Name)
		for _, run := range s.Runs {
			if run.CPU <= 0 || run.Bytes <= 0 || run.Resident <= 0 || run.Seconds < 0.1 || run.Load == "closed" && run.Failed > 0 {
				t.Errorf("%s: %+v", s.Name, run)
			}
		}
	}
	if len(loads) > 0 {
		t.Errorf("not played: %v", loads)
	}
	if pictures, _ := filepath.Glob(filepath.Join(dir, "*.svg")); len(pictures) != 3 {
		t.Errorf("pictures %v, want 3", pictures)
	}
}

// TestAgain writes the tables of stored figures.
func TestAgain(t *testing.T) {
	stored := report.Report{Machine: "a machine", Scenarios: []*report.Scenario{{Name: "small", Runs: []report.Run{{Peer: "haldane", Load: "closed", Requests: 1, Seconds: 1, CPU: 1}}}}}
	dir := t.TempDir()
	file := filepath.Join(dir, "bench.json")
	if err := (&options{json: file}).store(&stored); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-from", file, "-pictures", dir}, &out, io.Discard); err != nil || !strings.Contains(out.String(), "### small") {
		t.Errorf("%v: %s", err, out.String())
	}
}

// testNotes writes what the command notes into the log of a test.
type testNotes struct{ t *testing.T }

// Write logs.
func (n testNotes) Write(p []byte) (int, error) {
	n.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-rounds", "0"}, {"-time", "-1s"}, {"-peers", "("}, {"-only", "("}, {"-from", "/nowhere"}} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-list"}, &out, io.Discard); err != nil || strings.Count(out.String(), "\n") != len(catalogue()) {
		t.Errorf("%v: %s", err, out.String())
	}
}

// TestProfile takes a profile for the compiler.
func TestProfile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "profile")
	if err := run(t.Context(), []string{"-pin=false", "-time", "100ms", "-profile", file}, io.Discard, testNotes{t}); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); err != nil || !bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
		t.Errorf("%d bytes that are no compressed profile: %v", len(text), err)
	}
}
