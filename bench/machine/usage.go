package machine

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc/PID/stat: USER_HZ, 100 on every Linux there is.
const tick = 10 * time.Millisecond

// Usage is what processes have used until now.
type Usage struct {
	// CPU is the time on a core, exact.
	CPU time.Duration
	// System is the part of it in the kernel, to 10 ms.
	System time.Duration
}

// Since is what was used since an earlier look.
func (u Usage) Since(earlier Usage) Usage {
	return Usage{CPU: u.CPU - earlier.CPU, System: u.System - earlier.System}
}

// UsageOf adds up what the processes have used, all their threads together. Threads that have ended are not in CPU: proxies
// keep theirs.
func UsageOf(pids []int) (Usage, error) {
	var sum Usage
	for _, pid := range pids {
		one, err := usageOf(pid)
		if err != nil {
			return sum, fmt.Errorf("look what process %d uses: %w", pid, err)
		}
		sum.CPU, sum.System = sum.CPU+one.CPU, sum.System+one.System
	}
	return sum, nil
}

func usageOf(pid int) (Usage, error) {
	var u Usage
	threads := fmt.Sprintf("/proc/%d/task", pid)
	entries, err := os.ReadDir(threads)
	if err != nil {
		return u, err
	}
	for _, entry := range entries {
		text, err := os.ReadFile(threads + "/" + entry.Name() + "/schedstat")
		if err != nil {
			continue // it has ended between the two looks
		}
		first, _, _ := bytes.Cut(text, []byte(" "))
		ns, err := strconv.ParseInt(string(first), 10, 64)
		if err != nil {
			return u, err
		}
		u.CPU += time.Duration(ns)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	s, err := parseStat(string(stat))
	u.System = s.system
	return u, err
}

// status is what is read of /proc/PID/stat.
type status struct {
	parent int
	system time.Duration
}

// parseStat reads the fields behind the name, which stands in parentheses and may have spaces and parentheses: proc(5).
func parseStat(text string) (status, error) {
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return status{}, fmt.Errorf("stat has %d fields", len(fields))
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return status{}, err
	}
	ticks, err := strconv.ParseInt(fields[12], 10, 64)
	return status{parent: parent, system: time.Duration(ticks) * tick}, err
}

// Family is a process and all its descendants.
func Family(pid int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("look for the children of %d: %w", pid, err)
	}
	children := make(map[int][]int)
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
		if err != nil {
			continue // it has ended
		}
		if s, err := parseStat(string(stat)); err == nil {
			children[s.parent] = append(children[s.parent], child)
		}
	}
	family := []int{pid}
	for i := 0; i < len(family); i++ {
		family = append(family, children[family[i]]...)
	}
	return family, nil
}

// Resident is the memory of the processes in RAM, in bytes; what several share counts once (Pss).
func Resident(pids []int) (int64, error) {
	var sum int64
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return 0, fmt.Errorf("resident memory: %w", err)
		}
		kib, err := parseSize(string(text), "Pss:")
		if err != nil {
			return 0, fmt.Errorf("resident memory of %d: %w", pid, err)
		}
		sum += kib << 10
	}
	return sum, nil
}

// parseSize finds a line such as "Pss:    123 kB".
func parseSize(text, name string) (int64, error) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		}
	}
	return 0, fmt.Errorf("no %s", name)
}
