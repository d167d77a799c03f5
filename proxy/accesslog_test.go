package proxy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"haldane/config"
	"haldane/router"
)

func TestAccessLog(t *testing.T) {
	o := newOrigin(t, func(v *visit) {
		if v.target() == "/bad?secret" {
			v.answer("HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno")
			return
		}
		v.ok()
	})
	requests := func(c *client) {
		c.send("POST /good HTTP/1.1\r\nHost: a.test\r\nX-Request-Id: one\r\nContent-Length: 5\r\n\r\nhello").receive()
		c.send(get("/bad?secret", "X-Request-Id: two")).receive()
		c.send("CONNECT / HTTP/1.1\r\nHost: a.test\r\n\r\n").receive()
		c.ends()
		c.conn.Close()
	}
	for _, test := range []struct {
		mode   string
		sample config.Percent
		want   []string
	}{
		{"off", 0, nil},
		{"", 0, nil},
		{"errors", 0, []string{"/bad", ""}},
		{"sampled", 0, []string{"/bad", ""}},
		{"sampled", config.Whole, []string{"/good", "/bad", ""}},
		{"all", 0, []string{"/good", "/bad", ""}},
	} {
		core, logs := observer.New(zapcore.InfoLevel)
		s := plain(o.address)
		s.Log = config.Log{Access: test.mode, AccessSample: test.sample}
		r := startSplit(t, s, nil, zap.New(core))
		requests(r.dial())
		if err := r.shutdown(); err != nil {
			t.Error(err)
		}
		var paths []string
		for _, entry := range logs.All() {
			paths = append(paths, entry.ContextMap()["path"].(string))
		}
		if diff := cmp.Diff(test.want, paths); diff != "" {
			t.Errorf("%s: %s", test.mode, diff)
		}
		if test.mode != "all" {
			continue
		}
		first := logs.All()[0].ContextMap()
		for _, name := range []string{"duration_seconds", "first_byte_seconds"} {
			if took := first[name].(float64); took <= 0 || took > 10 {
				t.Errorf("%s %v", name, took)
			}
			delete(first, name)
		}
		want := map[string]any{
			"service": "web", "variant": "v1", "reason": "split", "method": "POST", "path": "/good", "status": int64(200),
			"outcome": "ok", "bytes_in": int64(5), "bytes_out": int64(2), "client": "127.0.0.1", "request_id": "one",
		}
		if diff := cmp.Diff(want, first); diff != "" {
			t.Error(diff)
		}
		last := logs.All()[2].ContextMap()
		if last["outcome"] != "rejected" || last["error"] != "method not implemented" || last["status"] != int64(501) {
			t.Errorf("a refused request was logged as %v", last)
		}
	}
}

// The time of a request begins with itself, also when the client asks first whether it may send the body.
func TestAccessLogOfExpect(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	written := make(chan time.Time, 1000)
	s := plain(newOrigin(t, nil).address)
	s.Log = config.Log{Access: "all"}
	r := startSplit(t, s, nil, zap.New(core, zap.Hooks(func(zapcore.Entry) error { written <- time.Now(); return nil })))
	c, other := r.dial(), r.dial()
	for range 3 {
		c.send(get("/")).receive()
		<-written
		for range 20 { // a while
			other.send(get("/")).receive()
			<-written
		}
		began := time.Now()
		c.send("POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n").receive()
		c.send("hello").receive()
		ended := <-written // after the duration was taken
		lines := logs.TakeAll()
		took := lines[len(lines)-1].ContextMap()["duration_seconds"].(float64)
		if at := ended.Add(-time.Duration(took * float64(time.Second))); at.Before(began) {
			t.Errorf("it began %v before it was sent", began.Sub(at))
		}
	}
}

// The line of a request that was sent again says what failed, and who answered.
func TestAccessLogOfSecondTries(t *testing.T) {
	for _, rescue := range []*config.Rescue{nil, {}} {
		core, logs := observer.New(zapcore.InfoLevel)
		good := newOrigin(t, nil).address
		s := sections(map[string]config.Variant{"v1": variantAt(good), "v2": variantAt(nobody(t), good)})
		web := s.Services["web"]
		web.Retries, web.Rescue = config.Retries{Attempts: 1, MinConcurrent: 3}, rescue
		s.Services["web"], s.Log = web, config.Log{Access: "errors"}
		r := startSplit(t, s, map[string]router.SplitSpec{"web": rollout(config.Whole)}, zap.New(core))
		for c := r.dial(); logs.Len() == 0; {
			c.send(get("/")).receive()
		}
		got := logs.All()[0].ContextMap()
		want := map[string]any{"variant": "v2", "error": "connect", "outcome": "connect", "status": int64(200)}
		if want["retries"] = int64(1); rescue != nil {
			delete(want, "retries")
			want["rescued_by"] = "v1"
		}
		for name := range got {
			if _, known := want[name]; !known && name != "retries" && name != "rescued_by" {
				delete(got, name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}
