package admin

import (
	"bytes"
	"encoding/json"
	"time"

	"haldane/admin/live"
	"haldane/rollout"
)

// topic is one service that somebody looks at, or whose rollout runs. It is guarded by the board.
type topic struct {
	options *Options
	service string
	hub     *hub
	track   *live.Track

	entry    Service   // as it is configured
	names    [2]string // of the variants that are measured: stable and canary
	weight   float64   // of the canary
	shown    []byte    // the view that readers have
	moved    bool      // something happened: the variants and the weight may be others
	outdated bool      // readers need the whole state
	idle     int       // ticks without a reader
}

func newTopic(options *Options, service string) *topic {
	t := &topic{options: options, service: service, hub: newHub(boardRing), track: live.NewTrack(nil, nil)}
	t.entry = options.entry(service)
	t.turn()
	return t
}

func (t *topic) feed() *hub { return t.hub }

// wanted says whether the topic is still to be measured.
func (t *topic) wanted(running bool) bool {
	if running || t.hub.watched() {
		t.idle = 0
		return true
	}
	t.idle++
	return t.idle < lingerTicks
}

// tick measures one more second, and tells readers what has changed.
func (t *topic) tick(now time.Time, reloaded bool) {
	watched := t.hub.watched()
	if reloaded {
		t.entry = t.options.entry(t.service)
	}
	var view []byte
	if watched || t.moved || reloaded {
		view = t.turn()
	}
	row, ok := t.track.Look(now, t.weight)
	if !watched {
		return
	}
	if reloaded || t.outdated {
		t.outdated = false
		t.shown = view
		t.hub.publish(frame{kind: kindState, data: t.state()})
		return
	}
	if ok {
		t.hub.publish(frame{kind: kindRow, data: row.Append(nil)})
	}
	if !bytes.Equal(view, t.shown) {
		t.shown = view
		t.hub.publish(frame{kind: kindView, data: view})
	}
}

// turn measures the variants that are stable and canary now. It gives the view back without its history: readers have the events.
func (t *topic) turn() []byte {
	t.moved = false
	view, ok := t.options.Rollouts.View(t.service)
	names := [2]string{view.Stable, view.Canary}
	t.weight = view.Weight.Ratio()
	if !ok {
		names[0] = t.entry.Stable
	}
	if names != t.names {
		t.track.Follow(t.options.counter(t.service, names[0]), t.options.counter(t.service, names[1]), staying(t.names, names))
		t.outdated = t.outdated || t.names[0] != "" // readers have rows of others
		t.names = names
	}
	if !ok {
		return []byte("null")
	}
	view.History = []rollout.Event{}
	return encoded(view)
}

// staying is what stays of the rows when other variants are stable and canary: those of one that is gone would be read as the new one's.
func staying(before, now [2]string) live.Keep {
	if before[0] != now[0] {
		return live.KeepNone
	}
	return live.KeepStable
}

// state is everything about the service, with the events so far.
func (t *topic) state() []byte {
	var view *rollout.View
	if found, ok := t.options.Rollouts.View(t.service); ok {
		view = &found
	}
	return encoded(struct {
		Version string          `json:"version"`
		Now     time.Time       `json:"now"`
		Config  Configuration   `json:"config"`
		Service *Service        `json:"service"`
		View    *rollout.View   `json:"view"`
		Rows    json.RawMessage `json:"rows"`
	}{t.options.Version, time.Now(), t.options.Configuration(), t.entry.orNil(), view, t.track.Append(nil)})
}

// encoded is plain data as JSON.
func encoded(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil { // plain data
		return []byte("null")
	}
	return data
}
