package config

import "testing"

// What is not written of an outcome stays empty: it is what the policy and the step say.
func TestOutcomes(t *testing.T) {
	c := checksOf(t, `{
		errors: {on: {pass: advance, marginal: advance, fail: hold, no_data: roll_back, error: hold}},
		latency: {p99: {on: {no_data: advance}}, p50: },
		events: {throttled: {statuses: [429], on: {fail: roll_back}}}}`)
	want := Outcomes{Pass: OnAdvance, Marginal: OnAdvance, Fail: OnHold, NoData: OnRollBack, Error: OnHold}
	if c.Errors.On != want {
		t.Errorf("errors: %+v", c.Errors.On)
	}
	if got := c.Latency["p99"].On; got != (Outcomes{NoData: OnAdvance}) {
		t.Errorf("p99: %+v", got)
	}
	if got := c.Latency["p50"].On; got != (Outcomes{}) {
		t.Errorf("p50: %+v", got)
	}
	if got := c.Events["throttled"].On; got != (Outcomes{Fail: OnRollBack}) {
		t.Errorf("throttled: %+v", got)
	}
}
