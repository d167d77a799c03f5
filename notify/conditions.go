package notify

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"haldane/config"
	"haldane/rollout"
)

// condition is a need for a person, for as long as it lasts.
type condition struct {
	message message
	at      time.Time // when alerts were told of it
}

// lasts notes whether a person is needed, for those who are told of conditions and not of events.
func (f *follower) lasts(now time.Time, v *rollout.View, m message) {
	c, there := f.told[v.Service]
	if there && (c.message.needs != m.needs || c.message.facts.view.ID != v.ID) {
		f.over(now, v.Service)
		there = false
	}
	if !there && m.needs != "" {
		f.begins(now, v.Service, m)
	}
}

// begins notes a condition.
func (f *follower) begins(now time.Time, service string, m message) {
	f.alert(now, m, now.Add(alertLife))
	f.told[service] = condition{message: m, at: now}
}

// over ends what lasted.
func (f *follower) over(now time.Time, service string) {
	if c, there := f.told[service]; there {
		delete(f.told, service)
		f.alert(now, c.message, now)
	}
}

// alert hands a condition to those who are told of conditions. ends is when it is over.
func (f *follower) alert(now time.Time, m message, ends time.Time) {
	m.alert = &alert{starts: m.time, ends: ends}
	m.key = m.service + " " + m.needs
	m.queued = now
	for name, t := range f.settings.targets {
		if t.kind == config.TargetAlertmanager && t.covers(m.service) {
			f.queues[name].put(m, true)
		}
	}
}

// reloaded tells of a configuration that was refused, once, and of the one that was not.
func (f *follower) reloaded(now time.Time, r reload) {
	was := f.reload
	f.reload = r
	if r.failed == was.failed {
		return
	}
	m := message{
		key: "", kind: kindReloadRecovered, time: r.at, text: "The configuration was reloaded, after it could not be.",
		id: "reload-" + strconv.FormatInt(r.at.UnixNano(), 36), link: linkTo(f.settings.link, "", ""),
	}
	f.over(now, "")
	if r.failed != "" {
		m.kind, m.needs, m.actions = kindReloadFailed, needReload, actions(needReload, "")
		m.text = "The configuration was not reloaded, the old one stays: " + r.failed
		f.begins(now, "", m)
	}
	f.tell(now, m)
}

// problem is the first line of an error, and how many there are.
func problem(err error) string {
	lines := strings.Split(err.Error(), "\n")
	text := plain(lines[0])
	if more := len(lines) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}
