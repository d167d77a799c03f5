package proxy

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"haldane/config"
	"haldane/proxy/balance"
	"haldane/proxy/http1"
	"haldane/proxy/trace"
	"haldane/router"
	"haldane/stats"
)

// Sections are the parts of a configuration, and what else a Snapshot is made of.
type Sections struct {
	// Table is the routing table of the same services. Required.
	Table *router.Table
	// Services are the services of the configuration. Required.
	Services map[string]config.Service
	// Limits bounds what clients may ask for.
	Limits config.Limits
	// Timeouts bounds how long clients may take.
	Timeouts config.ClientTimeouts
	// Log says which requests are logged. Only the access log is looked at.
	Log config.Log
	// Sampler decides which requests are traced. Nil traces none.
	Sampler *trace.Sampler
	// Stats keeps the numbers. Required.
	Stats *stats.Registry
	// Taken are response fields that no client gets, by service: business metrics are read from them. Nil takes nothing.
	Taken map[string][]string
	// Resolver looks up the names of endpoints. Nil asks the system.
	Resolver balance.Resolver
}

// Snapshot is everything that a request is served with: the table and, in step with it, the services with their endpoints,
// field changes and counters. It is immutable. A request takes it once and sees nothing else to its end.
type Snapshot struct {
	table    *router.Table
	services []service // by router.Service.Index; one beside the other, because there may be many
	limits   limits
	timeouts clientTimeouts
	access   accessMode
	sampler  *trace.Sampler // nil: nothing is traced
	groups   map[groupKey]*balance.Group
	each     []keyedGroup       // the same in the order of the services
	shared   map[string]*shared // by service
	origin   *Snapshot          // what NewSnapshot made: everything but the table is the same
}

// limits are config.Limits, ready for use.
type limits struct {
	header, fields, connections, perClient int
	body                                   int64
}

// service is one service, in step with the router's.
type service struct {
	variants       []variant // by the router's index
	stats          *stats.Service
	name           string
	requestIDField []byte   // nil: ids are left alone
	variantField   []byte   // nil: none
	taken          []string // response fields that no client gets
	cookie         cookieWriter
	stalls         *stallLimit
	limits         limitTerms
	retries        retryTerms
	rescue         *rescueTerms // nil: none
	tunnels        tunnelTerms
	shared         *shared
}

// shared is what all snapshots of a service have in common.
type shared struct {
	again   turns // requests that are sent again
	inside  turns // requests under way, where their number is bounded
	callers callers
}

// variant is one variant of a service.
type variant struct {
	counter        stats.Counter // of stats
	stats          *stats.Variant
	endpoints      *balance.Group
	name           string
	nameField      []byte
	requestTimeout time.Duration
	host           []byte // nil: the client's
	stripPrefix    []byte
	addPrefix      []byte
	requestFields  fieldProgram
	responseFields fieldProgram
}

// groupKey names the endpoints of a variant from one snapshot to the next.
type groupKey struct{ service, variant string }

// keyedGroup is the endpoints of a variant with their name.
type keyedGroup struct {
	key groupKey
	*balance.Group
}

// NewSnapshot builds a snapshot. Endpoints whose settings have not changed are taken over from the previous one (nil for
// none), with their connections; nothing of the previous one is changed. It reads the files that the services name, and
// waits a moment for names that are new. It starts nothing.
func NewSnapshot(sections Sections, previous *Snapshot) (*Snapshot, error) {
	s := &Snapshot{
		table:    sections.Table,
		limits:   newLimits(sections.Limits),
		timeouts: newTimeouts(sections.Timeouts),
		access:   newAccessMode(sections.Log),
		sampler:  sections.Sampler,
		groups:   make(map[groupKey]*balance.Group, 2*len(sections.Services)),
		shared:   make(map[string]*shared, len(sections.Services)),
		services: make([]service, 0, len(sections.Table.Services())),
	}
	for i, route := range sections.Table.Services() {
		settings, ok := sections.Services[route.Name]
		if !ok || route.Index != i {
			return nil, fmt.Errorf("build service %s: the table and the configuration do not belong together", route.Name)
		}
		built, err := s.newService(route, settings, sections, previous)
		if err != nil {
			return nil, fmt.Errorf("build service %s: %w", route.Name, err)
		}
		s.services = append(s.services, *built)
	}
	s.origin = s
	s.resolve()
	return s, nil
}

func newLimits(l config.Limits) limits {
	fields := l.Fields
	if fields <= 0 {
		fields = math.MaxInt
	}
	return limits{
		header: int(l.HeaderSize), fields: fields, body: int64(l.BodySize),
		connections: l.Connections, perClient: l.ConnectionsPerClient,
	}
}

func newTimeouts(t config.ClientTimeouts) clientTimeouts {
	return clientTimeouts{
		header: time.Duration(t.Header),
		idle:   time.Duration(t.Idle),
		body:   time.Duration(t.Body),
		write:  time.Duration(t.Write),
		drain:  time.Duration(t.Drain),
	}
}

func (s *Snapshot) newService(route *router.Service, settings config.Service, sections Sections, previous *Snapshot) (*service, error) {
	built := &service{
		variants: make([]variant, 0, len(route.Variants)),
		name:     route.Name, stats: sections.Stats.Service(route.Name), shared: s.sharedOf(route.Name, previous),
		taken:   sections.Taken[route.Name],
		stalls:  newStallLimit(settings),
		limits:  newLimitTerms(settings.Limits),
		rescue:  newRescueTerms(settings.Rescue),
		tunnels: newTunnelTerms(settings.Tunnels),
		retries: retryTerms{
			attempts: settings.Retries.Attempts,
			share:    settings.Retries.Budget.Ratio(),
			minimum:  settings.Retries.MinConcurrent,
		},
	}
	if err := built.nameFields(settings); err != nil {
		return nil, err
	}
	for _, named := range route.Variants {
		v, err := newVariant(named.Name, settings.Variants[named.Name])
		if err != nil {
			return nil, fmt.Errorf("variant %s: %w", named.Name, err)
		}
		v.stats = built.stats.Variant(named.Name)
		v.counter = v.stats.Counter
		v.endpoints, err = s.newGroup(groupKey{route.Name, named.Name}, settings.Variants[named.Name], sections.Resolver, previous)
		if err != nil {
			return nil, fmt.Errorf("variant %s: %w", named.Name, err)
		}
		built.variants = append(built.variants, *v)
	}
	return built, nil
}

// sharedOf finds what a service of this name has in common with the previous snapshot's.
func (s *Snapshot) sharedOf(name string, previous *Snapshot) *shared {
	var known *shared
	if previous != nil {
		known = previous.shared[name]
	}
	if known == nil {
		known = &shared{}
	}
	s.shared[name] = known
	return known
}

// nameFields takes over the fields and the cookie that the service gives names to.
func (s *service) nameFields(settings config.Service) error {
	if name := cmp.Or(settings.RequestIDField, "X-Request-Id"); name != "off" {
		s.requestIDField = []byte(name)
	}
	if settings.VariantField != "" {
		s.variantField = []byte(settings.VariantField)
	}
	for _, name := range [][]byte{s.requestIDField, s.variantField} {
		if name != nil && (!http1.ValidToken(name) || reserved(name)) {
			return fmt.Errorf("%q cannot be the name of a field of Haldane's own", name)
		}
	}
	if sticky := settings.Sticky; sticky != nil && sticky.Issue {
		if !http1.ValidToken([]byte(sticky.Cookie)) {
			return fmt.Errorf("sticky: %q cannot be the name of a cookie", sticky.Cookie)
		}
		s.cookie = newCookieWriter(sticky.Cookie, time.Duration(sticky.TTL))
	}
	return nil
}

func newVariant(name string, settings config.Variant) (*variant, error) {
	if len(settings.Endpoints) == 0 {
		return nil, errNoEndpoints
	}
	v := &variant{
		name: name, nameField: []byte(name),
		requestTimeout: time.Duration(settings.Timeouts.Request),
		stripPrefix:    []byte(strings.TrimRight(settings.StripPrefix, "/")),
		addPrefix:      []byte(strings.TrimRight(settings.AddPrefix, "/")),
	}
	if settings.Host != "" {
		v.host = []byte(settings.Host)
	}
	var err error
	if v.requestFields, err = newFieldProgram(settings.RequestFields); err != nil {
		return nil, fmt.Errorf("request_fields: %w", err)
	}
	if v.responseFields, err = newFieldProgram(settings.ResponseFields); err != nil {
		return nil, fmt.Errorf("response_fields: %w", err)
	}
	return v, nil
}

// Table is the table of the snapshot.
func (s *Snapshot) Table() *router.Table { return s.table }

// WithTable is the same snapshot with another table of the same services: after the change of a split. It shares everything
// else, endpoints included.
func (s *Snapshot) WithTable(table *router.Table) *Snapshot {
	changed := *s
	changed.table = table
	return &changed
}
