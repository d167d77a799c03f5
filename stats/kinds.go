package stats

// MaxEvents is the number of events that can be counted apart.
const MaxEvents = 4

// Events is a set of events: what else than success and failure happened to a request. The zero value is none.
type Events uint8

// eventsMask is the room for events in a set.
const eventsMask = Events(1<<MaxEvents - 1)

// Event is the set of the event of that number, 1 to MaxEvents; of any other number it is none.
func Event(number int) Events {
	if number < 1 || number > MaxEvents {
		return 0
	}
	return 1 << (number - 1)
}

// Has says whether the event of that number is in the set.
func (e Events) Has(number int) bool { return e&Event(number) != 0 }

// StatusRange is the statuses from Low to High, both included.
type StatusRange struct{ Low, High int }

// Kind is what counts as one event. A request has it if its status or its outcome is among these.
type Kind struct {
	// Statuses are answers of the endpoint, whole or cut off. The answer to a client that went away counts for no status.
	Statuses []StatusRange
	// Outcomes are ends of the exchange. OutcomeServerError and OutcomeStatus are not among them: name the statuses.
	Outcomes []Outcome
	// Stalled is a request that was given up as stalled: see Kinds.Stalled.
	Stalled bool
}

// Kinds says which answers count as failed, and which requests have which events. It is immutable. A nil *Kinds is the
// default: 5xx counts as failed, and there are no events.
//
// What is not an answer needs no rule: a request without a complete answer has failed, unless its client went away.
type Kinds struct {
	statuses [statusesKnown]verdict
	outcomes [outcomeSlots]Events
	stalled  Events
}

// verdict is what a status means: the events in the low bits, and whether it counts as failed.
type verdict uint8

const failedStatus verdict = 1 << 7

// The statuses that an answer may have (RFC 9110, section 15).
const (
	firstStatus   = 100
	lastStatus    = 599
	statusesKnown = lastStatus - firstStatus + 1
)

// NewKinds makes the Kinds in which the given statuses count as failed, with the given events, of which the first has the
// number 1. Statuses that no answer has, and events beyond MaxEvents, are ignored.
func NewKinds(failed []StatusRange, events []Kind) *Kinds {
	k := new(Kinds)
	k.mark(failed, failedStatus)
	for i, kind := range events {
		event := Event(i + 1)
		k.mark(kind.Statuses, verdict(event))
		for _, o := range kind.Outcomes {
			if o.slot() != 0 {
				k.outcomes[o] |= event
			}
		}
		if kind.Stalled {
			k.stalled |= event
		}
	}
	return k
}

// mark adds a meaning to statuses.
func (k *Kinds) mark(ranges []StatusRange, meaning verdict) {
	for _, r := range ranges {
		for status := max(r.Low, firstStatus); status <= min(r.High, lastStatus); status++ {
			k.statuses[status-firstStatus] |= meaning
		}
	}
}

// Classify says how a request counts that ended in the given way: OutcomeOK for any complete answer, whatever its status (0
// without one). The outcome that comes back is the one to record.
func (k *Kinds) Classify(ended Outcome, status int) (Outcome, Events) {
	if k == nil {
		if ended == OutcomeOK && status >= 500 {
			return OutcomeServerError, 0
		}
		return ended, 0
	}
	events := k.outcomes[ended.slot()]
	if status < firstStatus || ended == OutcomeClientGone || ended.unanswered() {
		return ended, events
	}
	if status > lastStatus { // to be taken for a 500 (RFC 9110, section 15)
		status = 500
	}
	v := k.statuses[status-firstStatus]
	events |= Events(v) & eventsMask
	switch {
	case ended != OutcomeOK || v&failedStatus == 0:
		return ended, events
	case status >= 500:
		return OutcomeServerError, events
	}
	return OutcomeStatus, events
}

// Stalled are the events of a request that is given up as stalled. Whoever counts its failure counts these with it.
func (k *Kinds) Stalled() Events {
	if k == nil {
		return 0
	}
	return k.stalled
}

// SetKinds says what counts as what from now on; nil for the default. Set it before the Reader of the revision that it
// belongs to is made: then each request that the Reader sees was classified by these, whoever else is in flight.
func (s *Service) SetKinds(k *Kinds) { s.kinds.Store(k) }

// Kinds says what counts as what right now. A request that ends is classified by it.
func (s *Service) Kinds() *Kinds { return s.kinds.Load() }
