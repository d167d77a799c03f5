package proxy

import (
	"testing"

	"haldane/config"
	"haldane/stats"
)

// A request counts for its part, once: when it stalls or, if it does not, when it ends.
func TestRequestsCountForTheirPart(t *testing.T) {
	split := rollout(config.Whole / 2)
	split.Partial = &config.Partial{Templates: map[string]string{"hang": "/hang", "home": "/"}}
	h := hangSplit(t, nil, split)
	var sum stats.PartCounts
	look := func() stats.PartCounts {
		now, _ := h.reader.Parts(1)
		for i := range sum {
			sum[i].Bad, sum[i].Good = sum[i].Bad+now[i].Bad, sum[i].Good+now[i].Good
		}
		return sum
	}
	c := h.canary("/hang")
	h.stalled(1)
	if got := look(); got[0] != (stats.Counts{Bad: 1}) {
		t.Errorf("stalled: %+v", got)
	}
	h.release()
	c.receive()
	await(t, "the request has ended", func() bool { return h.totals("v2").Requests == 1 })
	for h.totals("v2").Requests < 5 {
		h.dial().send(get("/")).receive()
	}
	await(t, "the requests have ended", func() bool { return h.totals("v2").InFlight == 0 })
	requests := h.totals("v2").Requests - 1
	if got := look(); got[0] != (stats.Counts{Bad: 1}) || got[1] != (stats.Counts{Good: requests}) || got[2] != (stats.Counts{}) {
		t.Errorf("%d requests for / have ended: %+v", requests, got)
	}
}
