package notify

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"haldane/rollout"
)

// kindsShown bounds the events that one message lists.
const kindsShown = 8

// message is what a target is told. Those about the same thing, which have the same key, become one.
type message struct {
	key  string
	kind string // an event's kind, or one of the kinds below
	id   string // the same whenever the same thing is told
	time time.Time

	service string // empty for the whole process
	text    string // one sentence, safe to show
	needs   string // why a person is needed; empty when none is
	ended   bool   // a promotion or a rollback
	link    string
	actions []action
	facts   facts
	alert   *alert // only for an Alertmanager

	count, wanted int       // how many it was made of, and how many of these the target had asked for
	kinds         []string  // of the last ones
	queued        time.Time // when the last one came
}

// The kinds of messages that are no events of a rollout.
const (
	kindHeld            = "held"
	kindReloadFailed    = "reload_failed"
	kindReloadRecovered = "reload_recovered"
)

// action is something that a person can do.
type action struct {
	does, command string
	kind          rollout.CommandKind // what a link can order; empty where it cannot
	link          string              // filled in when it is sent
}

// linked is the message with links for the one it is sent to.
func (w *worker) linked(m *message, now time.Time) *message {
	if w.links == nil || m.service == "" {
		return m
	}
	own := *m
	own.actions = slices.Clone(m.actions)
	for i := range own.actions {
		if a := &own.actions[i]; a.kind != "" {
			a.link = w.links.Link(&m.facts.view, a.kind, w.name, now)
		}
	}
	return &own
}

// facts is what programs are told of the rollout, beside the text.
type facts struct {
	event rollout.Event
	view  rollout.View // without its history
}

// alert is a condition as an Alertmanager knows it.
type alert struct {
	starts, ends time.Time // ends is when it is over, or is taken to be unless it is told again
}

// merge makes one message of two about the same thing: the later one, and how many it stands for.
func (m *message) merge(later message) {
	later.count += m.count
	later.wanted += m.wanted
	later.kinds = append(slices.Clip(m.kinds), later.kinds...)
	if n := len(later.kinds); n > kindsShown {
		later.kinds = later.kinds[n-kindsShown:]
	}
	*m = later
}

// without is what is left of a message that has grown since it was copied; none is left when nobody asked for it.
func (m *message) without(sent *message) (rest message, some bool) {
	rest = *m
	rest.count -= sent.count
	rest.wanted -= sent.wanted
	rest.kinds = rest.kinds[max(0, len(rest.kinds)-rest.count):]
	return rest, rest.wanted > 0
}

// sentence is the text, with what else the message stands for.
func (m *message) sentence() string {
	if m.count < 2 {
		return m.text
	}
	return fmt.Sprintf("%s (%d events, the last: %s)", m.text, m.count, strings.Join(m.kinds, ", "))
}

// linkTo fills a link in.
func linkTo(link, service, id string) string {
	return strings.NewReplacer("{service}", url.PathEscape(service), "{rollout}", url.PathEscape(id)).Replace(link)
}
