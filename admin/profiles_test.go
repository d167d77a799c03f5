package admin

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"os/exec"
	"runtime"
	"runtime/trace"
	"slices"
	"strings"
	"testing"
	"time"
)

// profiled is a server on the socket and on TCP, with profiles.
func profiled(t *testing.T) *running {
	o := options(newFake())
	o.Config.Socket, o.Config.Profiles = socketPath(t), true
	return serve(t, o)
}

// gunzip is what is in a profile.
func gunzip(t *testing.T, text string) string {
	t.Helper()
	reader, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func TestProfiles(t *testing.T) {
	s := profiled(t)
	for path, part := range map[string]string{
		"heap": "inuse_space", "allocs": "alloc_space", "goroutine": "goroutine", "profile?seconds=1": "samples",
		"block?seconds=1": "contentions", "mutex?seconds=1": "contentions",
	} {
		got := s.get("/debug/pprof/" + path)
		if got.status != 200 || got.header.Get("Content-Type") != "application/octet-stream" || !strings.Contains(gunzip(t, got.body), part) {
			t.Errorf("%s: %d %v", path, got.status, got.header)
		}
	}
	if got := s.get("/debug/pprof/trace?seconds=1"); got.status != 200 || !strings.HasPrefix(got.body, "go 1.") {
		t.Errorf("trace: %d, begins with %q", got.status, got.body[:min(len(got.body), 16)])
	}
	if got := s.get("/debug/pprof/goroutine?debug=1"); got.status != 200 || !strings.HasPrefix(got.body, "goroutine profile: total") {
		t.Errorf("text: %d %s", got.status, got.body)
	}
	for _, path := range []string{"profile?seconds=0", "profile?seconds=301", "trace?seconds=x", "heap?debug=3", "heap?debug=x"} {
		if got := s.get("/debug/pprof/" + path); got.status != 400 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	for _, path := range []string{"", "cmdline", "symbol", "threadcreate"} {
		if got := s.get("/debug/pprof/" + path); got.status != 404 {
			t.Errorf("/debug/pprof/%s: %d", path, got.status)
		}
	}
}

// Two profiles over time would falsify each other.
func TestOneProfileAtATime(t *testing.T) {
	s := profiled(t)
	s.profiling.Lock()
	for _, path := range []string{"profile", "trace", "block", "mutex"} {
		if got := s.get("/debug/pprof/" + path); got.status != 409 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := s.get("/debug/pprof/heap"); got.status != 200 {
		t.Errorf("heap: %d", got.status)
	}
	s.profiling.Unlock()
}

// Profiles are on the socket, and only where they were asked for.
func TestProfilesAreOnTheSocketAlone(t *testing.T) {
	s := profiled(t)
	plain := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range []string{"heap", "profile?seconds=1", "goroutine?debug=2"} {
		request, err := http.NewRequest(http.MethodGet, "http://"+s.Addr().String()+"/debug/pprof/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+secret)
		response, err := plain.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != 404 {
			t.Errorf("%s over TCP: %d", path, response.StatusCode)
		}
	}
	o := options(newFake())
	o.Config.Address, o.Config.Socket = off, socketPath(t)
	if got := serve(t, o).get("/debug/pprof/heap"); got.status != 404 {
		t.Errorf("without profiles: true: %d", got.status)
	}
}

// A stopping process does not wait for a profile.
func TestStopEndsProfiles(t *testing.T) {
	s := profiled(t)
	got := make(chan int, 1)
	go func() { got <- s.get("/debug/pprof/trace?seconds=300").status }()
	for deadline := time.Now().Add(10 * time.Second); !trace.IsEnabled(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the trace does not begin")
		}
	}
	s.hub.close()
	if status := <-got; status != 200 {
		t.Errorf("status %d", status)
	}
}

// The package that registers its handlers by being imported, and brings templates along, is not in the binary.
func TestNothingRegistersItself(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-tags", "grpcnotrace", "haldane").Output()
	if err != nil {
		t.Skipf("no go tool: %v", err)
	}
	for _, bad := range []string{"net/http/pprof", "html/template"} {
		if slices.Contains(strings.Fields(string(bytes.TrimSpace(out))), bad) {
			t.Errorf("%s is in the binary", bad)
		}
	}
}
