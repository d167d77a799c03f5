package instructions

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// calm makes a Go program do the same in each run: one processor, no preemption by signals, no garbage collection.
func calm() []string {
	return append(os.Environ(), "GODEBUG=asyncpreemptoff=1", "GOGC=off", "GOMAXPROCS=1")
}

// valgrind is the command that counts; its output goes to a file.
func valgrind(t testing.TB) (path string) {
	t.Helper()
	path, err := exec.LookPath("valgrind")
	if err != nil {
		if os.Getenv("HALDANE_REQUIRE_TOOLS") == "1" {
			t.Fatal("valgrind is missing, and HALDANE_REQUIRE_TOOLS=1 wants it (Debian package valgrind)")
		}
		t.Skip("SKIP: ===== no valgrind (Debian package valgrind): instructions were not counted =====")
	}
	return path
}

// sums are the instructions of a run.
type sums struct {
	all int64
	// request is without the runtime, whose scheduler does more or less by chance, and without what is done by the clock.
	request int64
}

// minus is what a longer run did beyond a shorter one, for each of so many rounds.
func (s sums) minus(shorter sums, rounds int) sums {
	return sums{(s.all - shorter.all) / int64(rounds), (s.request - shorter.request) / int64(rounds)}
}

// byClock says whether a function belongs to the runtime's scheduling and memory, or is called by the clock.
func byClock(function string) bool {
	for _, prefix := range []string{
		"runtime.", "internal/runtime/", "haldane/analysis.", "haldane/rollout.", "haldane/store.", "go.etcd.io/", "encoding/", "reflect.",
	} {
		if strings.HasPrefix(function, prefix) {
			return true
		}
	}
	return false
}

// read adds up a file of cachegrind's (its manual, "Cachegrind File Format"): a line "fn=name" begins the costs of a function, and
// lines of two numbers, a line of its source and a count, are its costs.
func read(t testing.TB, path string) (s sums) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	apart := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if name, found := strings.CutPrefix(line, "fn="); found {
			apart = byClock(name)
			continue
		}
		_, count, found := strings.Cut(line, " ")
		if !found || line[0] < '0' || line[0] > '9' {
			continue
		}
		n, err := strconv.ParseInt(count, 10, 64)
		if err != nil {
			t.Fatalf("%s: %q: %v", path, line, err)
		}
		if s.all += n; !apart {
			s.request += n
		}
	}
	if s.all == 0 {
		t.Fatalf("%s: nothing was counted", path)
	}
	return s
}

// counting are the options of Valgrind. Cachegrind without its caches counts as callgrind does, and keeps no stack of calls, which it
// would lose where one goroutine follows another.
func counting(out string) []string {
	return []string{"--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=" + out}
}

// counted runs a program and counts.
func counted(t testing.TB, program string, arguments ...string) sums {
	t.Helper()
	out := filepath.Join(t.TempDir(), "counts")
	command := exec.CommandContext(t.Context(), valgrind(t), append(append(counting(out), program), arguments...)...)
	command.Dir, command.Env = filepath.Dir(program), calm()
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", fmt.Sprint(arguments), err, text)
	}
	return read(t, out)
}
