package rollout

import (
	"maps"
	"slices"
	"strings"

	"haldane/config"
	"haldane/stats"
)

// failureKinds are the rules by which requests count as failed, or as one of the events, under the checks of a policy. Events are
// numbered from 1 in the order of their names.
func failureKinds(c *config.Checks) *stats.Kinds {
	names := eventNames(c)
	events := make([]stats.Kind, 0, len(names))
	for _, name := range names {
		e := c.Events[name]
		events = append(events, kindOf(&e))
	}
	return stats.NewKinds(ranges(failedStatuses(&c.Errors)), events)
}

// eventNames are the names of the events. A configuration has no more of them than can be counted.
func eventNames(c *config.Checks) []string {
	names := slices.Sorted(maps.Keys(c.Events))
	return names[:min(len(names), stats.MaxEvents)]
}

// failedStatuses are the answers that count as failed. A list that is not there at all, as in a rollout that was stored before
// there was one, is the default; an empty one is empty.
func failedStatuses(c *config.ErrorCheck) []config.StatusRange {
	if c.Statuses == nil {
		return []config.StatusRange{{Low: 500, High: 599}}
	}
	return c.Statuses
}

func kindOf(c *config.EventCheck) stats.Kind {
	k := stats.Kind{Statuses: ranges(c.Statuses)}
	for _, word := range c.Outcomes {
		end := endOf(word)
		k.Stalled = k.Stalled || end.stalled
		if end.outcome != 0 {
			k.Outcomes = append(k.Outcomes, end.outcome)
		}
	}
	return k
}

func ranges(list []config.StatusRange) []stats.StatusRange {
	converted := make([]stats.StatusRange, 0, len(list))
	for _, r := range list {
		converted = append(converted, stats.StatusRange(r))
	}
	return converted
}

// end is one word for how a request ended without a complete answer.
type end struct {
	outcome stats.Outcome // zero for none of its own
	stalled bool
	words   string // for people, after a number of requests
}

// endOf looks up a word of a configuration.
func endOf(word string) end {
	switch word {
	case "connect":
		return end{outcome: stats.OutcomeConnect, words: "not connected"}
	case "timeout":
		return end{outcome: stats.OutcomeTimeout, words: "timed out"}
	case "reset":
		return end{outcome: stats.OutcomeReset, words: "reset"}
	case "truncated":
		return end{outcome: stats.OutcomeTruncated, words: "truncated"}
	case "malformed":
		return end{outcome: stats.OutcomeFraming, words: "malformed"}
	case "refused":
		return end{outcome: stats.OutcomeRefused, words: "refused"}
	case "stalled":
		return end{stalled: true, words: "stalled"}
	case "client_gone":
		return end{outcome: stats.OutcomeClientGone, words: "given up by the client"}
	}
	return end{words: word}
}

// eventWords say what happened, after a number of requests: "timed out or reset", "answered 429 or 503, or reset".
func eventWords(c *config.EventCheck) string {
	var parts []string
	if len(c.Statuses) > 0 {
		statuses := make([]string, 0, len(c.Statuses))
		for _, r := range c.Statuses {
			statuses = append(statuses, r.String())
		}
		parts = append(parts, "answered "+either(statuses))
	}
	for _, word := range c.Outcomes {
		parts = append(parts, endOf(word).words)
	}
	if len(c.Statuses) > 1 {
		return strings.Join(parts, ", or ")
	}
	return either(parts)
}

// either is "a, b or c".
func either(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " or " + list[last]
}

// failureMeaning is what counts as failed, in words that are the same when the same requests do.
func failureMeaning(c *config.ErrorCheck) string { return "statuses " + canonical(failedStatuses(c)) }

// eventMeaning is the same for an event.
func eventMeaning(c *config.EventCheck) string {
	outcomes := slices.Compact(slices.Sorted(slices.Values(c.Outcomes)))
	return "statuses " + canonical(c.Statuses) + " outcomes " + strings.Join(outcomes, ",")
}

// canonical writes a set of statuses in one way, whatever way it was written in.
func canonical(list []config.StatusRange) string {
	sorted := slices.SortedFunc(slices.Values(list), func(a, b config.StatusRange) int { return a.Low - b.Low })
	var merged []config.StatusRange
	for _, r := range sorted {
		if last := len(merged) - 1; last >= 0 && r.Low <= merged[last].High+1 {
			merged[last].High = max(merged[last].High, r.High)
			continue
		}
		merged = append(merged, r)
	}
	texts := make([]string, 0, len(merged))
	for _, r := range merged {
		texts = append(texts, r.String())
	}
	return strings.Join(texts, ",")
}

// sameKinds says whether requests count as the same thing, under the same number, by both.
func sameKinds(a, b *config.Checks) bool {
	return failureMeaning(&a.Errors) == failureMeaning(&b.Errors) && slices.Equal(eventMeanings(a), eventMeanings(b)) &&
		sameMeasures(a, b)
}

// eventMeanings are those of the events, by number less one.
func eventMeanings(c *config.Checks) []string {
	var list []string
	for _, name := range eventNames(c) {
		e := c.Events[name]
		list = append(list, eventMeaning(&e))
	}
	return list
}
