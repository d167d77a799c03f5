package config

// Window is a time of the week in which steps are taken. Outside of all windows of a policy nothing is started, promoted or raised
// by Haldane itself; judging and rollbacks go on, and a person may still order what is to be done.
type Window struct {
	// Days are the days on which the window begins: "mon", "tue", "wed", "thu", "fri", "sat" and "sun". Default: every day.
	Days []Weekday `yaml:"days,omitempty"`
	// From is the time of day at which the window opens, "09:00". Default: the beginning of the day.
	From ClockTime `yaml:"from"`
	// To is the time of day at which the window closes. One that is before from is a time of the next day. Default 24:00.
	To ClockTime `yaml:"to"`
	// Zone is the time zone by its name in the IANA database, such as "Europe/Berlin". Default "UTC".
	Zone Zone `yaml:"zone"`
}

// Freeze is a time in which nothing is changed: as outside of all windows, and a person's order that exposes more users is refused,
// too, unless it is forced with a reason.
type Freeze struct {
	// From is the moment at which the freeze begins, as 2026-12-20T00:00:00Z or with an offset (RFC 3339). Required.
	From Moment `yaml:"from"`
	// To is the moment at which it ends. Required.
	To Moment `yaml:"to"`
	// Reason is shown to people. Required.
	Reason string `yaml:"reason,omitempty"`
}

// The points of a rollout at which hooks are asked, by their keys.
const (
	// HookConfirmRollout is asked before a rollout begins.
	HookConfirmRollout = "confirm_rollout"
	// HookPreRollout tests the canary before any user is on it.
	HookPreRollout = "pre_rollout"
	// HookRollout is asked again and again on every step.
	HookRollout = "rollout"
	// HookConfirmTrafficIncrease is asked before more users are exposed.
	HookConfirmTrafficIncrease = "confirm_traffic_increase"
	// HookConfirmPromotion is asked before the canary takes all traffic.
	HookConfirmPromotion = "confirm_promotion"
	// HookPostRollout is told of the end.
	HookPostRollout = "post_rollout"
	// HookRollback may order a rollback.
	HookRollback = "rollback"
	// HookEvent is told of every event.
	HookEvent = "event"
)

// Hooks are webhooks that are asked at points of a rollout. An answer 2xx is a yes. No answer in time, 408, 425, 429, 502, 503
// and 504 are silence, any other answer is a refusal. Neither lets a step through, and nothing here delays a rollback.
type Hooks struct {
	// ConfirmRollout are asked before the first step, until all say yes.
	ConfirmRollout []Hook `yaml:"confirm_rollout,omitempty"`
	// PreRollout are asked after these and before any user is on the canary, until all say yes: a place for tests. Some
	// refusals (failures) of one of them end the rollout.
	PreRollout []Hook `yaml:"pre_rollout,omitempty"`
	// Rollout are asked on every step, and in the bake, every so often. While the last answer is not a yes, the clock of the step
	// stands still. Some refusals (failures) on one step do what a failed check does (on_failure).
	Rollout []Hook `yaml:"rollout,omitempty"`
	// ConfirmTrafficIncrease are asked when a step is done and before more users are exposed, the first step included, until all say
	// yes.
	ConfirmTrafficIncrease []Hook `yaml:"confirm_traffic_increase,omitempty"`
	// ConfirmPromotion are asked before the canary takes all traffic, until all say yes.
	ConfirmPromotion []Hook `yaml:"confirm_promotion,omitempty"`
	// PostRollout are told once that the canary was promoted or rolled back. Their answers change nothing.
	PostRollout []Hook `yaml:"post_rollout,omitempty"`
	// Rollback are asked every so often while users are on the canary, also during a pause: a yes rolls back.
	Rollback []Hook `yaml:"rollback,omitempty"`
	// Event are told of every event, in their order. Their answers change nothing.
	Event []Hook `yaml:"event,omitempty"`
}

// Hook is one webhook. It is sent a POST with JSON: what is asked, about which rollout, its step, weight and verdict, a checksum of
// what is released under which policy, and an id that is the same when the same thing is asked again.
type Hook struct {
	// Name is shown to people, and stands in metrics. It is unique at its point. Required.
	Name string `yaml:"name,omitempty"`
	// URL is where to ask. It begins with http:// or https://. It is a secret. One of url and url_file is required.
	URL Secret `yaml:"url,omitempty"`
	// URLFile is the path of a file that holds the URL; it is read at each reload. Excludes url.
	URLFile string `yaml:"url_file,omitempty"`
	// Secret is the key of the signature (HMAC-SHA256) in the field Haldane-Signature, of at least 16 characters. Default: none,
	// nothing is signed.
	Secret Secret `yaml:"secret,omitempty"`
	// SecretFile is the path of a file that holds the secret; it is read at each reload. Excludes secret. Default: none.
	SecretFile string `yaml:"secret_file,omitempty"`
	// Timeout bounds one attempt. Above 0. Default 10s.
	Timeout Duration `yaml:"timeout"`
	// Retries is how often an attempt without an answer is repeated before it counts as such, after 1s, 2s, 4s and so on. At most
	// 10. Default 2.
	Retries int `yaml:"retries"`
	// Every is the time between an answer and the next question. From 1s. Default 30s.
	Every Duration `yaml:"every"`
	// Failures is how many refusals of a hook end a rollout: of pre_rollout before it, of rollout on one step. For post_rollout, how
	// many attempts fail before it is given up. At least 1. Default 3.
	Failures int `yaml:"failures"`
	// Metadata is sent along as it stands. Default: none.
	Metadata map[string]string `yaml:"metadata,omitempty"`
}

// HookPoints are the points in the order of a rollout.
func HookPoints() [8]string {
	return [...]string{
		HookConfirmRollout, HookPreRollout, HookRollout, HookConfirmTrafficIncrease, HookConfirmPromotion, HookPostRollout,
		HookRollback, HookEvent,
	}
}

// At are the hooks of a point; nil for a point that there is not.
func (h *Hooks) At(point string) []Hook {
	if list := h.list(point); list != nil {
		return *list
	}
	return nil
}

func (h *Hooks) list(point string) *[]Hook {
	switch point {
	case HookConfirmRollout:
		return &h.ConfirmRollout
	case HookPreRollout:
		return &h.PreRollout
	case HookRollout:
		return &h.Rollout
	case HookConfirmTrafficIncrease:
		return &h.ConfirmTrafficIncrease
	case HookConfirmPromotion:
		return &h.ConfirmPromotion
	case HookPostRollout:
		return &h.PostRollout
	case HookRollback:
		return &h.Rollback
	case HookEvent:
		return &h.Event
	}
	return nil
}

// Empty says whether there is no hook at all.
func (h *Hooks) Empty() bool {
	for _, point := range HookPoints() {
		if len(h.At(point)) > 0 {
			return false
		}
	}
	return true
}

func (w *Window) setDefaults() { w.To = dayMinutes }

func (h *Hook) setDefaults() {
	*h = Hook{Timeout: seconds(10), Retries: 2, Every: seconds(30), Failures: 3}
}

// eachFile visits every place that may name a file.
func (h *Hooks) eachFile(at place, visit func(place, *string)) {
	for _, point := range HookPoints() {
		list := h.At(point)
		for i := range list {
			in := at.key(point).item(i)
			visit(in.key("url_file"), &list[i].URLFile)
			visit(in.key("secret_file"), &list[i].SecretFile)
		}
	}
}

// eachHookFile visits those of all policies, and of what services lay over them.
func (c *Config) eachHookFile(top place, visit func(place, *string)) {
	for _, name := range names(c.Policies) {
		p := c.Policies[name]
		p.Hooks.eachFile(top.key("policies").key(name).key("hooks"), visit)
	}
	for _, name := range names(c.Services) {
		s := c.Services[name]
		if s.PolicyOverrides == nil && s.PatchOverrides == nil {
			continue
		}
		at := top.key("services").key(name).key("policy_overrides").key("hooks")
		for _, p := range []*Policy{s.PolicyOverrides, s.PatchOverrides} {
			if p != nil {
				p.Hooks.eachFile(at, visit)
			}
		}
	}
}
