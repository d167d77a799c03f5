package proxy

import (
	"haldane/proxy/http1"
	"haldane/stats"
)

// measure reads the business metrics that the endpoint reports with its answer. They are booked with the outcome, on the variant
// that was tried first; of a request that is sent again only the first try that is booked counts.
func (x *exchange) measure() {
	if x.counting == counted || x.lane == stats.Unjudged {
		return // nothing would come of it
	}
	x.measured = stats.Values{}
	measures := x.service.stats.Measures()
	for place := range measures.Len() {
		name := measures.Field(place)
		if value, found := x.response.Fields.Get(name); found {
			measures.Read(place, value, x.response.Fields.Count(name), &x.measured)
		}
	}
}

// takes says whether a field of the answer is not for the client: one that the configuration reads a metric from, or one that a
// policy in force still does.
func (x *exchange) takes(name []byte, measures *stats.Measures) bool {
	for _, taken := range x.service.taken {
		if http1.EqualFold(name, taken) {
			return true
		}
	}
	for place := range measures.Len() {
		if http1.EqualFold(name, measures.Field(place)) {
			return true
		}
	}
	return false
}
