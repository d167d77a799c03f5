package proxy

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
	"haldane/proxy/trace"
	"haldane/router"
	"haldane/stats"
)

// recorder keeps what it is given.
type recorder struct {
	mu   sync.Mutex
	kept []*trace.Request
}

func (r *recorder) Record(one *trace.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, one)
}

// take waits for one record and takes it.
func (r *recorder) take(t *testing.T) *trace.Request {
	t.Helper()
	var one *trace.Request
	await(t, "a record", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.kept) == 0 {
			return false
		}
		one, r.kept = r.kept[0], r.kept[1:]
		return true
	})
	return one
}

func (r *recorder) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.kept)
}

// follow runs a proxy that records a share of its requests.
func follow(t *testing.T, s Sections, share config.Percent, o Options) (*rig, *recorder) {
	t.Helper()
	kept := &recorder{}
	o.Tracer, s.Sampler = kept, trace.NewSampler(share, 7)
	return startAt(t, s, o, nil), kept
}

const (
	caller   = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	unheard  = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	theTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
)

// Whatever a client says of a trace goes on untouched while nothing is traced, and when the request is not sampled.
func TestTraceContextPassesUntouched(t *testing.T) {
	for _, share := range []string{"off", "none"} {
		seen := make(chan []string, 1)
		o := newOrigin(t, func(v *visit) {
			var got []string
			for _, line := range v.fields {
				if strings.HasPrefix(strings.ToLower(line), "trace") {
					got = append(got, line)
				}
			}
			seen <- got
			v.ok()
		})
		r, kept := follow(t, plain(o.address), 0, Options{})
		if share == "off" {
			r = start(t, plain(o.address))
		}
		c := r.dial()
		for _, fields := range [][]string{
			nil,
			{"traceparent: " + caller, "tracestate: a=1,b=2"},
			{"TraceParent: " + caller, "tracestate: a=1", "TRACESTATE: b=2"},
			{"traceparent: nonsense", "tracestate: a=1"},
			{"traceparent: " + caller, "traceparent: " + unheard},
			{"tracestate: alone=1"},
		} {
			c.send(get("/", fields...)).receive()
			if diff := cmp.Diff(fields, <-seen); diff != "" {
				t.Errorf("%s (-sent +forwarded):\n%s", share, diff)
			}
		}
		if kept.len() != 0 {
			t.Errorf("%s: %d requests were recorded", share, kept.len())
		}
	}
}

// A sampled request tells the endpoint the span of the try, in the trace it came with or in a new one.
func TestSampledContext(t *testing.T) {
	seen := make(chan *message, 1)
	o := newOrigin(t, func(v *visit) { seen <- v.message; v.ok() })
	r, kept := follow(t, plain(o.address), config.Whole, Options{})
	c := r.dial()
	for _, test := range []struct {
		fields []string
		known  bool
		state  string
	}{
		{nil, false, ""},
		{[]string{"traceparent: " + caller, "tracestate: a=1"}, true, "a=1"},
		{[]string{"traceparent: " + unheard}, true, ""},
		{[]string{"traceparent: nonsense", "tracestate: a=1"}, false, ""},
		{[]string{"traceparent: " + caller, "traceparent: " + caller, "tracestate: a=1"}, false, ""},
	} {
		c.send(get("/way?secret=1", test.fields...)).receive()
		m, one := <-seen, kept.take(t)
		told, ok := trace.Parse([]byte(m.value("traceparent")))
		if !ok || !told.Sampled() || told.Trace != one.Own.Trace || len(one.Tries) != 1 || told.Span != one.Tries[0].Span {
			t.Errorf("%q: the endpoint was told %q, recorded was %+v", test.fields, m.value("traceparent"), one)
		}
		if (told.Trace.String() == theTrace) != test.known || (one.Parent.String() == "00f067aa0ba902b7") != test.known {
			t.Errorf("%q: trace %s, parent %s", test.fields, told.Trace, one.Parent)
		}
		if m.value("tracestate") != test.state || one.State != test.state {
			t.Errorf("%q: state %q and %q", test.fields, m.value("tracestate"), one.State)
		}
		if one.Method != "GET" || one.Path != "/way" || one.Host != "a.test" || one.Scheme != "http" || one.Service != "web" ||
			one.Variant != "v1" || one.Status != 200 || one.Outcome != "ok" || one.Error != "" || one.Reason != "split" ||
			one.Tries[0].Endpoint != o.address || one.Tries[0].Status != 200 || one.Tries[0].End.IsZero() || one.End.Before(one.Start) {
			t.Errorf("recorded %+v", one)
		}
	}
}

// What a trusted proxy has decided holds, what a stranger says does not.
func TestTrustedCallersDecide(t *testing.T) {
	o := newOrigin(t, nil)
	r, kept := follow(t, plain(o.address), 0, Options{TrustedProxies: networks(t, "127.0.0.1")})
	r.dial().send(get("/", "traceparent: "+unheard)).receive()
	r.dial().send(get("/", "traceparent: "+caller)).receive()
	if one := kept.take(t); one.Own.Trace.String() != theTrace || kept.len() != 0 {
		t.Errorf("recorded %+v", one)
	}
}

// The record of a rescued request has both tries, with why the second was made; the latency of the canary has an example.
func TestRecordOfARescue(t *testing.T) {
	stable, canary := newOrigin(t, nil), newOrigin(t, func(v *visit) { v.answer("HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\nbad") })
	s := sections(map[string]config.Variant{"v1": variantAt(stable.address), "v2": variantAt(canary.address)})
	web := s.Services["web"]
	web.Retries = config.Retries{Attempts: 1, MinConcurrent: 3}
	web.Rescue = &config.Rescue{Statuses: []config.StatusRange{{Low: 502, High: 504}}, BodySize: 1000}
	s.Services["web"], s.Stats = web, stats.NewRegistry(0)
	r, kept := follow(t, s, config.Whole, Options{})
	s.Sampler = trace.NewSampler(config.Whole, 7)
	split := rollout(config.Whole)
	split.Revocation = new(router.Revocation)
	r.server.Swap(build(t, s, map[string]router.SplitSpec{"web": split}, r.server.snapshot.Load()))
	r.dial().send(get("/")).receive()
	one := kept.take(t)
	var tries []string
	for _, try := range one.Tries {
		tries = append(tries, fmt.Sprintf("%s %s %d %s", try.Cause, try.Variant, try.Status, try.Error))
	}
	if diff := cmp.Diff([]string{"first v2 503 ", "rescue v1 200 "}, tries); diff != "" {
		t.Errorf("tries (-want +got):\n%s", diff)
	}
	if !one.Rescued || one.Variant != "v2" || one.Role != "canary" || one.Rollout == "" || one.Status != 200 || one.Error != "" || one.Outcome != "server_error" {
		t.Errorf("recorded %+v", one)
	}
	if stable.last().value("traceparent") == canary.last().value("traceparent") {
		t.Error("two tries have the same span")
	}
}

// A request that nobody answers says why, and one that belongs to no service is recorded too.
func TestRecordOfFailures(t *testing.T) {
	s := plain(nobody(t))
	web := s.Services["web"]
	web.Match = []config.Match{{Host: "a.test"}}
	web.Retries = config.Retries{Attempts: 1, MinConcurrent: 3}
	s.Services["web"] = web
	r, kept := follow(t, s, config.Whole, Options{})
	r.dial().send(get("/")).receive()
	one := kept.take(t)
	if one.Status != 502 || one.Error != "connect" || one.Outcome != stats.OutcomeConnect.String() || len(one.Tries) != 2 ||
		one.Tries[1].Cause != trace.Retry || one.Tries[0].Error != "connect" || one.Tries[1].Error != "connect" {
		t.Errorf("recorded %+v", one)
	}
	r.dial().send("GET / HTTP/1.1\r\nHost: b.test\r\n\r\n").receive()
	if one := kept.take(t); one.Status != 404 || one.Error != "no service" || one.Service != "" || len(one.Tries) != 0 {
		t.Errorf("recorded %+v", one)
	}
}
