package config

// Notifications tells people what happens to their rollouts. A target that is slow or gone delays nothing: what it misses is
// gathered into one message for each rollout and sent when it is back.
type Notifications struct {
	// Link is a URL that messages lead to; {service} in it becomes the name of the service, {rollout} the id of the rollout.
	// It begins with http:// or https://. Default: none.
	Link string `yaml:"link,omitempty"`
	// HoldAfter is how long the clock of a step may stand still (no traffic, a stable that is sick, a full disk) before a
	// person is told. Zero for never. Default 15m.
	HoldAfter Duration `yaml:"hold_after"`
	// Targets are who is told, by name. The names stand in logs and metrics. Default: none.
	Targets map[string]NotificationTarget `yaml:"targets,omitempty"`
}

// NotificationTarget is one place that messages are sent to.
type NotificationTarget struct {
	// Type is "slack" (an incoming webhook), "teams" (a webhook of Workflows), "webhook" (CloudEvents 1.0, structured JSON) or
	// "alertmanager" (API v2; an alert is resolved when no person is needed any more). Required.
	Type string `yaml:"type"`
	// URL is where to send: that of the webhook, or the base of the Alertmanager, which /api/v2/alerts is added to. It begins
	// with http:// or https://. It is a secret. One of url and url_file is required.
	URL Secret `yaml:"url,omitempty"`
	// URLFile is the path of a file that holds the URL; it is read at each reload. Excludes url.
	URLFile string `yaml:"url_file,omitempty"`
	// Secret is the key of the signature (HMAC-SHA256) in the field Haldane-Signature, of at least 16 characters; only for
	// "webhook". Default: none, nothing is signed.
	Secret Secret `yaml:"secret,omitempty"`
	// SecretFile is the path of a file that holds the secret; it is read at each reload. Excludes secret. Default: none.
	SecretFile string `yaml:"secret_file,omitempty"`
	// When is what is sent: "needs_person" (a rollout waits for an approval or a decision, was rolled back other than by a
	// person, or has been on hold for hold_after; a reload failed), "ended" (that, and every promotion and rollback) or "all"
	// (every event). An Alertmanager takes only the first. Default "needs_person".
	When string `yaml:"when"`
	// Services are the names of the services to tell about; "*", "?" and "[a-z]" stand for parts of a name. A target with this
	// list is not told of reloads. Default: all.
	Services []string `yaml:"services,omitempty"`
	// Timeout bounds one attempt to send. Above 0. Default 10s.
	Timeout Duration `yaml:"timeout"`
	// GiveUp is how long one message is tried again before it is dropped. Above 0. Default 1h.
	GiveUp Duration `yaml:"give_up"`
}

func (t *NotificationTarget) setDefaults() {
	*t = NotificationTarget{When: WhenNeedsPerson, Timeout: seconds(10), GiveUp: minutes(60)}
}

// complete makes the paths absolute.
func (n *Notifications) complete(absolute func(*string)) {
	for name, t := range n.Targets {
		absolute(&t.URLFile)
		absolute(&t.SecretFile)
		n.Targets[name] = t
	}
}

// eachFile visits every place that may name a file.
func (n *Notifications) eachFile(at place, visit func(place, *string)) {
	for _, name := range names(n.Targets) {
		t, in := n.Targets[name], at.key("targets").key(name)
		visit(in.key("url_file"), &t.URLFile)
		visit(in.key("secret_file"), &t.SecretFile)
	}
}
