package rollout

import "time"

const (
	// sickSeconds is how far back a stable is looked at to say whether it is sick itself.
	sickSeconds = 10
	// sickShare is the share of failures above which it is.
	sickShare = 0.2
	// sickMinimum is the number of requests below which nothing is said.
	sickMinimum = 5
	// nowSeconds is how far back it is looked at when the rollout is about to go on: a fault that has just begun is not
	// yet a fifth of ten seconds.
	nowSeconds = 2
)

// recent is a variant's last seconds. Unlike the judge's evidence it holds every request: one that may not vote can show
// that a variant is down, too.
type recent [sickSeconds]second

// second is what was seen in one second of the clock.
type second struct {
	At       int64  `json:"at"`
	Requests uint64 `json:"requests"`
	Failed   uint64 `json:"failed"`
}

// add books what was seen.
func (r *recent) add(now time.Time, seen Seen) {
	if seen.Requests == 0 {
		return
	}
	at := now.Unix()
	slot := &r[uint64(at)%sickSeconds]
	if slot.At != at {
		*slot = second{At: at}
	}
	slot.Requests += seen.Requests
	slot.Failed += seen.Failed
}

// last sums up that many seconds.
func (r *recent) last(now time.Time, seconds int64) Seen {
	var sum Seen
	at := now.Unix()
	for _, s := range r {
		if s.At > at-seconds && s.At <= at {
			sum.Requests += s.Requests
			sum.Failed += s.Failed
		}
	}
	return sum
}

// add counts more requests.
func (s *Seen) add(more Seen) {
	s.Requests += more.Requests
	s.Failed += more.Failed
}

// sick says whether too many of the requests failed.
func (s Seen) sick() bool {
	return s.Requests >= sickMinimum && float64(s.Failed) > sickShare*float64(s.Requests)
}
