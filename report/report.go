// Package report is the blameless post-mortem that is written when a rollout ends: what was released, how it ended and
// which rule fired, what was seen on the way, what it cost, and who ordered what.
//
// It owns the report as a value and its three forms: JSON, Markdown, and an HTML page that needs nothing else. Each form shows
// foreign text (reasons, names) as text, whatever it says. It does not own where the numbers come from, and decides nothing.
//
// Concurrency: everything is a value or a pure function.
package report

import (
	"encoding/json"
	"fmt"
	"time"

	"haldane/config"
)

// Version is the version of the JSON form. A reader takes that and earlier ones.
const Version = 1

// Result is how a rollout ended.
type Result string

// The results.
const (
	// Promoted has the canary on all traffic.
	Promoted Result = "promoted"
	// RolledBack has the stable on all traffic, by a rule.
	RolledBack Result = "rolled_back"
	// Aborted has the stable on all traffic, by a person's order.
	Aborted Result = "aborted"
	// Superseded was replaced by another rollout, or lost its place in the configuration.
	Superseded Result = "superseded"
)

// Summary is what a list shows of a report.
type Summary struct {
	// ID is the rollout's, with the attempt behind it from the second on; Service the one it belongs to.
	ID      string `json:"id"`
	Service string `json:"service"`
	// Stable and Canary are its variants, Identity tells builds of the canary apart: its revision or its endpoints.
	Stable   string `json:"stable"`
	Canary   string `json:"canary"`
	Identity string `json:"identity,omitempty"`
	// Policy is the name of the policy, Attempt counts from 1.
	Policy  string `json:"policy"`
	Attempt int    `json:"attempt"`
	// Result is how it ended, Rule the rule that fired in one sentence.
	Result Result `json:"result"`
	Rule   string `json:"rule"`
	// Started is when the first step began, zero for never; Ended is when it ended.
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended"`
}

// Report is a rollout that ended.
type Report struct {
	Summary
	// Version is that of the form.
	Version int `json:"version"`
	// Trigger is the kind of rule that ended it: check, budget, operator or release (another member of it); empty where it ended
	// by itself.
	Trigger string `json:"trigger,omitempty"`
	// PolicyHash is the SHA-256 of the policy that was in force, in hexadecimal digits: equal for equal policies.
	PolicyHash string `json:"policy_hash"`
	// Configuration is the SHA-256 of the files of the configuration that was in force at the end, in hexadecimal digits.
	Configuration string `json:"configuration,omitempty"`
	// Created is when the configuration asked for it.
	Created time.Time `json:"created"`
	// Verdict is the judge's last sentence, Class its class and Score from 0 (regression proven) over 50 (unknown) to 100.
	Verdict string  `json:"verdict,omitempty"`
	Class   string  `json:"class,omitempty"`
	Score   float64 `json:"score"`
	// Checks are the evidence.
	Checks []Check `json:"checks"`
	// Budget is the stop-loss.
	Budget Budget `json:"budget"`
	// Variants are the stable and the canary, in this order.
	Variants []Variant `json:"variants"`
	// Steps are the stages it came to, Waits the times in which its clock stood still.
	Steps []Step `json:"steps"`
	Waits []Wait `json:"waits"`
	// Endpoints are the addresses of both variants, as they were at the end.
	Endpoints []Endpoint `json:"endpoints,omitempty"`
	// Failures are examples of requests that failed on the canary, the first of each kind, without what may be secret.
	Failures []Failure `json:"failures,omitempty"`
	// Orders are what people commanded, Moments all that happened, oldest first.
	Orders  []Order  `json:"orders"`
	Moments []Moment `json:"moments"`
	// Relations are the services that it had to do with.
	Relations Relations `json:"relations,omitzero"`
	// Recording is what was judged over time, for a replay.
	Recording *Recording `json:"recording,omitempty"`
}

// Check is the evidence about one check.
type Check struct {
	// Name is the check, Class its verdict and Score from 0 to 100.
	Name  string  `json:"name"`
	Class string  `json:"class"`
	Score float64 `json:"score"`
	// Critical says whether its fail ends a rollout, Muted that it was only shown, Alone that nothing was compared.
	Critical bool `json:"critical"`
	Muted    bool `json:"muted,omitempty"`
	Alone    bool `json:"alone,omitempty"`
	// CanaryBad of CanaryTotal, and StableBad of StableTotal, are the compared requests.
	CanaryBad   uint64 `json:"canary_bad"`
	CanaryTotal uint64 `json:"canary_total"`
	StableBad   uint64 `json:"stable_bad"`
	StableTotal uint64 `json:"stable_total"`
	// CanaryRate and StableRate are bad shares, from 0 to 1; Allowed is what the canary might have had.
	CanaryRate float64 `json:"canary_rate"`
	StableRate float64 `json:"stable_rate"`
	Allowed    float64 `json:"allowed"`
	// Evidence N says "1 in N against chance" that the canary is worse than allowed, Needed is the N of a fail.
	Evidence float64 `json:"evidence"`
	Needed   float64 `json:"needed"`
	// FailedAt is when it failed; zero for not.
	FailedAt time.Time `json:"failed_at,omitzero"`
	// CanaryText, StableText and AllowedText are the two sides and what was allowed, in words, of a business metric; its rates may be
	// means in a unit of its own. Empty for other checks.
	CanaryText  string `json:"canary_text,omitempty"`
	StableText  string `json:"stable_text,omitempty"`
	AllowedText string `json:"allowed_text,omitempty"`
	// Sentence is the verdict in words.
	Sentence string `json:"sentence"`
}

// Budget is the stop-loss.
type Budget struct {
	// Limit is the number of failed canary requests at which it ended; zero for none. Spent is how many failed.
	Limit uint64 `json:"limit"`
	Spent uint64 `json:"spent"`
	// Kinds are all bounds that there were, these among them; empty for none.
	Kinds []Loss `json:"kinds,omitempty"`
}

// Loss is one kind of a budget.
type Loss struct {
	// Kind is its word, Words what is counted.
	Kind  string `json:"kind"`
	Words string `json:"words"`
	// Limit is the bound, Spent how much there was.
	Limit uint64 `json:"limit"`
	Spent uint64 `json:"spent"`
}

// Variant is what one variant had to do while users were on the canary.
type Variant struct {
	// Name is the variant, Role "stable" or "canary".
	Name string `json:"name"`
	Role string `json:"role"`
	// Requests are all that ended, judged or not; Failed is how many of them failed.
	Requests uint64 `json:"requests"`
	Failed   uint64 `json:"failed"`
}

// Step is a stage that the rollout came to.
type Step struct {
	// Name is the step's, or "bake".
	Name string `json:"name"`
	// Stage is the named stage that it belongs to; empty for none.
	Stage string `json:"stage,omitempty"`
	// Weight is the canary's share when it began.
	Weight config.Percent `json:"weight"`
	// Entered and Left are when.
	Entered time.Time `json:"entered"`
	Left    time.Time `json:"left"`
}

// Wait is a time in which the clock stood still.
type Wait struct {
	// Kind is "hold", which ends by itself, "pause", which waits for a person, or "others", for services that come first.
	Kind string `json:"kind"`
	// Reason says why.
	Reason string `json:"reason"`
	// From and To are when.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Order is what a person commanded.
type Order struct {
	// Time is when, Actor is who, What the event that it led to, Why the reason.
	Time  time.Time `json:"time"`
	Actor string    `json:"actor"`
	What  string    `json:"what"`
	Why   string    `json:"why,omitempty"`
	// Step is the step that it led to, Weight the canary's share from then on.
	Step   string         `json:"step,omitempty"`
	Weight config.Percent `json:"weight"`
}

// Moment is something that happened.
type Moment struct {
	// Time is when, Kind is what.
	Time time.Time `json:"time"`
	Kind string    `json:"kind"`
	// Step is the name of the step after it, Weight the canary's share after it.
	Step   string         `json:"step,omitempty"`
	Weight config.Percent `json:"weight"`
	// Reason says why, Numbers are the figures behind it, Actor is who ordered it; empty for Haldane itself.
	Reason  string `json:"reason,omitempty"`
	Numbers string `json:"numbers,omitempty"`
	Actor   string `json:"actor,omitempty"`
}

// JSON is the report as JSON.
func (r *Report) JSON() ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write report %s: %w", r.ID, err)
	}
	return text, nil
}

// Parse reads what JSON wrote.
func Parse(text []byte) (Report, error) {
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		return Report{}, fmt.Errorf("read a report: %w", err)
	}
	if r.Version > Version {
		return Report{}, fmt.Errorf("read report %s: its version is %d, this one knows %d", r.ID, r.Version, Version)
	}
	return r, nil
}
