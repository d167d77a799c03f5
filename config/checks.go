package config

import (
	"math"
	"strings"
)

// Checks are the measured promises of a policy.
type Checks struct {
	// Errors compares the error rates.
	Errors ErrorCheck `yaml:"errors"`
	// Latency compares the times to the first byte of answers that did not fail, each check at one quantile. A mapping that
	// is written replaces the default one; "off", or an empty mapping, judges no latency. Default: p50, p90 and p99.
	Latency LatencyChecks `yaml:"latency"`
	// Events compare how often other things happen, each by name; no check of latency can have the same. At most 4. A status
	// in the place of the section is short for its statuses. Default: none.
	Events map[string]EventCheck `yaml:"events,omitempty"`
	// WarmUp is the time from the rollout's first canary request in which latency is not judged, for cold caches and
	// just-in-time compilers. Zero for none. Default 1m.
	WarmUp Duration `yaml:"warm_up"`
	// Groups are the weights of the groups of checks in the score, together at most 100%; groups that are not named share
	// what is left equally. Default: all weigh the same.
	Groups map[string]Percent `yaml:"groups,omitempty"`
	// Metrics compare numbers that the business cares about, each by name; no other check can have the same. At most 4. Default:
	// none.
	Metrics map[string]MetricCheck `yaml:"metrics,omitempty"`
}

// ErrorCheck compares the share of failed requests: the canary may fail stable * (1 + relative) + absolute.
type ErrorCheck struct {
	// Statuses are the answers that count as failed, besides requests that got no complete answer; an empty list counts those
	// alone. Default 5xx.
	Statuses []StatusRange `yaml:"statuses"`
	// Relative is the allowed growth of stable's error rate. Default 10%.
	Relative Percent `yaml:"relative"`
	// Absolute is added to it, in points of a percent. Default 0.1%.
	Absolute Percent `yaml:"absolute"`
	// Max is the share of the canary's requests that may fail, whatever stable does: a second check, "errors max", which
	// also judges steps that leave nothing to compare. Below 100%. Zero, the default, for none.
	Max Percent `yaml:"max"`
	// Critical says whether a fail ends the rollout; otherwise it only costs score, and the rollout does not go on by
	// itself. Default true.
	Critical bool `yaml:"critical"`
	// Muted shows the verdict and lets it count for nothing. Default false.
	Muted bool `yaml:"muted"`
	// Group is where the check counts in the score. Default "errors".
	Group string `yaml:"group"`
	// MinRequests is the number of judged canary requests below which there is no data. Default 50.
	MinRequests int `yaml:"min_requests"`
	// Window is the length of a burst window: evidence of one window is capped. Default 1s.
	Window Duration `yaml:"window"`
	// Windows is how many separate windows must speak against the canary. Default 3.
	Windows int `yaml:"windows"`
	// On is what each outcome of the check does.
	On Outcomes `yaml:"on"`
}

// EventCheck compares the share of requests to which something happened: the canary's may be stable * (1 + relative) +
// absolute. At least one of statuses and outcomes is required.
type EventCheck struct {
	// Statuses are the answers that are counted, for example 429 or 404.
	Statuses []StatusRange `yaml:"statuses,omitempty"`
	// Outcomes are other ends that are counted: "connect", "timeout", "reset", "truncated", "malformed", "refused",
	// "stalled" and "client_gone".
	Outcomes []string `yaml:"outcomes,omitempty"`
	// Relative is the allowed growth of stable's share. Default 10%.
	Relative Percent `yaml:"relative"`
	// Absolute is added to it, in points of a percent. Default 1%.
	Absolute Percent `yaml:"absolute"`
	// Max is what the canary's share may be, whatever stable's is: a second check, named after this one and "max". Below
	// 100%. Zero, the default, for none.
	Max Percent `yaml:"max"`
	// Critical says whether a fail ends the rollout; otherwise it only costs score, and the rollout does not go on by
	// itself. Default true.
	Critical bool `yaml:"critical"`
	// Muted shows the verdict and lets it count for nothing. Default false.
	Muted bool `yaml:"muted"`
	// Group is where the check counts in the score. Default "events".
	Group string `yaml:"group"`
	// MinRequests is the number of judged canary requests below which there is no data. Default 50.
	MinRequests int `yaml:"min_requests"`
	// Window is the length of a burst window: evidence of one window is capped. Default 1s.
	Window Duration `yaml:"window"`
	// Windows is how many separate windows must speak against the canary. Default 3.
	Windows int `yaml:"windows"`
	// On is what each outcome of the check does.
	On Outcomes `yaml:"on"`
}

// LatencyCheck compares one latency quantile: the canary's may be stable's * (1 + relative) + absolute.
type LatencyCheck struct {
	// Quantile is the share of requests that are quicker, above 0% and below 100%. Default: what the name says (p50, p95,
	// p999); with another name it is required.
	Quantile Percent `yaml:"quantile"`
	// Relative is the allowed growth of stable's quantile. Default 10%, for p50 5%.
	Relative Percent `yaml:"relative"`
	// Absolute is added to it: differences below it are noise. Default 1ms.
	Absolute Duration `yaml:"absolute"`
	// Max is what the canary's quantile may be, whatever stable's is: a second check, named after this one and "max", which
	// also judges steps that leave nothing to compare. Zero, the default, for none.
	Max Duration `yaml:"max"`
	// Critical says whether a fail ends the rollout; otherwise it only costs score, and the rollout does not go on by
	// itself. Default true.
	Critical bool `yaml:"critical"`
	// Muted shows the verdict and lets it count for nothing. Default false.
	Muted bool `yaml:"muted"`
	// Group is where the check counts in the score. Default "latency".
	Group string `yaml:"group"`
	// MinRequests is the number of judged canary requests below which there is no data. Default: 50, or as many as leave 5
	// beyond the quantile (500 for p99).
	MinRequests int `yaml:"min_requests"`
	// Window is the length of a burst window: evidence of one window is capped. Default 5s.
	Window Duration `yaml:"window"`
	// Windows is how many separate windows must speak against the canary. Default 3.
	Windows int `yaml:"windows"`
	// On is what each outcome of the check does.
	On Outcomes `yaml:"on"`
}

// LatencyChecks are the checks of latency by name. Empty for none.
type LatencyChecks map[string]LatencyCheck

// The groups of checks that are there by default.
const (
	groupErrors  = "errors"
	groupLatency = "latency"
	groupEvents  = "events"
)

// defaultChecks are the checks of a policy that names none.
func defaultChecks() Checks {
	c := Checks{
		Errors: ErrorCheck{
			Statuses:    []StatusRange{{500, 599}},
			Relative:    10 * percentUnit,
			Absolute:    percentUnit / 10,
			Critical:    true,
			Group:       groupErrors,
			MinRequests: 50,
			Window:      seconds(1),
			Windows:     3,
		},
		Latency: LatencyChecks{},
		WarmUp:  minutes(1),
	}
	for _, name := range []string{"p50", "p90", "p99"} {
		var l LatencyCheck
		l.setDefaults()
		l.setNamed(name)
		l.MinRequests = l.Quantile.minRequests()
		c.Latency[name] = l
	}
	return c
}

func (l *LatencyCheck) setDefaults() {
	*l = LatencyCheck{
		Relative: 10 * percentUnit,
		Absolute: Duration(1e6),
		Critical: true,
		Group:    groupLatency,
		Window:   seconds(5),
		Windows:  3,
	}
}

func (e *EventCheck) setDefaults() {
	*e = EventCheck{
		Relative:    10 * percentUnit,
		Absolute:    percentUnit,
		Critical:    true,
		Group:       groupEvents,
		MinRequests: 50,
		Window:      seconds(1),
		Windows:     3,
	}
}

// setNamed gives a check what its name says.
func (l *LatencyCheck) setNamed(name string) {
	l.Quantile = quantileOf(name)
	if name == "p50" {
		l.Relative = 5 * percentUnit
	}
}

// quantileOf reads p50 as 50 % and p999 as 99.9 %; zero for a name that says nothing. More than two digits are decimals,
// which is clear only behind a nine: nobody would take p100 for 10 %.
func quantileOf(name string) Percent {
	digits, found := strings.CutPrefix(name, "p")
	if !found || len(digits) < 2 || !only(digits, numerals) || len(digits) > 2 && digits[0] != '9' {
		return 0
	}
	p, err := ParsePercent(strings.TrimSuffix(digits[:2]+"."+digits[2:], "."))
	if err != nil { // more decimals than there are
		return 0
	}
	return p
}

// minRequests is how many requests a quantile needs: five beyond it, and at least 50.
func (p Percent) minRequests() int {
	beyond := 1 - p.Ratio()
	if beyond < 5e-9 {
		return 1e9
	}
	return max(50, int(math.Ceil(5/beyond-1e-6)))
}

// complete gives latency checks the number of requests that their quantile needs.
func (c *Checks) complete(at place) {
	for name, l := range c.Latency {
		if !at.key("latency").key(name).key("min_requests").written() {
			l.MinRequests = l.Quantile.minRequests()
			c.Latency[name] = l
		}
	}
	for name, m := range c.Metrics {
		if m.Kind == KindValue && !at.key("metrics").key(name).key("relative").written() {
			m.Relative = 0
			c.Metrics[name] = m
		}
	}
}
