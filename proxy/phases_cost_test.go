//go:build !race

package proxy

import (
	"testing"

	"haldane/proxy/http1"
	"haldane/proxy/upstream"
)

// phase is one part of the way of a request, ready to be taken again and again.
type phase struct {
	name string
	run  func(x *exchange)
}

// phasesOf are the parts that every request takes, and the decisions about one that has failed.
func phasesOf(tb testing.TB, x *exchange) []phase {
	in := x.in
	must := func(f failure) {
		if f != none {
			tb.Fatal(f)
		}
	}
	head := make([]byte, 0, 4096)
	return []phase{
		{"guard", func(x *exchange) { x.in = in; x.begin(); must(x.guard()) }},
		{"match", func(x *exchange) { must(x.match()) }},
		{"assign", func(x *exchange) { x.assign() }},
		{"pick", func(x *exchange) { x.pick() }},
		{"request head", func(x *exchange) {
			x.request.Target = x.rewrite(x.variant)
			x.request.Fields = x.requestFields(x.variant)
			head = http1.AppendRequestHead(head[:0], &x.request)
		}},
		{"rescue decision", func(x *exchange) {
			if _, hopeless := x.beyondRescue(upstreamReset); x.mayRescue() || hopeless {
				tb.Fatal("a request that needs no rescue, or could not have one")
			}
		}},
		{"record", func(x *exchange) { x.counting = uncounted; x.begun(); x.seen(200, x.started); x.settle(none) }},
		{"answer head", func(x *exchange) { x.writer.out = x.writer.out[:0]; x.appendHead() }},
	}
}

// answered is an exchange to which an endpoint has answered.
func answered(tb testing.TB) *exchange {
	x := deciding(tb, "Accept-Encoding: gzip\r\nCookie: a=b; user=0123456789abcdef\r\n")
	x.writer.out = make([]byte, 0, 4096)
	x.response = &upstream.Response{}
	x.response.Status, x.response.Reason, x.response.Length, x.response.ContentLength = 200, []byte("OK"), 100, 100
	x.response.Fields = http1.Fields{
		{Name: []byte("Date"), Value: []byte("Thu, 01 Jan 1970 00:00:00 GMT")},
		{Name: []byte("Content-Type"), Value: []byte("text/plain")},
		{Name: []byte("Content-Length"), Value: []byte("100")},
		{Name: []byte("Connection"), Value: []byte("keep-alive")},
	}
	return x
}

// Each phase by itself allocates nothing.
func TestPhasesAllocateNothing(t *testing.T) {
	x := answered(t)
	for _, p := range phasesOf(t, x) {
		p.run(x) // and leaves what the next one needs
		if n := testing.AllocsPerRun(1000, func() { p.run(x) }); n != 0 {
			t.Errorf("%s: %v allocations", p.name, n)
		}
	}
}

// BenchmarkPhase is each phase by itself.
func BenchmarkPhase(b *testing.B) {
	x := answered(b)
	for _, p := range phasesOf(b, x) {
		p.run(x)
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.run(x)
			}
		})
	}
}

// BenchmarkReadFields is what looks at cookies and queries.
func BenchmarkReadFields(b *testing.B) {
	line, query := []byte("theme=dark; session=0123456789abcdef0123456789abcdef; user=3f6c1c1e-5d0b-4d3e-9a51-0d9f6f0b7c11"), []byte("a=1&b=2&early=beta")
	for _, c := range []struct {
		name string
		find func() ([]byte, bool)
	}{
		{"cookie", func() ([]byte, bool) { return cookieValue(line, "user") }},
		{"query", func() ([]byte, bool) { return queryValue(query, "early") }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := c.find(); !ok {
					b.Fatal("not found")
				}
			}
		})
	}
}

func TestReadingFieldsAllocatesNothing(t *testing.T) {
	line, query := []byte("a=b; user=0123456789abcdef"), []byte("a=1&early=beta")
	n := testing.AllocsPerRun(1000, func() {
		_, inCookie := cookieValue(line, "user")
		_, inQuery := queryValue(query, "early")
		if !inCookie || !inQuery {
			t.Fatal("not found")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
