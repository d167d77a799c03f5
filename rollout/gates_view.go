package rollout

import (
	"time"

	"haldane/config"
)

// GatesView is what a rollout waits for besides the judge.
type GatesView struct {
	// Until is when a hold by a freeze or by the windows ends; zero when there is none, or nobody knows.
	Until time.Time `json:"until,omitzero"`
	// Frozen is the reason of a freeze in force; empty without one.
	Frozen string `json:"frozen,omitempty"`
	// Checklist is that of the running step, Hooks are those that were asked on it.
	Checklist []ItemView `json:"checklist,omitempty"`
	Hooks     []HookView `json:"hooks,omitempty"`
}

// ItemView is an item of a checklist.
type ItemView struct {
	// Item is its text. Done says whether it was ticked off, Actor by whom, At when.
	Item  string    `json:"item"`
	Done  bool      `json:"done"`
	Actor string    `json:"actor,omitempty"`
	At    time.Time `json:"at,omitzero"`
}

// HookView is a hook that was asked.
type HookView struct {
	// Point is where it is asked, Name its name.
	Point string `json:"point"`
	Name  string `json:"name"`
	// Answer is its last one, "yes", "refused" or "silent", and empty while it is asked for the first time. Text came with it, At is
	// when.
	Answer HookAnswer `json:"answer,omitempty"`
	Text   string     `json:"text,omitempty"`
	At     time.Time  `json:"at,omitzero"`
	// Failed is how often it has refused on this stage, of Failures that end the rollout; 0 where nothing ends.
	Failed   int `json:"failed"`
	Failures int `json:"failures,omitempty"`
}

func (s *State) gatesView(now time.Time) GatesView {
	var v GatesView
	if s.Phase.Live() {
		if f := s.frozen(now); f != nil {
			v.Frozen = f.Reason
		}
	}
	if s.Hold == HoldFreeze || s.Hold == HoldWindow {
		v.Until = s.goesOn(now)
	}
	g := s.gate()
	if s.Phase.exposing() {
		for _, item := range s.stage().Checklist {
			v.Checklist = append(v.Checklist, g.itemView(item))
		}
	}
	for _, point := range config.HookPoints() {
		for _, hook := range s.Spec.Policy.Hooks.At(point) {
			if h := g.find(point, hook.Name); h != nil || g.Asking == point {
				v.Hooks = append(v.Hooks, h.view(point, &hook))
			}
		}
	}
	return v
}

func (g *gates) itemView(item string) ItemView {
	for _, t := range g.Ticks {
		if t.Item == item {
			return ItemView{Item: item, Done: true, Actor: t.Actor, At: t.At}
		}
	}
	return ItemView{Item: item}
}

func (h *hookState) view(point string, hook *config.Hook) HookView {
	v := HookView{Point: point, Name: hook.Name}
	if h != nil {
		v.Answer, v.Text, v.At, v.Failed = h.Answer, h.Text, h.At, h.Failed
	}
	switch point {
	case config.HookPreRollout, config.HookRollout, config.HookPostRollout:
		v.Failures = hook.Failures
	}
	return v
}

// waitsToBegin lists what a pending rollout waits for.
func (s *State) waitsToBegin(now time.Time) []string {
	list := []string{}
	if s.Hold != "" {
		list = append(list, s.held(now))
	}
	return list
}
