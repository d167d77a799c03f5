package rollout

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"haldane/config"
)

// HookAnswer is what a hook has said.
type HookAnswer string

// The answers.
const (
	// HookYes is an answer 2xx.
	HookYes HookAnswer = "yes"
	// HookRefused is any other answer.
	HookRefused HookAnswer = "refused"
	// HookSilent is no answer.
	HookSilent HookAnswer = "silent"
)

// hookState is what is known of one hook on one stage.
type hookState struct {
	Point string `json:"point"`
	Name  string `json:"name"`
	// Turn is how many answers there were; the next question has the next number.
	Turn int `json:"turn"`
	// Answer is the last one; empty for none that counts. Text is what came with it, At when.
	Answer HookAnswer `json:"answer,omitempty"`
	Text   string     `json:"text,omitempty"`
	At     time.Time  `json:"at,omitzero"`
	// Failed is how often it refused, and after the end how often it did not say yes.
	Failed int `json:"failed,omitempty"`
}

// Question is what a hook is to be asked now.
type Question struct {
	// Service and Place say what it is about, Point and Hook who is asked, Turn the how-manieth question this is on the stage.
	Service string
	Place   Place
	Point   string
	Hook    string
	Turn    int
	// The rollout as it is.
	Attempt        int
	Stable, Canary string
	Policy         string
	Phase          Phase
	Step, Steps    int // from 1; 0 before the first
	StepName       string
	Weight         config.Percent
	// Class (empty before there is a verdict), Score and Sentence are the judge's last word.
	Class    string
	Score    float64
	Sentence string
	// Checksum is the same as long as the same is released under the same policy.
	Checksum string
}

// ID is the same for the same question, also in another process.
func (q *Question) ID() string {
	h := sha256.New()
	stage := strconv.Itoa(q.Place.Stage)
	if q.Place.Visit > 0 {
		stage += " " + strconv.Itoa(q.Place.Visit)
	}
	for _, part := range [...]string{q.Service, q.Place.Rollout, stage, q.Point, q.Hook, strconv.Itoa(q.Turn)} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Answer is what became of a question. Of another place or turn than the rollout is at, it counts for nothing.
type Answer struct {
	Service string
	Place   Place
	Point   string
	Hook    string
	Turn    int
	// Answer is what the hook said, Text what came with it, for people.
	Answer HookAnswer
	Text   string
}

// find is what is known of a hook; nil for nothing.
func (g *gates) find(point, name string) *hookState {
	for i := range g.Hooks {
		if h := &g.Hooks[i]; h.Point == point && h.Name == name {
			return h
		}
	}
	return nil
}

// unconfirmed is the first hook of a point that has not said yes; nil when all have.
func (s *State) unconfirmed(g *gates, point string) *config.Hook {
	list := s.Spec.Policy.Hooks.At(point)
	for i := range list {
		if h := g.find(point, list[i].Name); h == nil || h.Answer != HookYes {
			return &list[i]
		}
	}
	return nil
}

// stops is the hook that the clock of the stage stands still for, and its point; nil for none. A hook of the stage that has not
// answered yet keeps the stage from being left, but not its clock from running.
func (s *State) stops() (string, *config.Hook) {
	hooks := &s.Spec.Policy.Hooks
	if len(hooks.Rollout) == 0 && s.Gates.Asking == "" {
		return "", nil
	}
	g := s.gate()
	for i := range hooks.Rollout {
		if h := g.find(config.HookRollout, hooks.Rollout[i].Name); h != nil && h.Answer != HookYes {
			return config.HookRollout, &hooks.Rollout[i]
		}
	}
	if g.Asking == "" {
		return "", nil
	}
	return g.Asking, s.unconfirmed(&g, g.Asking)
}

// hookText says for which hook the clock stands still.
func (s *State) hookText() string {
	point, hook := s.stops()
	if s.Phase == PhasePending {
		g := s.gate()
		if point = s.startPoint(); point != "" {
			hook = s.unconfirmed(&g, point)
		}
	}
	if hook == nil {
		return "the hooks are asked"
	}
	who := fmt.Sprintf("the hook %s (%s)", hook.Name, point)
	g := s.gate()
	h := g.find(point, hook.Name)
	switch {
	case h == nil || h.Answer == "":
		return who + " is asked"
	case h.Answer == HookSilent:
		return who + " does not answer" + ending(": ", h.Text)
	}
	return who + " says no" + ending(": ", h.Text)
}

// waitsForHooks lists the hooks of the stage that have not answered yet.
func (s *State) waitsForHooks() []string {
	var list []string
	g := s.gate()
	for _, hook := range s.Spec.Policy.Hooks.Rollout {
		if g.find(config.HookRollout, hook.Name) == nil {
			list = append(list, fmt.Sprintf("the hook %s has not answered yet", hook.Name))
		}
	}
	return list
}

// postLongest is how long after the end somebody is told of it.
const postLongest = 24 * time.Hour

// asked are the points whose hooks are to be asked now.
func (s *State) asked(now time.Time) []string {
	g := s.gate()
	switch {
	case s.Phase.exposing():
		list := []string{config.HookRollback, config.HookRollout}
		if g.Asking != "" && s.Phase != PhasePaused && s.closed(now) == "" {
			list = append(list, g.Asking)
		}
		return list
	case s.Phase == PhasePending && g.Asking != "" && s.frozen(now) == nil:
		return []string{g.Asking}
	case s.Phase == PhasePromoted, s.Phase == PhaseRolledBack:
		var list []string
		if !s.Started.IsZero() && now.Sub(s.Ended) < postLongest {
			list = append(list, config.HookPostRollout)
		}
		if g.Asking != "" && (s.retryDue(now) || s.Unit.Blameless) && s.closed(now) == "" { // it is to begin again
			list = append(list, g.Asking)
		}
		return list
	}
	return nil
}

// questions are those that are due.
func (s *State) questions(now time.Time) []Question {
	if s.Spec.Policy.Hooks.Empty() {
		return nil
	}
	var list []Question
	g := s.gate()
	for _, point := range s.asked(now) {
		for _, hook := range s.Spec.Policy.Hooks.At(point) {
			h := g.find(point, hook.Name)
			if h == nil {
				h = &hookState{}
			}
			if h.due(now, point, &hook) {
				list = append(list, s.question(point, hook.Name, h.Turn+1))
			}
		}
	}
	return list
}

// due says whether the hook is to be asked now.
func (h *hookState) due(now time.Time, point string, hook *config.Hook) bool {
	if h.Answer != "" && now.Before(h.At.Add(time.Duration(hook.Every))) {
		return false
	}
	switch point {
	case config.HookRollout, config.HookRollback:
		return true
	case config.HookPostRollout:
		return h.Answer != HookYes && h.Failed < hook.Failures
	}
	return h.Answer != HookYes
}

func (s *State) question(point, hook string, turn int) Question {
	q := Question{
		Service: s.Spec.Service, Place: s.place(), Point: point, Hook: hook, Turn: turn,
		Attempt: s.Attempt, Stable: s.Spec.Stable, Canary: s.Spec.Canary, Policy: s.PolicyName, Phase: s.Phase,
		Steps: len(s.Policy.Steps), Weight: s.split().Weight, Checksum: s.checksum(),
	}
	if s.Phase != PhasePending {
		q.Step, q.StepName = min(s.Step, len(s.Policy.Steps)-1)+1, s.stageName()
	}
	if len(s.Verdict.Checks) > 0 {
		q.Class, q.Score, q.Sentence = s.Verdict.Class.String(), s.Verdict.Score, s.Verdict.Sentence()
	}
	return q
}

// checksum identifies what is released, and under which policy.
func (s *State) checksum() string {
	sum := sha256.Sum256([]byte(s.ID + " " + s.Spec.CanaryIdentity + " " + policyHash(&s.Spec.Policy)))
	return hex.EncodeToString(sum[:16])
}
