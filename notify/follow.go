package notify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"haldane/config"
	"haldane/rollout"
)

// formerFor is how long a rollout that is gone is remembered.
const formerFor = time.Minute

// follower turns what happens to rollouts into messages. It belongs to one goroutine. What it tells comes from the histories of
// the views, each event once; the subscription only says when to look. So an event that was lost is late, and not missing.
type follower struct {
	rollouts Rollouts
	born     time.Time
	settings *Settings
	queues   map[string]*queue
	known    map[string]*known    // by service
	former   map[string]*known    // by service: what was known before, for events that come after the view has gone
	told     map[string]condition // that last, by service; "" for the process
	reload   reload
}

func newFollower(rollouts Rollouts, born time.Time) *follower {
	return &follower{
		rollouts: rollouts, born: born, settings: &Settings{},
		known: make(map[string]*known), former: make(map[string]*known), told: make(map[string]condition),
	}
}

// known is what was seen of the rollout of a service.
type known struct {
	view     rollout.View // the last one
	sequence uint64       // of the last event that was told of
	held     time.Time    // when the hold began that was told of
	left     time.Time    // when it became a former one
}

// lookAll looks at every rollout.
func (f *follower) lookAll(now time.Time) {
	maps.DeleteFunc(f.former, func(_ string, k *known) bool { return now.Sub(k.left) > formerFor })
	there := make(map[string]bool)
	for _, v := range f.rollouts.Views() {
		there[v.Service] = true
		f.see(now, &v)
	}
	for service := range f.known {
		if !there[service] {
			f.gone(now, service)
		}
	}
	for service, c := range f.told {
		if now.Sub(c.at) >= alertEvery {
			f.alert(now, c.message, now.Add(alertLife))
			c.at = now
			f.told[service] = c
		}
	}
}

// look looks at one rollout because of an event. One that is not in its history is of a rollout before it, that ended.
func (f *follower) look(now time.Time, service string, e *rollout.Event) {
	view, there := f.rollouts.View(service)
	if !slices.ContainsFunc(view.History, func(h rollout.Event) bool { return same(&h, e) }) {
		f.ending(now, service, e)
	}
	if there {
		f.see(now, &view)
	} else {
		f.gone(now, service)
	}
}

// ending tells of the last event of a rollout that has no view any more.
func (f *follower) ending(now time.Time, service string, e *rollout.Event) {
	for _, k := range []*known{f.known[service], f.former[service]} {
		if k != nil && k.view.ID == e.Rollout && e.Sequence > k.sequence && !e.Time.Before(f.born) {
			k.sequence = e.Sequence
			f.tell(now, f.telling(&k.view, e, nil, ""))
			return
		}
	}
}

// same says whether two events are one.
func same(a, b *rollout.Event) bool {
	return a.Sequence == b.Sequence && a.Rollout == b.Rollout && a.Time.Equal(b.Time)
}

// see tells what is new in a rollout.
func (f *follower) see(now time.Time, v *rollout.View) {
	k := f.known[v.Service]
	if k == nil || !k.view.Created.Equal(v.Created) {
		f.leave(now, v.Service)
		k = &known{}
		f.known[v.Service] = k
	}
	for i := range v.History {
		e := &v.History[i]
		if e.Sequence <= k.sequence {
			continue
		}
		k.sequence = e.Sequence
		if !e.Time.Before(f.born) { // others were told by the process before
			f.tell(now, f.message(v, i, needOf(v, e)))
		}
	}
	k.view = *v
	k.view.History = nil
	if hold := f.held(now, v); hold >= 0 {
		m := f.holding(now, v, hold)
		if begun := v.History[hold].Time; !k.held.Equal(begun) {
			k.held = begun
			f.tell(now, m)
		}
		f.lasts(now, v, m)
		return
	}
	about := []rollout.EventKind{rollout.EventCreated, rollout.EventPaused, rollout.EventPartRolledBack, rollout.EventRolledBack}
	if v.Waits {
		about = append(about, rollout.EventWaiting)
	}
	f.lasts(now, v, f.message(v, last(v.History, about...), need(v)))
}

// needOf says why a person is needed because of an event, as far as it is still so.
func needOf(v *rollout.View, e *rollout.Event) string {
	switch e.Kind {
	case rollout.EventCreated, rollout.EventRestored:
		return need(v)
	case rollout.EventWaiting:
		if latest := last(v.History, rollout.EventWaiting); v.Waits && same(&v.History[latest], e) {
			return need(v)
		}
	case rollout.EventPaused:
		if latest := last(v.History, rollout.EventPaused); v.Phase == rollout.PhasePaused && same(&v.History[latest], e) {
			return need(v)
		}
	case rollout.EventHold:
		if latest := last(v.History, rollout.EventHold); v.Hold == rollout.HoldCheck && same(&v.History[latest], e) {
			return need(v)
		}
	case rollout.EventPartRolledBack:
		if v.Phase.Live() {
			return needPart
		}
	case rollout.EventRolledBack:
		if e.Trigger != rollout.TriggerOperator && v.RetryAt.IsZero() {
			return needRolledBack
		}
	}
	return ""
}

// held is the index of the event with which a clock has stopped that a person is to be told of, or -1. An override is a
// person's order, and so are freezes and windows; of a failed check a person was told at once.
func (f *follower) held(now time.Time, v *rollout.View) int {
	switch v.Hold {
	case "", rollout.HoldOverride, rollout.HoldCheck, rollout.HoldFreeze, rollout.HoldWindow:
		return -1
	}
	if f.settings.holdAfter <= 0 {
		return -1
	}
	i := last(v.History, rollout.EventHold)
	if i < 0 || now.Sub(v.History[i].Time) < f.settings.holdAfter {
		return -1
	}
	return i
}

// message is an event of the history as a message. Without one (-1) it is about the rollout as it is.
func (f *follower) message(v *rollout.View, i int, needs string) message {
	e, before := &rollout.Event{Rollout: v.ID, Time: v.Created, Phase: v.Phase}, (*rollout.Event)(nil)
	if i >= 0 {
		e = &v.History[i]
	}
	if i > 0 {
		before = &v.History[i-1]
	}
	return f.telling(v, e, before, needs)
}

// telling is an event as a message.
func (f *follower) telling(v *rollout.View, e, before *rollout.Event, needs string) message {
	m := message{
		key: v.Service, kind: string(e.Kind), id: e.Rollout + "-" + strconv.FormatUint(e.Sequence, 10), time: e.Time,
		service: v.Service, text: about(v, e, before), needs: needs, actions: actions(needs, v.Service),
		ended: e.Kind == rollout.EventPromoted || e.Kind == rollout.EventRolledBack,
		link:  linkTo(f.settings.link, v.Service, e.Rollout),
		facts: facts{event: *e, view: *v},
	}
	m.facts.view.History = nil
	return m
}

// holding is a hold that lasts, which began with an event of the history, as a message.
func (f *follower) holding(now time.Time, v *rollout.View, i int) message {
	m, e := f.message(v, i, needHeld), &v.History[i]
	m.kind, m.id = kindHeld, m.id+"-"+kindHeld
	m.text = fmt.Sprintf("%s: the clock of %s stands still%s for %s: %s.",
		v.Service, v.Canary, exposure(e), span(now.Sub(e.Time)), strings.TrimRight(plain(v.Reason), "."))
	return m
}

// gone forgets a rollout that is not there any more.
func (f *follower) gone(now time.Time, service string) {
	f.leave(now, service)
	f.over(now, service)
}

// leave makes what is known of a rollout what was known of it.
func (f *follower) leave(now time.Time, service string) {
	if k := f.known[service]; k != nil {
		k.left = now
		f.former[service] = k
		delete(f.known, service)
	}
}

// tell hands a message to all that want it.
func (f *follower) tell(now time.Time, m message) {
	m.queued = now
	for name, t := range f.settings.targets {
		if t.kind != config.TargetAlertmanager && t.covers(m.service) {
			f.queues[name].put(m, t.wants(&m))
		}
	}
}
