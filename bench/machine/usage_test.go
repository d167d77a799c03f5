package machine

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestParseStat(t *testing.T) {
	const text = "4711 (a (b) c) S 17 4711 4711 0 -1 4194304 100 0 0 0 250 123 0 0 20 0 5 0 100 1 1\n"
	got, err := parseStat(text)
	if want := (status{parent: 17, system: 1230 * time.Millisecond}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if _, err := parseStat("1 (x) S 2"); err == nil {
		t.Error("a short line was taken")
	}
}

func TestParseSize(t *testing.T) {
	if got, err := parseSize("Rss:      100 kB\nPss:       42 kB\nPss_Anon:   7 kB\n", "Pss:"); err != nil || got != 42 {
		t.Errorf("%v, %v, want 42", got, err)
	}
	if _, err := parseSize("Rss: 100 kB\n", "Pss:"); err == nil {
		t.Error("nothing was found and nothing said")
	}
}

// A process that has worked has used time, and only where it may run; its child is one of its family.
func TestProcess(t *testing.T) {
	var here unix.CPUSet
	if err := unix.SchedGetaffinity(0, &here); err != nil {
		t.Fatal(err)
	}
	core := 0
	for !here.IsSet(core) {
		core++
	}
	command := exec.Command("sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 60 & wait")
	if err := Start(command, []int{core}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Wait() }()
	defer func() {
		family, _ := Family(command.Process.Pid)
		for _, pid := range family {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}()
	var family []int
	for start := time.Now(); len(family) < 2; {
		var err error
		if family, err = Family(command.Process.Pid); err != nil {
			t.Fatal(err)
		}
		if time.Since(start) > 20*time.Second {
			t.Fatalf("family %v, want a child", family)
		}
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(command.Process.Pid, &set); err != nil || set.Count() != 1 || !set.IsSet(core) {
		t.Errorf("runs on %v (%v), want core %d", set, err, core)
	}
	var after unix.CPUSet
	if err := unix.SchedGetaffinity(0, &after); err != nil || after != here {
		t.Errorf("this process was moved: %v, %v", after, err)
	}
	used, err := UsageOf(family)
	if err != nil || used.CPU <= 0 {
		t.Errorf("used %v, %v", used, err)
	}
	if resident, err := Resident(family); err != nil || resident <= 0 {
		t.Errorf("resident %v, %v", resident, err)
	}
	self, err := Family(os.Getpid())
	if err != nil || !slices.Contains(self, command.Process.Pid) {
		t.Errorf("own family %v, %v", self, err)
	}
}
