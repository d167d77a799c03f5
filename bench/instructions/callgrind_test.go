package instructions

import (
	"bufio"
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

// read adds up a file of callgrind's (its manual, "Callgrind Format Specification"): lines "fn=(1) name" and "fn=(1)" begin the
// costs of a function, lines of a position and a number are its own, and the line after "calls=" is that of the function it called.
func read(t testing.TB, path string) (s sums) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	names, apart, called := make(map[string]string), false, false
	name := func(text string) string {
		id, full, found := strings.Cut(text, " ")
		if found {
			names[id] = full
		}
		return names[id]
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		key, value, assigned := strings.Cut(lines.Text(), "=")
		switch {
		case assigned && key == "fn":
			apart = byClock(name(value))
		case assigned && key == "cfn":
			name(value)
		case assigned && key == "calls":
			called = true
		case !assigned:
			fields := strings.Fields(key)
			if len(fields) != 2 || !strings.ContainsAny(fields[0][:1], "0123456789+-*") {
				continue
			}
			n, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil || called {
				called = false
				continue
			}
			if s.all += n; !apart {
				s.request += n
			}
		}
	}
	if err := lines.Err(); err != nil || s.all == 0 {
		t.Fatalf("%s: nothing was counted: %v", path, err)
	}
	return s
}

// counted runs a program under callgrind.
func counted(t testing.TB, program string, arguments ...string) sums {
	t.Helper()
	out := filepath.Join(t.TempDir(), "callgrind.out")
	command := exec.CommandContext(t.Context(), valgrind(t), append([]string{"--tool=callgrind", "--callgrind-out-file=" + out, program}, arguments...)...) //nolint:gosec // what we have built
	command.Dir, command.Env = filepath.Dir(program), calm()
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", fmt.Sprint(arguments), err, text)
	}
	return read(t, out)
}
