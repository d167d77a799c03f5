package app

import (
	"math"
	"runtime/debug"
	"testing"
	"testing/fstest"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// machine is the files of a machine.
func machine(files map[string]string) fstest.MapFS {
	all := make(fstest.MapFS, len(files))
	for name, text := range files {
		all[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

// The tightest limit counts, whichever version of control groups and however much of their tree can be seen.
func TestControlGroups(t *testing.T) {
	const stat = "anon 1\ninactive_file 30\nactive_file 20\ntotal_inactive_file 3\ntotal_active_file 2\n"
	for name, c := range map[string]struct {
		files       map[string]string
		limit, used int64
	}{
		"none": {files: map[string]string{}},
		"v2, no limit": {files: map[string]string{
			"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n",
		}},
		"v2, in a container": {files: map[string]string{
			"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "500\n", "sys/fs/cgroup/memory.stat": stat,
		}, limit: 1000, used: 450},
		"v2, the limit is above": {files: map[string]string{
			"proc/self/cgroup": "0::/a/b/c\n", "sys/fs/cgroup/a/b/c/memory.max": "max\n", "sys/fs/cgroup/a/b/memory.max": "2000\n",
			"sys/fs/cgroup/a/memory.max": "1000\n", "sys/fs/cgroup/a/memory.current": "500\n", "sys/fs/cgroup/a/memory.stat": stat,
		}, limit: 1000, used: 450},
		"v2, a path of another name space": {files: map[string]string{
			"proc/self/cgroup": "0::/../outside\n", "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "500\n",
			"sys/fs/cgroup/memory.stat": stat,
		}, limit: 1000, used: 450},
		"v1": {files: map[string]string{
			"proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/a\n0::/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1000\n", "sys/fs/cgroup/memory/a/memory.usage_in_bytes": "500\n",
			"sys/fs/cgroup/memory/a/memory.stat": stat,
		}, limit: 1000, used: 495},
	} {
		group := findCgroup(machine(c.files))
		used, known := group.used()
		if group.limit != c.limit || used != c.used || known != (c.limit > 0) {
			t.Errorf("%s: limit %d, used %d, %v; want %d, %d", name, group.limit, used, known, c.limit, c.used)
		}
	}
}

// gate counts what it is told.
type gate struct{ shed, resumed int }

func (g *gate) Shed()   { g.shed++ }
func (g *gate) Resume() { g.resumed++ }

// Requests are turned away beyond one mark and taken again below another one, and each change is logged once.
func TestMemoryRunsShort(t *testing.T) {
	files := machine(map[string]string{
		"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1000000000000\n", "sys/fs/cgroup/memory.current": "0\n", "sys/fs/cgroup/memory.stat": "anon 0\n",
	})
	core, lines := observer.New(zapcore.InfoLevel)
	g := &gate{}
	m := newMemory(files, g, zap.New(core))
	if m == nil || !m.own && debug.SetMemoryLimit(-1) == math.MaxInt64 || m.own && m.limit != 900_000_000_000 {
		t.Fatalf("%+v", m)
	}
	for i, step := range []struct {
		group         string
		limit         int64
		shed, resumed int
	}{
		{"940000000000", 1 << 60, 0, 0},
		{"960000000000", 1 << 60, 1, 0},
		{"900000000000", 1 << 60, 2, 0}, // still too much
		{"870000000000", 1 << 60, 2, 1},
		{"0", 1 << 10, 3, 1}, // of Go
		{"0", 1 << 10, 4, 1},
		{"0", 1 << 60, 4, 2},
		{"0", 1 << 60, 4, 2},
	} {
		files["sys/fs/cgroup/memory.current"].Data = []byte(step.group)
		m.limit = step.limit
		if m.look(); g.shed != step.shed || g.resumed != step.resumed || m.short.Load() != (step.resumed*2 != lines.Len()) {
			t.Errorf("step %d: %+v, short %v, %d lines", i, g, m.short.Load(), lines.Len())
		}
	}
	if lines.Len() != 4 {
		t.Errorf("%d lines", lines.Len())
	}
	if inUse := m.inUse(); inUse < 1<<20 || inUse > 1<<32 {
		t.Errorf("%d bytes are in use", inUse)
	}
}

// Without a limit nothing is watched.
func TestNoLimitOfMemory(t *testing.T) {
	if m := newMemory(machine(nil), nil, zap.NewNop()); m != nil && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		t.Errorf("%+v", m)
	}
}
