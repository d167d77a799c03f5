package balance

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"haldane/config"
	"haldane/proxy/upstream"
)

// Options describe the endpoints of one variant.
type Options struct {
	// Endpoints are host:port, each an endpoint or, when the host is a name, as many as it has addresses. One that stands
	// there twice is one endpoint that is drawn twice as often.
	Endpoints []string
	// Transport is how requests are carried to each of them. Address is filled in, and ServerName too when it is empty.
	Transport upstream.Options
	// Resolve is the time between two lookups of a name. Zero looks it up once.
	Resolve time.Duration
	// Ejection takes endpoints out that fail requests.
	Ejection config.Ejection
	// Health asks endpoints whether they can take requests; nil for never.
	Health *config.Health
	// Host is the Host field of requests for health when Health names none. Empty for the endpoint as it is configured.
	Host string
	// SlowStart is how long the share of an endpoint grows that came back or was added. Zero for none.
	SlowStart time.Duration
	// Resolver looks names up. Required when one of Endpoints is a name.
	Resolver Resolver
	// Prober looks at an endpoint's health. Nil asks the endpoint over the network as Health says.
	Prober Prober
}

// Resolver looks names up; net.Resolver is one. It is never asked on the way of a request.
type Resolver interface {
	// LookupNetIP returns the addresses of a host. The network is "ip".
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Prober looks at the health of endpoints. It must return soon after the context ends.
type Prober interface {
	// Probe says why the endpoint with these options cannot take requests; nil when it can.
	Probe(ctx context.Context, name string, o upstream.Options) error
}

// equal says whether the two describe the same group.
func (o *Options) equal(other *Options) bool {
	return slices.Equal(o.Endpoints, other.Endpoints) && o.Transport == other.Transport &&
		o.Resolve == other.Resolve && o.Ejection == other.Ejection && equalHealth(o.Health, other.Health) &&
		o.Host == other.Host && o.SlowStart == other.SlowStart && o.Resolver == other.Resolver && o.Prober == other.Prober
}

func equalHealth(a, b *config.Health) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Path == b.Path && a.Host == b.Host && slices.Equal(a.Statuses, b.Statuses) && a.Interval == b.Interval &&
		a.Timeout == b.Timeout && a.Healthy == b.Healthy && a.Unhealthy == b.Unhealthy
}
