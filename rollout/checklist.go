package rollout

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Tick is an item of a checklist that is done.
type Tick struct {
	// Item is its text, Actor who ticked it off, At when.
	Item  string    `json:"item"`
	Actor string    `json:"actor,omitempty"`
	At    time.Time `json:"at"`
}

// openItems are those of the checklist of the stage that are not done.
func (s *State) openItems() []string {
	if !s.Phase.exposing() {
		return nil
	}
	list := s.stage().Checklist
	if len(list) == 0 {
		return nil
	}
	g := s.gate()
	return slices.DeleteFunc(slices.Clone(list), g.ticked)
}

// ticked says whether an item is done.
func (g *gates) ticked(item string) bool {
	return slices.ContainsFunc(g.Ticks, func(t Tick) bool { return t.Item == item })
}

// item finds an item of the checklist by its text or by its number from 1.
func (s *State) item(text string) (string, error) {
	list := s.stage().Checklist
	if slices.Contains(list, text) {
		return text, nil
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(list) {
		return list[n-1], nil
	}
	return "", fmt.Errorf("%w: the checklist of %s has no item %q, it has: %s", ErrBadCommand, s.stageName(), text, join(list))
}

// tick ticks an item off, or takes that back. A rollout that only waits for its checklist goes on.
func (c *change) tick(cmd *Command, why cause) {
	item, _ := c.s.item(cmd.Item) // checked
	kind := EventTicked
	c.setGate(func(g *gates) {
		g.Ticks = slices.DeleteFunc(slices.Clone(g.Ticks), func(t Tick) bool { return t.Item == item })
		if cmd.Kind == CommandTick {
			g.Ticks = append(g.Ticks, Tick{Item: item, Actor: why.actor, At: c.now})
		}
	})
	if cmd.Kind == CommandUntick {
		kind = EventUnticked
	}
	why.reason = item + ending(": ", cmd.Reason)
	c.event(kind, why)
	if c.s.Pause != PauseGate {
		return
	}
	reason := c.s.gateReason()
	if reason == "" {
		c.resume(cause{reason: "the checklist is complete", actor: why.actor})
		return
	}
	c.s.PauseText, c.s.Reason = reason, reason
}

// join is a list for people.
func join(list []string) string { return strings.Join(list, ", ") }
