package stats

import "sync/atomic"

// happenings is how often one event happened to the requests of a lane.
type happenings struct {
	counted atomic.Uint64 // to requests that succeeded or failed
	gone    atomic.Uint64 // to requests whose client went away, which are neither
}

// eventShift is where the events of a Lane begin, and laneEvents all of them.
const (
	eventShift = 64 - MaxEvents
	laneEvents = Lane(eventsMask) << eventShift
)

// With is the lane with the events of a request, which are counted there as well. Unjudged stays Unjudged.
//
// They are no field of a Record, because it would have one more than fits into registers, and End would take a third longer.
func (l Lane) With(events Events) Lane {
	if l == Unjudged {
		return l
	}
	return l | Lane(events)<<eventShift
}

// events are those of With.
func (l Lane) events() Events { return Events(l >> eventShift) }

// plain is the lane without them.
func (l Lane) plain() Lane { return l &^ laneEvents }

// happened counts the events of a request in a judged lane. It comes before the request itself is counted: see since.
func (l *lane) happened(events Events, o Outcome) {
	for place := range l.events {
		switch {
		case !events.Has(place + 1):
		case o == OutcomeClientGone:
			l.events[place].gone.Add(1)
		default:
			l.events[place].counted.Add(1)
		}
	}
}

// EventCounts is the counts of the events, by number less one. Bad are the requests that had the event; Good are those that
// had it not, of the requests that succeeded or failed: a failed request is good for an event that it did not have, and a
// client that went away is good for none.
type EventCounts [MaxEvents]Counts

// minus takes earlier counts of the same cells away.
func (c EventCounts) minus(d EventCounts) EventCounts {
	for i := range c {
		c[i] = c[i].minus(d[i])
	}
	return c
}

// Events is what came in a stratum (1 to Strata) since the last Events of that stratum. Nothing is counted twice and nothing is
// lost between two calls. It takes no part in Delta, as Latency does not. A service whose Kinds have no events need not
// call it.
func (r *Reader) Events(stratum int) (canary, stable EventCounts) {
	if stratum < 1 || stratum > Strata {
		return EventCounts{}, EventCounts{}
	}
	before := &r.happened[stratum-1]
	nowCanary := r.canary.events(stratum, r.revision).since(before.canary)
	nowStable := r.stable.events(stratum, r.revision).since(before.stable)
	canary, stable = nowCanary.minus(before.canary), nowStable.minus(before.stable)
	before.canary, before.stable = nowCanary, nowStable
	return canary, stable
}

// pairOfEvents is the event counts of both sides.
type pairOfEvents struct{ canary, stable EventCounts }

// since keeps what was told before from being taken back. Good is a difference of two cells. The requests are read first and
// their events second, but written the other way round: so a request in between can make Good too small for a while, never too
// large. What is missing then is told when it is there.
func (c EventCounts) since(told EventCounts) EventCounts {
	for i := range c {
		c[i].Good = max(c[i].Good, told[i].Good)
	}
	return c
}

// events is what the judged lane of a stratum and of the revision's parity has counted, ever.
func (v *Variant) events(stratum int, revision uint64) EventCounts {
	var sum EventCounts
	slot := Judged(stratum, revision).slot(anyRevision)
	if slot == 0 {
		return sum
	}
	all := v.Counts(stratum, revision).Total() // first: see since
	var counted [MaxEvents]uint64
	set := v.laneSet(slot)
	for _, l := range set.all() {
		for k := range l.events {
			n := l.events[k].counted.Load()
			counted[k] += n
			sum[k].Bad += n + l.events[k].gone.Load()
		}
	}
	for k := range sum {
		sum[k].Good = all - min(all, counted[k])
	}
	return sum
}
