package proxy

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

// reporting answers with these fields.
func reporting(fields ...string) func(*visit) {
	return func(v *visit) {
		v.write("HTTP/1.1 200 OK\r\n" + strings.Join(append(fields, ""), "\r\n") + "Content-Length: 2\r\n\r\nok")
	}
}

// Business metrics are read from the answer and counted on the side that gave it; no client sees them.
func TestMetricsAreTakenFromAnswers(t *testing.T) {
	stable := newOrigin(t, reporting("X-Shop: a", "x-conversion: 1", "X-Basket: 25"))
	canary := newOrigin(t, reporting("X-Conversion: 0", "X-Shop: a", "X-BASKET: 75", "X-Basket: 75"))
	s := sections(map[string]config.Variant{"v1": variantAt(stable.address), "v2": variantAt(canary.address)})
	s.Stats = stats.NewRegistry(0)
	s.Taken = map[string][]string{"web": {"X-Conversion", "X-Later"}}
	web := s.Stats.Service("web")
	web.SetMeasures([]stats.Measure{
		{Name: "conversion", Field: "X-Conversion", Largest: 1, Binary: true}, {Name: "basket", Field: "X-Basket", Largest: 100},
	})
	reader := web.Reader(7, web.Variant("v2"), web.Variant("v1"))
	r := startSplit(t, s, map[string]router.SplitSpec{"web": rollout(50 * percent)}, zap.NewNop())
	c := r.dial()
	const requests = 60
	for range requests {
		m := c.send(get("/")).receive()
		for _, f := range m.fields {
			if name := strings.ToLower(fmt.Sprint(f)); strings.Contains(name, "conversion") || strings.Contains(name, "basket") {
				t.Fatalf("the client got %q", f)
			}
		}
	}
	failed, good := reader.Delta(1)
	got, reference := reader.Measured(1)
	n, m := good.Total(), failed.Total() // of stable and canary
	if n+m != requests || n == 0 || m == 0 {
		t.Fatalf("%d and %d requests", n, m)
	}
	if c := reference[0]; c.Count != n || c.Sum != float64(n) || c.Squares != float64(n) {
		t.Errorf("conversion of stable: %+v, of %d", c, n)
	}
	if c := reference[1]; c.Count != n || c.Sum != float64(n)/4 {
		t.Errorf("basket of stable: %+v, of %d", c, n)
	}
	if c := got[0]; c.Count != m || c.Sum != 0 {
		t.Errorf("conversion of the canary: %+v, of %d", c, m)
	}
	if got[1].Count != 0 || web.Faults("basket").Unreadable() != m {
		t.Errorf("two fields are no number: %+v, %d of %d unreadable", got[1], web.Faults("basket").Unreadable(), m)
	}
}

// Without a rollout nothing is read, and the fields are taken away all the same; so are those of an interim answer.
func TestFieldsAreTakenWithoutARollout(t *testing.T) {
	var early atomic.Bool
	o := newOrigin(t, func(v *visit) {
		if early.Load() {
			v.write("HTTP/1.1 103 Early Hints\r\nX-Basket: 1\r\nLink: </a>\r\n\r\n")
		}
		reporting("X-Basket: 12", "X-Shop: a")(v)
	})
	s := plain(o.address)
	s.Taken = map[string][]string{"web": {"x-basket"}}
	c := start(t, s).dial()
	for _, interim := range []bool{false, true} {
		early.Store(interim)
		c.send(get("/"))
		if interim {
			head, err := takeHead(c.reader)
			if err != nil || head.status() != 103 || strings.Contains(strings.ToLower(fmt.Sprint(head.fields)), "basket") {
				t.Errorf("%q %q, %v", head.line, head.fields, err)
			}
		}
		if m := c.receive(); m.status() != 200 || strings.Contains(strings.ToLower(fmt.Sprint(m.fields)), "basket") {
			t.Errorf("%q %q", m.line, m.fields)
		}
	}
}

// A failed answer reports nothing: it counts as one without the field.
func TestFailedAnswersReportNothing(t *testing.T) {
	o := newOrigin(t, func(v *visit) { v.write("HTTP/1.1 500 No\r\nX-Basket: 12\r\nContent-Length: 2\r\n\r\nok") })
	s := sections(map[string]config.Variant{"v1": variantAt(o.address), "v2": variantAt(o.address)})
	s.Stats = stats.NewRegistry(0)
	web := s.Stats.Service("web")
	web.SetMeasures([]stats.Measure{{Name: "basket", Field: "X-Basket", Largest: 100}})
	reader := web.Reader(7, web.Variant("v2"), web.Variant("v1"))
	c := startSplit(t, s, map[string]router.SplitSpec{"web": rollout(50 * percent)}, zap.NewNop()).dial()
	for range 10 {
		c.send(get("/")).receive()
	}
	canary, stable := reader.Measured(1)
	if canary[0].Count+stable[0].Count != 0 {
		t.Errorf("%+v, %+v", canary[0], stable[0])
	}
	if bad, other := reader.Delta(1); bad.Bad+other.Bad != 10 {
		t.Errorf("%+v, %+v", bad, other)
	}
}
