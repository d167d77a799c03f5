package config

import "time"

// The words of the settings that are one of a few.
const (
	// Off switches off a listener, a socket, a log or a field.
	Off = "off"
	// StoreFile and StoreMemory are where rollouts are remembered.
	StoreFile = "file"
	// StoreMemory forgets every rollout at a restart.
	StoreMemory = "memory"
	// AccessErrors, AccessSampled and AccessAll are what the access log holds, besides Off.
	AccessErrors = "errors"
	// AccessSampled logs errors and a share of the rest.
	AccessSampled = "sampled"
	// AccessAll logs every request.
	AccessAll = "all"
	// StartAuto and StartManual say what begins a rollout.
	StartAuto = "auto"
	// StartManual waits for the start command.
	StartManual = "manual"
	// AdvanceNoRegression and AdvanceProven are a step's conditions to go on.
	AdvanceNoRegression = "no_regression"
	// AdvanceProven goes on when the canary is shown within tolerance.
	AdvanceProven = "proven"
	// FailureRollBack and FailurePause are what a failed check does.
	FailureRollBack = "roll_back"
	// FailurePause asks a person.
	FailurePause = "pause"
	// Auto lets Haldane choose.
	Auto = "auto"
	// TLS12 and TLS13 are versions of TLS.
	TLS12 = "1.2"
	// TLS13 is the newest one.
	TLS13 = "1.3"
	// ClientAuthRequire and ClientAuthOptional say what becomes of a client without a certificate.
	ClientAuthRequire = "require"
	// ClientAuthOptional lets it in.
	ClientAuthOptional = "optional"
	// TunnelsKeep and TunnelsClose say what becomes of tunnels; the third way is a time.
	TunnelsKeep = "keep"
	// TunnelsClose closes them at once.
	TunnelsClose = "close"
	// TargetSlack, TargetTeams, TargetWebhook and TargetAlertmanager are what notifications are sent to.
	TargetSlack = "slack"
	// TargetTeams is a webhook of Microsoft Teams.
	TargetTeams = "teams"
	// TargetWebhook takes CloudEvents.
	TargetWebhook = "webhook"
	// TargetAlertmanager takes alerts.
	TargetAlertmanager = "alertmanager"
	// WhenNeedsPerson, WhenEnded and WhenAll are what is sent.
	WhenNeedsPerson = "needs_person"
	// WhenEnded adds promotions and rollbacks.
	WhenEnded = "ended"
	// WhenAll sends every event.
	WhenAll = "all"
	// PolicyCareful is the name of the built-in policy.
	PolicyCareful = "careful"
)

// defaulter is a section that is not zero by default. A section that stands in a map, a list or behind a pointer gets
// its defaults when it is made, before the file is decoded over them: a zero that the user wrote stays zero.
type defaulter interface{ setDefaults() }

func (c *Config) setDefaults()  { *c = Default() }
func (s *Service) setDefaults() { *s = DefaultService() }
func (v *Variant) setDefaults() { *v = DefaultVariant() }
func (s *Sticky) setDefaults()  { *s = DefaultSticky() }
func (p *Policy) setDefaults()  { *p = DefaultPolicy() }
func (s *Step) setDefaults()    { *s = DefaultStep() }

func (t *ListenTLS) setDefaults() {
	*t = ListenTLS{Address: ":8443", MinVersion: TLS12}
}

func (h *Health) setDefaults() {
	*h = Health{Statuses: []StatusRange{{200, 399}}, Interval: seconds(2), Timeout: seconds(1), Healthy: 2, Unhealthy: 3}
}

func (r *Rescue) setDefaults() { *r = Rescue{Statuses: []StatusRange{{502, 504}}, BodySize: 64 << 10} }

// Default is the configuration of an empty file. It is not valid: a service is missing.
func Default() Config {
	return Config{
		Listen: Listen{Address: ":8080"},
		Admin:  Admin{Address: "127.0.0.1:9901"},
		State:  State{Store: StoreFile, Directory: "/var/lib/haldane"},
		Log:    Log{Level: "info", Format: "json", Access: Off, AccessSample: percentUnit},
		Limits: Limits{HeaderSize: 32 << 10, Fields: 100, Connections: 20000},
		Timeouts: ClientTimeouts{
			Header: seconds(10),
			Idle:   seconds(60),
			Body:   seconds(30),
			Write:  seconds(30),
			Drain:  seconds(30),
		},
		Notifications: Notifications{HoldAfter: minutes(15)},
	}
}

// DefaultService is a service before its keys are read.
func DefaultService() Service {
	return Service{
		Policy: PolicyCareful, Start: StartAuto, RequestIDField: "X-Request-Id",
		StallTimeout: StallTimeout{Mode: StallAuto},
		Retries:      Retries{Attempts: 1, Budget: 20 * percentUnit, MinConcurrent: 3},
		Limits:       ServiceLimits{QueueTimeout: seconds(1)},
		Tunnels:      Tunnels{OnShutdown: TunnelDrain{Close: true}, Idle: minutes(60)},
	}
}

// DefaultVariant is a variant before its keys are read.
func DefaultVariant() Variant {
	return Variant{
		MaxConnections: 1024,
		Queue:          Queue{Size: 128, Timeout: seconds(1)},
		Resolve:        seconds(5),
		Ejection:       Ejection{Failures: 5, Time: seconds(10), MaxShare: 50 * percentUnit},
		Timeouts: UpstreamTimeouts{
			Connect:        seconds(1),
			ResponseHeader: seconds(30),
			Idle:           seconds(60),
			// Shorter than the 60 s after which most servers close an idle connection: the side that reuses
			// a connection should be the one that gives it up.
			KeepAlive: seconds(55),
		},
	}
}

// DefaultSticky is a user key before its keys are read.
func DefaultSticky() Sticky { return Sticky{TTL: Duration(30 * day)} }

// DefaultPolicy is a policy before its keys are read. It has no steps.
func DefaultPolicy() Policy {
	return Policy{
		Checks:    defaultChecks(),
		Bake:      Bake{Duration: minutes(10), Holdback: 10 * percentUnit},
		OnFailure: FailureRollBack,
		Alpha:     percentUnit,
		Beta:      5 * percentUnit,

		RestartFactor: Whole,
	}
}

// DefaultStep is a step before its keys are read.
func DefaultStep() Step {
	return Step{
		Strength:    Whole,
		Duration:    minutes(1),
		MaxDuration: minutes(30),
		MinRequests: 50,
		AdvanceWhen: AdvanceNoRegression,
	}
}

// Careful is the policy that every service has unless it names another one, and that exists without being written:
// 1 %, 5 %, 25 % and 50 %, five minutes each, then ten minutes with a tenth held back.
func Careful() Policy {
	p := DefaultPolicy()
	for _, percent := range []Percent{1, 5, 25, 50} {
		step := DefaultStep()
		step.Weight = percent * percentUnit
		step.Duration = minutes(5)
		p.Steps = append(p.Steps, step)
	}
	p.complete(place{})
	return p
}

func seconds(n int) Duration { return Duration(time.Duration(n) * time.Second) }

func minutes(n int) Duration { return Duration(time.Duration(n) * time.Minute) }
