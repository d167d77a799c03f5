package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"haldane/bench/process"
)

// The process may open 256 descriptors and is asked for 400 connections: those that it has go on being served, the
// others wait or are turned away, and it is as before when they are gone.
func fewDescriptors(t *testing.T, binary string) {
	if _, err := exec.LookPath("prlimit"); err != nil {
		t.Skip("SKIPPED: no prlimit (Debian package util-linux)")
	}
	s := setUp(t, process.Options{Binary: binary, Config: configuration, Through: []string{"prlimit", "--nofile=256:256"}})
	before, tries := s.ledger(t), 0
	first := make([]*visitor, 10)
	for i := range first {
		first[i] = visit(t, s.Address, "GET / HTTP/1.1\r\nHost: a.test\r\nX-Id: first\r\n\r\n")
		if err := first[i].answer(); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	var crowd []net.Conn
	for range 400 {
		if conn, err := net.DialTimeout("tcp", s.Address, 200*time.Millisecond); err == nil {
			crowd = append(crowd, conn)
		}
	}
	failed := 0
	for range 20 {
		for _, v := range first {
			if err := v.again(); err != nil {
				failed++
				v.conn.Close()
			}
		}
	}
	full := s.Files(t)
	for _, conn := range crowd {
		conn.Close()
	}
	gone := time.Now()
	process.Until(t, "new clients are served", func() bool {
		tries++
		conn, err := net.DialTimeout("tcp", s.Address, time.Second)
		if err != nil {
			return false
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		_, _ = fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: a.test\r\nX-Id: after\r\nConnection: close\r\n\r\n")
		answer := make([]byte, 15)
		n, _ := conn.Read(answer)
		return string(answer[:n]) == "HTTP/1.1 200 OK"
	})
	recovered := time.Since(gone)
	if failed > 0 {
		t.Errorf("%d of 200 requests on connections that were there before failed", failed)
	}
	if recovered > 2*time.Second {
		t.Errorf("new clients were served only %v after the crowd had left", recovered)
	}
	for _, v := range first {
		v.conn.Close()
	}
	t.Logf("%d connections asked for, %d of 256 descriptors in use; %d of 200 requests failed; new clients served after %v",
		len(crowd), full, failed, recovered.Round(time.Millisecond))
	s.conclude(t, report{}, began)
	// Who was turned away had not been read; of the last tries one at least was.
	if booked := s.ledger(t).booked - before.booked; booked <= 210 || booked > 210+tries {
		t.Errorf("%d requests are booked, there were 210 and %d tries", booked, tries)
	}
}

// releases is a configuration with a release of each of so many services, beside the one that takes the traffic.
func releases(count int) string {
	var text strings.Builder
	text.WriteString(strings.Replace(configuration, "store: memory", "store: file", 1))
	text.WriteString("policies:\n  quick:\n    steps: [{weight: 10%, duration: 1s, min_requests: 0}, {weight: 50%, duration: 10m}]\n")
	for n := range count {
		fmt.Fprintf(&text, "X  s%d:\n    match: [{host: s%d.test}]\n    variants: {v1: {endpoints: [%%ENDPOINTS%%]}, v2: {endpoints: [%%ENDPOINTS%%]}}\n"+
			"    stable: v1\n    canary: v2\n    policy: quick\n", n, n)
	}
	whole := text.String()
	at := strings.Index(whole, "policies:")
	services := strings.ReplaceAll(whole[strings.Index(whole, "X  s0"):], "X  s", "  s")
	policies := whole[at:strings.Index(whole, "X  s0")]
	return whole[:at] + services + policies
}

// The disk with the state is full: traffic goes on, no release takes a step that cannot be remembered, and all of them go on
// when there is room again. The disk is a small one in memory that only the process sees, in a mount namespace of its own:
// a limit on the size of files would end a Go program with SIGXFSZ, which is not what a full disk does.
func fullDisk(t *testing.T, binary string) {
	const wrap = `mkdir -p "$1" && mount -t tmpfs -o size=4m haldane "$1" && shift && exec "$@"`
	if err := exec.Command("unshare", "-rm", "true").Run(); err != nil {
		t.Skipf("SKIPPED: no mount namespace of its own for a process here: %v", err)
	}
	s := setUp(t, process.Options{
		Binary: binary, Config: strings.Replace(configuration, "store: memory", "store: file", 1),
		Through: []string{"unshare", "-rm", "sh", "-c", wrap, "sh", "%DIR%/state"},
	})
	before := s.ledger(t)
	load := startLoad(t, s.Address, rate, mixed)
	began := time.Now()
	filler := filepath.Join(fmt.Sprintf("/proc/%d/root", s.Pid()), filepath.Dir(s.Config), "state", "filler")
	fill(t, filler)
	const services = 40
	s.reload(t, releases(services))
	process.Until(t, "releases wait for the disk", func() bool { return s.held(t) > 0 })
	waiting := s.held(t)
	pass(time.Second)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	room := time.Now()
	process.Until(t, "all releases have begun", func() bool {
		views := s.releases(t)
		begun := 0
		for _, v := range views {
			if v.Hold != "store" && v.Phase == "progressing" {
				begun++
			}
		}
		return begun == services
	})
	took := time.Since(room)
	r := load.stop()
	if len(r.bad()) > 0 {
		t.Errorf("clients saw %s", r.saw())
	}
	t.Logf("%d of %d releases waited; all had begun %v after there was room", waiting, services, took.Round(time.Millisecond))
	s.conclude(t, r, began)
	s.account(t, before, r)
}

// fill writes to a file until there is no room.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for block := make([]byte, 4096); ; {
		if _, err := file.Write(block); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			return
		}
	}
}

// release is what of a rollout matters here.
type release struct {
	Phase string `json:"phase"`
	Hold  string `json:"hold"`
}

func (s *setting) releases(t *testing.T) []release {
	t.Helper()
	var page struct {
		Rollouts []release `json:"rollouts"`
	}
	if err := json.Unmarshal([]byte(s.Page(t, "/api/v1/rollouts")), &page); err != nil {
		t.Fatal(err)
	}
	return page.Rollouts
}

// held is how many releases wait for the disk.
func (s *setting) held(t *testing.T) int {
	t.Helper()
	n := 0
	for _, v := range s.releases(t) {
		if v.Hold == "store" {
			n++
		}
	}
	return n
}
