package proxy

import "haldane/stats"

// conclude records how the exchange ends for its client, and, if that has not been settled by an earlier try, how it ended on
// the variant. The two differ for requests that were sent again or rescued.
func (x *exchange) conclude(f failure) {
	x.settle(f)
	x.endedFor(f)
	if x.concluded || x.service == nil {
		return
	}
	x.concluded = true
	outcome, _ := x.outcomeOf(f)
	x.service.stats.Clients().Ended(x.conn.id, outcome)
	if x.tries.rescued {
		x.service.stats.Clients().Rescued(outcome)
	}
}

// outcomeOf is how a try ended, in the terms of the judge. What is a complete answer, the service's rules decide.
func (x *exchange) outcomeOf(f failure) (stats.Outcome, stats.Events) {
	ended := stats.OutcomeOK
	if f != none {
		ended = f.outcome()
	}
	return x.service.stats.Kinds().Classify(ended, x.status)
}
