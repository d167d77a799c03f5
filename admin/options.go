package admin

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/zap"

	"haldane/admin/live"
	"haldane/config"
	"haldane/rollout"
)

// off is the word that switches a listener off in the configuration.
const off = "off"

// Exposure says what an admin address other than loopback demands.
type Exposure uint8

const (
	// Guarded (the zero value) refuses an address that is not loopback unless a certificate is configured.
	Guarded Exposure = iota
	// Insecure lets the admin listener speak plain HTTP on any address. The token still guards it, but travels in the open.
	Insecure
)

// Rollouts is what the API shows and commands. *rollout.Manager is one.
type Rollouts interface {
	// Views is the state of every rollout, by service name.
	Views() []rollout.View
	// View is the state of the rollout of one service.
	View(service string) (rollout.View, bool)
	// Do carries out one command and gives back the state after it.
	Do(service string, command rollout.Command) (rollout.View, error)
	// AbortAll rolls every running rollout back, for the reason and by whom the order says. It gives back what it did even when it also gives an error.
	AbortAll(order rollout.Command) ([]rollout.View, error)
	// Subscribe starts a channel of events that holds buffer of them; cancel ends it.
	Subscribe(buffer int) (events <-chan rollout.Event, cancel func())
}

// Options says what the admin side listens on and what it shows.
type Options struct {
	// Config is the section of the configuration. An empty address or socket is the same as "off".
	Config config.Admin
	// Exposure is Guarded unless the operator asked for an open admin listener.
	Exposure Exposure
	// Rollouts is shown and commanded. Required.
	Rollouts Rollouts
	// Archive is shown. Nil remembers nothing.
	Archive Archive
	// Links are the links that give one order with one click. Nil has none.
	Links *Links
	// Services lists what is configured, sorted by name. Nil lists nothing.
	Services func() []Service
	// Service is one of Services by its name; known is false for a name that is not among them. Nil looks through Services.
	Service func(name string) (service Service, known bool)
	// Counter is what a variant has counted; nil for a variant that there is not. A nil function counts nothing.
	Counter func(service, variant string) live.Counter
	// Gatherer is the source of /metrics. Required.
	Gatherer prometheus.Gatherer
	// Families gives out what /metrics shows beside that: one metric with all its series after the other, each good until the next one. Nil
	// has none.
	Families func(yield func(*dto.MetricFamily) bool)
	// Ready says why the process should get no traffic now; nil when it should. A nil function is always ready.
	Ready func() error
	// Reload reads the configuration again. Its error is shown to the caller in full. Nil answers 501.
	Reload func() error
	// PostMetric takes totals of a business metric; see rollout.Manager.Post. Nil answers 501.
	PostMetric func(service string, p rollout.Post) (again bool, err error)
	// Configuration is the state of the configuration. Nil shows an empty one.
	Configuration func() Configuration
	// Effective is the configuration in force as YAML, defaults included and secrets hidden. It takes its time where there are many
	// services. Nil shows none.
	Effective func() (string, error)
	// Listeners are used instead of opening new ones. Those that the configuration does not ask for must be nil.
	Listeners Listeners
	// TakeOver is given the connection over which a new process asks for the place of this one, and owns it from then on.
	// Nil answers 501. TakeOverPath and TakeOverProtocol are where and what it asks for.
	TakeOver                       func(*net.UnixConn)
	TakeOverPath, TakeOverProtocol string
	// Drill plays a rollback and measures it. It blocks for up to DrillLongest. Nil answers 501.
	Drill func(context.Context, DrillOrder) (Drill, error)
	// Version is the version of the program.
	Version string
	// Logger receives changes, refusals and failures. Nil logs nothing.
	Logger *zap.Logger
}

// Service is one configured service as the API shows it.
type Service struct {
	// Name is the name of the service.
	Name string `json:"name"`
	// Match lists the requests that belong to it, each as host and path: "shop.example.com/api".
	Match []string `json:"match"`
	// Stable names the variant that takes the traffic when no rollout says otherwise.
	Stable string `json:"stable"`
	// Canary names the variant that a rollout moves to. Empty: there is no rollout.
	Canary string `json:"canary,omitempty"`
	// Policy names the policy of the rollout.
	Policy string `json:"policy,omitempty"`
	// Variants are its deployed versions, sorted by name.
	Variants []Variant `json:"variants"`
}

// amongServices looks through all services for one.
func (o *Options) amongServices(name string) (service Service, known bool) {
	for _, service := range o.Services() {
		if service.Name == name {
			return service, true
		}
	}
	return Service{}, false
}

// filled has lists where there is nothing, which JSON tells apart from no list.
func (s Service) filled() Service {
	s.Match = append([]string{}, s.Match...)
	s.Variants = append([]Variant{}, s.Variants...)
	for i := range s.Variants {
		s.Variants[i].Endpoints = append([]string{}, s.Variants[i].Endpoints...)
		s.Variants[i].Addresses = append([]Address{}, s.Variants[i].Addresses...)
	}
	return s
}

// Variant is one deployed version of a service, with what happened to it since the process started.
type Variant struct {
	// Name is the name of the variant.
	Name string `json:"name"`
	// Revision is the revision the configuration gives it, if any.
	Revision string `json:"revision,omitempty"`
	// Endpoints are its endpoints as they are configured.
	Endpoints []string `json:"endpoints"`
	// Addresses are what they stand for now, with their state.
	Addresses []Address `json:"addresses"`
	// Weight is its share of randomised traffic now.
	Weight config.Percent `json:"weight"`
	// Requests counts the finished requests.
	Requests uint64 `json:"requests"`
	// Failed counts those that failed.
	Failed uint64 `json:"failed"`
	// InFlight is the number of requests that are not finished.
	InFlight int64 `json:"in_flight"`
}

// Configuration is what became of the configuration file.
type Configuration struct {
	// OK says whether the last attempt to load it worked.
	OK bool `json:"ok"`
	// Error is why it did not, with every problem of the file.
	Error string `json:"error,omitempty"`
	// Attempted is when the last attempt was made.
	Attempted time.Time `json:"attempted"`
	// Loaded is when the configuration in force was loaded.
	Loaded time.Time `json:"loaded"`
	// Effective is the configuration in force as YAML, defaults included and secrets hidden. Only who asks for it gets it: the
	// answer to a reload has none.
	Effective string `json:"effective,omitempty"`
}

// validate fills what may be left out and finds what may not.
func (o *Options) validate() error {
	if o.Rollouts == nil {
		return errors.New("admin: Options.Rollouts is missing")
	}
	if o.Gatherer == nil {
		return errors.New("admin: Options.Gatherer is missing")
	}
	if o.Families == nil {
		o.Families = func(func(*dto.MetricFamily) bool) {}
	}
	if o.Archive == nil {
		o.Archive = noArchive{}
	}
	if o.Services == nil {
		o.Services = func() []Service { return nil }
	}
	if o.Service == nil {
		o.Service = o.amongServices
	}
	if o.Ready == nil {
		o.Ready = func() error { return nil }
	}
	if o.Configuration == nil {
		o.Configuration = func() Configuration { return Configuration{} }
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Config.Address == "" {
		o.Config.Address = off
	}
	if o.Config.Socket == "" {
		o.Config.Socket = off
	}
	return nil
}
