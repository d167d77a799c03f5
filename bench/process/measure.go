package process

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Measure is what a process holds.
type Measure struct {
	// Goroutines is go_goroutines.
	Goroutines int
	// Files is the number of open descriptors.
	Files int
	// Resident is the memory in RAM, in bytes.
	Resident int64
}

// Pid is the number of the process.
func (p *Process) Pid() int { return p.command.Process.Pid }

// Measure looks at what the process holds now. Descriptors and memory come from /proc, so that they are known even when the
// process answers nobody.
func (p *Process) Measure(t testing.TB) Measure {
	t.Helper()
	return Measure{
		Goroutines: int(p.Metric(t, "go_goroutines")),
		Files:      p.Files(t),
		Resident:   p.Resident(t),
	}
}

// Files is the number of open descriptors.
func (p *Process) Files(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Pid()))
	if err != nil {
		t.Fatalf("open descriptors: %v", err)
	}
	return len(entries)
}

// Resident is the memory in RAM, in bytes.
func (p *Process) Resident(t testing.TB) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	if err != nil {
		t.Fatalf("resident memory: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// userHertz is the unit of times in /proc: 100 on every Linux that Go runs on.
const userHertz = 100

// Processor is the processor time that the process has taken, in steps of 10 ms.
func (p *Process) Processor(t testing.TB) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid()))
	if err != nil {
		t.Fatalf("processor time: %v", err)
	}
	// proc(5): utime and stime are the 14th and 15th; the second is a name in brackets, which may have anything in it.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			t.Fatalf("processor time: %v", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / userHertz
}

// Metric is the sum of all series of a metric whose labels, as they are written, contain all the given texts.
func (p *Process) Metric(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	sum, found := 0.0, false
	for line := range strings.Lines(p.Page(t, "/metrics")) {
		line = strings.TrimSpace(line)
		end := strings.LastIndexByte(line, ' ') // a label may have spaces, a value none
		if end < 0 {
			continue
		}
		bare, set, _ := strings.Cut(line[:end], "{")
		if bare != name || !containsAll(set, labels) {
			continue
		}
		number, err := strconv.ParseFloat(line[end+1:], 64)
		if err != nil {
			t.Fatalf("metric %q: %v", line, err)
		}
		sum, found = sum+number, true
	}
	if !found && len(labels) == 0 {
		t.Fatalf("no metric %s", name)
	}
	return sum
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// Page reads one page of the admin listener.
func (p *Process) Page(t testing.TB, path string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+p.Admin+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(bufio.NewReader(response.Body))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(body)
}
