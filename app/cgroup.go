package app

import (
	"bytes"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// cgroup is what the control group of the process says of memory, in bytes. Where there is none, or none with a limit, the
// zero value says so. The files are those of Linux' cgroup v2, or of v1 (Documentation/admin-guide/cgroup-v2.rst, section
// "Memory Interface Files", and cgroup-v1/memory.rst).
type cgroup struct {
	limit int64 // zero for none

	root  fs.FS
	usage string   // the file with what is in use, the page cache of files included
	stat  string   // the file with how much of it that is
	cache []string // the lines in stat that say so
}

// version says how the files of one version of cgroups are called.
type version struct {
	mount, limit, usage string
	cache               []string
}

// findCgroup looks for the tightest limit from the group of the process upwards. A container mostly sees its own group as the
// uppermost one, under whatever name.
func findCgroup(root fs.FS) cgroup {
	v1 := version{"sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", []string{"total_inactive_file", "total_active_file"}}
	v2 := version{"sys/fs/cgroup", "memory.max", "memory.current", []string{"inactive_file", "active_file"}}
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return cgroup{}
	}
	var found cgroup
	for line := range strings.Lines(string(text)) {
		number, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		switch {
		case number == "0":
			found = v2.tightest(root, group, found)
		case strings.Contains(","+controllers+",", ",memory,"):
			found = v1.tightest(root, group, found)
		}
	}
	return found
}

// tightest is the group with the least limit among one and those above it, and another one.
func (v version) tightest(root fs.FS, group string, found cgroup) cgroup {
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		folder := path.Join(v.mount, group)
		limit, ok := readNumber(root, path.Join(folder, v.limit))
		if ok && limit > 0 && limit < math.MaxInt64/2 && (found.limit == 0 || limit < found.limit) { // v1 writes "none" as a huge number
			found = cgroup{limit, root, path.Join(folder, v.usage), path.Join(folder, "memory.stat"), v.cache}
		}
		if group == "/" {
			return found
		}
	}
}

// used is what the group holds and could not give back at once: without the page cache of files.
func (g cgroup) used() (int64, bool) {
	if g.limit == 0 {
		return 0, false
	}
	used, ok := readNumber(g.root, g.usage)
	if !ok {
		return 0, false
	}
	text, err := fs.ReadFile(g.root, g.stat)
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(text) {
		name, number, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		for _, wanted := range g.cache {
			if n, err := strconv.ParseInt(number, 10, 64); err == nil && name == wanted {
				used -= n
			}
		}
	}
	return used, true
}

// readNumber reads a file with one number; false for anything else, such as "max".
func readNumber(root fs.FS, name string) (int64, bool) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	return n, err == nil
}
