package stats

// Outcome says how a request ended, seen from the variant that was tried first. There is exactly one per request.
type Outcome uint8

const (
	// OutcomeOK is a complete answer with a status that does not count as failed (see Kinds).
	OutcomeOK Outcome = iota + 1
	// OutcomeServerError is a complete answer with a status of 500 or more that counts as failed.
	OutcomeServerError
	// OutcomeConnect is an endpoint that could not be connected to.
	OutcomeConnect
	// OutcomeTimeout is an answer that did not come, or did not come to its end, in time.
	OutcomeTimeout
	// OutcomeReset is a connection that the endpoint closed before an answer came.
	OutcomeReset
	// OutcomeTruncated is an answer that began and whose body was cut off.
	OutcomeTruncated
	// OutcomeFraming is an answer that breaks the rules of HTTP.
	OutcomeFraming
	// OutcomeClientGone is a client that went away or failed to send its request: neither good nor bad for the variant.
	OutcomeClientGone
	// OutcomeRefused is a request that Haldane itself turned away for lack of room in front of the variant (connection or
	// queue limit). It is a failure: a variant that is too slow for its share shows itself like this.
	OutcomeRefused
	// OutcomeStatus is a complete answer with a status below 500 that counts as failed.
	OutcomeStatus

	outcomeSlots = int(OutcomeStatus) + 1 // slot 0 takes values that are no Outcome, so that such a bug is visible
)

// Outcomes lists all outcomes in order.
func Outcomes() []Outcome {
	all := make([]Outcome, 0, outcomeSlots-1)
	for o := OutcomeOK; int(o) < outcomeSlots; o++ {
		all = append(all, o)
	}
	return all
}

// Failed says whether the outcome counts as bad in a verdict and is charged to the budget. OutcomeClientGone is not
// failed, and Succeeded is false for it too.
func (o Outcome) Failed() bool {
	return o != OutcomeOK && o != OutcomeClientGone && o != 0 && int(o) < outcomeSlots
}

// Succeeded says whether the outcome counts as good in a verdict.
func (o Outcome) Succeeded() bool { return o == OutcomeOK }

// String is the word for the outcome in metrics, logs and answers.
func (o Outcome) String() string {
	switch o {
	case OutcomeOK:
		return "ok"
	case OutcomeServerError:
		return "server_error"
	case OutcomeConnect:
		return "connect"
	case OutcomeTimeout:
		return "timeout"
	case OutcomeReset:
		return "reset"
	case OutcomeTruncated:
		return "truncated"
	case OutcomeFraming:
		return "framing"
	case OutcomeClientGone:
		return "client_gone"
	case OutcomeRefused:
		return "refused"
	case OutcomeStatus:
		return "status"
	}
	return "unknown"
}

// upstream says whether the outcome is an error of the exchange with an endpoint, as opposed to an answer it gave.
func (o Outcome) upstream() bool { return o >= OutcomeConnect && o <= OutcomeFraming }

// unanswered says whether an outcome rules out that an endpoint answered, whatever status the client was given.
func (o Outcome) unanswered() bool { return o == OutcomeConnect || o == OutcomeRefused }

// slot is the index of the outcome in arrays.
func (o Outcome) slot() int {
	if int(o) >= outcomeSlots {
		return 0
	}
	return int(o)
}
