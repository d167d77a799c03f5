package admin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"haldane/config"
	"haldane/rollout"
)

// record is the status of a request that a handler gets without a connection.
func record(handler http.Handler, method, path string) int {
	w := httptest.NewRecorder()
	request := httptest.NewRequest(method, "http://localhost"+path, nil)
	handler.ServeHTTP(w, request)
	return w.Code
}

// logged is a server whose log can be read.
func logged(t *testing.T, change func(*Options)) (*running, *fake, *observer.ObservedLogs) {
	core, lines := observer.New(zapcore.DebugLevel)
	f := newFake()
	o := options(f)
	o.Logger = zap.New(core)
	if change != nil {
		change(&o)
	}
	return serve(t, o), f, lines
}

// only is the one line with this message.
func only(t *testing.T, lines *observer.ObservedLogs, message string) map[string]any {
	t.Helper()
	found := lines.FilterMessage(message).All()
	if len(found) != 1 {
		t.Fatalf("%d lines say %q", len(found), message)
	}
	return found[0].ContextMap()
}

// Each change is one line: who, from where, what, why, before and after.
func TestAudit(t *testing.T) {
	s, f, lines := logged(t, nil)
	f.views[0].Weight, f.views[0].SplitRevision = config.Whole/20, 7
	s.post("/api/v1/rollouts/shop/set-weight", `{"weight":"10%","reason":"busy day","actor":"ann"}`)
	got := only(t, lines, "admin change")
	remote, _ := got["remote"].(string)
	if !strings.HasPrefix(remote, "127.0.0.1:") {
		t.Errorf("remote %q", remote)
	}
	standing := map[string]any{
		"service": "shop", "rollout": "r1", "phase": "progressing", "step": 0, "weight": "5%", "override": "", "split_revision": uint64(7),
	}
	want := map[string]any{
		"command": "set-weight", "kind": "set_weight", "role": "operate", "listener": "tcp", "remote": remote, "actor": "ann",
		"reason": "busy day", "weight": "10%", "service": "shop", "before": standing, "after": standing,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What fails, what rolls everything back and what reloads is in the log as well; what is refused at the door is no change.
func TestAuditOfEverything(t *testing.T) {
	s, f, lines := logged(t, func(o *Options) {
		o.Reload = func() error { return nil }
		o.Configuration = func() Configuration { return Configuration{Loaded: time.Unix(0, 0)} }
	})
	f.failWith(errors.New("no"))
	s.post("/api/v1/rollouts/shop/pause", `{}`)
	f.failWith(nil)
	s.post("/api/v1/rollouts/none/pause", `{}`)
	s.post("/api/v1/rollouts/abort", `{"reason":"fire"}`)
	s.post("/-/reload", ``)
	s.do("POST", "/api/v1/rollouts/shop/pause", `{}`)
	s.get("/api/v1/rollouts")
	var got []string
	for _, line := range lines.FilterMessage("admin change").All() {
		fields := line.ContextMap()
		err, _ := fields["error"].(string)
		got = append(got, fields["command"].(string)+" "+err)
	}
	want := []string{"pause no", "pause " + rollout.ErrUnknown.Error(), "abort all ", "reload "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	refused := only(t, lines, "admin request refused")
	if refused["status"] != int64(401) || refused["role"] != "none" || refused["path"] != "/api/v1/rollouts/shop/pause" {
		t.Errorf("%v", refused)
	}
}

// Over the socket the kernel says who it was.
func TestAuditOfTheSocket(t *testing.T) {
	s, _, lines := logged(t, func(o *Options) { o.Config.Address, o.Config.Socket = off, socketPath(t) })
	s.do("POST", "/api/v1/rollouts/shop/pause", `{}`)
	got := only(t, lines, "admin change")
	if got["role"] != "socket" || got["listener"] != "socket" {
		t.Errorf("%v", got)
	}
	if peerOf(nil).known || got["uid"] != uint32(os.Getuid()) || got["pid"] != int32(os.Getpid()) {
		t.Errorf("uid %v, pid %v", got["uid"], got["pid"])
	}
}

// A stranger cannot fill the disk with refusals, and changes are logged all the same.
func TestRefusalsAreLoggedSparsely(t *testing.T) {
	s, _, lines := logged(t, nil)
	start := time.Now()
	for range 20 * refusalsLogged {
		s.do("POST", "/api/v1/rollouts/shop/pause", `{}`)
	}
	seconds := int(time.Since(start)/time.Second) + 2
	if n := lines.FilterMessage("admin request refused").Len(); n < refusalsLogged || n > refusalsLogged*seconds {
		t.Errorf("%d lines in %d s", n, seconds)
	}
	for range 3 * refusalsLogged {
		s.post("/api/v1/rollouts/shop/pause", `{}`)
	}
	if n := lines.FilterMessage("admin change").Len(); n != 3*refusalsLogged {
		t.Errorf("%d changes are logged", n)
	}
}
