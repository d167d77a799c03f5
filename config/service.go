package config

// Service is what clients call: a match and one or more variants, with at most one running rollout.
type Service struct {
	// Match lists the requests that belong to the service; one rule is enough. Empty, it matches every request that no
	// other service matches more closely. Two services cannot have the same rule.
	Match []Match `yaml:"match,omitempty"`
	// Variants are the deployed versions, by name. At least one is required.
	Variants map[string]Variant `yaml:"variants,omitempty"`
	// Stable names the variant that takes the traffic when no rollout says otherwise. Default: the only variant; with
	// more than one it must be written.
	Stable string `yaml:"stable,omitempty"`
	// Canary names the variant that a rollout moves to. Default: none, there is no rollout.
	Canary string `yaml:"canary,omitempty"`
	// Policy names the policy of the rollout. It means nothing without a canary. Default "careful".
	Policy string `yaml:"policy"`
	// Start is "auto" (a rollout with an id that was never seen begins by itself) or "manual" (it waits for the start
	// command). Default "auto".
	Start string `yaml:"start"`
	// Split is the share of each variant while no rollout runs. The shares add up to exactly 100%. Excludes canary.
	// Default: all to stable.
	Split map[string]Percent `yaml:"split,omitempty"`
	// Pins are the ways in which a request may name its variant; the first that matches decides.
	Pins []Pin `yaml:"pins,omitempty"`
	// Tenants gives tenants a default pin, which is looked at after pins.
	Tenants *Tenants `yaml:"tenants,omitempty"`
	// Sticky is the user key that keeps a user on one side. Default: none, every request is drawn by itself.
	Sticky *Sticky `yaml:"sticky,omitempty"`
	// VariantField is a response field that names the variant, for example "X-Variant". Default: none.
	VariantField string `yaml:"variant_field,omitempty"`
	// RequestIDField is the field that carries the request id, kept when the client sends one and made otherwise, or
	// "off" for none. Default "X-Request-Id".
	RequestIDField string `yaml:"request_id_field"`
	// StallTimeout is how long a request may wait for the first byte of an answer before the judge takes it as failed; the
	// request itself goes on. "auto" is the larger of 5s and four times stable's p99.9, long polls included; "off" never takes
	// it as failed. Default "auto".
	StallTimeout StallTimeout `yaml:"stall_timeout"`
	// LongPolls are the beginnings of paths, in whole parts, whose requests may wait as long as they like. Default: none.
	LongPolls []string `yaml:"long_polls,omitempty"`
	// Retries send a request again when nothing of an answer has come; "off" for never. Default: once.
	Retries Retries `yaml:"retries"`
	// Rescue answers failed requests to the canary from the stable variant; "{}" takes its defaults. Default: off.
	Rescue *Rescue `yaml:"rescue,omitempty"`
	// Limits bound what the service takes of the proxy.
	Limits ServiceLimits `yaml:"limits"`
	// Tunnels are upgraded connections, such as WebSockets.
	Tunnels Tunnels `yaml:"tunnels"`
	// PolicyOverrides are keys of a policy that are laid over the one that policy names: a value or a list that is written
	// replaces, a mapping is merged key by key, an empty one is none. A patch release takes the sections that are written here
	// as they are then, but for steps, ramp and bake, which are those of the policy for patches. Default: none.
	PolicyOverrides *Policy `yaml:"policy_overrides,omitempty"`
	// Patch names the policy for patch releases; it goes before the policy's own. Default: that of the policy.
	Patch string `yaml:"patch,omitempty"`
	// OptIn says how a request tells that its user opted in to what is new. Default: none.
	OptIn *OptIn `yaml:"opt_in,omitempty"`

	// PatchOverrides is the policy for patches with the overrides. It is not a key of the file.
	PatchOverrides *Policy `yaml:"-"`
	// Overridden are the keys of policy_overrides. It is not a key of the file.
	Overridden []string `yaml:"-"`
}

// Match is one rule for the requests of a service: all its parts must hold.
type Match struct {
	// Host is a host name without a port, compared without regard to case, or "*.example.com" (any name below, at any
	// depth). Default: any host.
	Host string `yaml:"host,omitempty"`
	// Path is an exact path, as it is sent. Excludes path_prefix. Default: any path.
	Path string `yaml:"path,omitempty"`
	// PathPrefix is the beginning of a path, in whole parts: "/api" matches "/api" and "/api/x", not "/apix". Default: any
	// path.
	PathPrefix string `yaml:"path_prefix,omitempty"`
}

// Variant is one deployed version of a service.
type Variant struct {
	// Endpoints are the addresses (host:port) of the variant. A host name stands for all of its IPv4 addresses, or IPv6 where
	// it has no others, which are looked up again and again; the last good answer is kept. At least one is required.
	Endpoints []string `yaml:"endpoints,omitempty"`
	// Revision tells two builds behind the same endpoints apart: a new revision of the canary is a new rollout.
	// Default: none, the endpoints are the identity.
	Revision string `yaml:"revision,omitempty"`
	// Timeouts bounds how long the variant may take.
	Timeouts UpstreamTimeouts `yaml:"timeouts"`
	// MaxConnections bounds the connections to each endpoint; a request over it waits in the queue. At least 1. Default 1024.
	MaxConnections int `yaml:"max_connections"`
	// Queue is where requests wait for a connection.
	Queue Queue `yaml:"queue"`
	// Resolve is the time between two lookups of host names among the endpoints. From 100ms. Default 5s.
	Resolve Duration `yaml:"resolve"`
	// TLS is HTTPS to the endpoints; "{}" takes its defaults. Default: none, plain HTTP.
	TLS *VariantTLS `yaml:"tls,omitempty"`
	// Health asks the endpoints whether they can take requests; "{}" takes its defaults. Default: none.
	Health *Health `yaml:"health,omitempty"`
	// Ejection takes endpoints out that fail requests, for a while. "off" for never.
	Ejection Ejection `yaml:"ejection"`
	// SlowStart is how long the share of an endpoint that came back grows to its full size. Zero, the default, for none.
	SlowStart Duration `yaml:"slow_start"`
	// Host is the Host field that is sent to the variant. Default: the client's.
	Host string `yaml:"host,omitempty"`
	// StripPrefix is taken from the front of the path where it stands there. Default: none.
	StripPrefix string `yaml:"strip_prefix,omitempty"`
	// AddPrefix is put in front of the path, after strip_prefix was taken away. Default: none.
	AddPrefix string `yaml:"add_prefix,omitempty"`
	// RequestFields changes the fields that are sent to the variant.
	RequestFields FieldChanges `yaml:"request_fields,omitempty"`
	// ResponseFields changes the fields that are sent to the client.
	ResponseFields FieldChanges `yaml:"response_fields,omitempty"`
}

// UpstreamTimeouts bounds how long a variant may take. Zero switches a bound off.
type UpstreamTimeouts struct {
	// Connect is the time to open a connection. Default 1s.
	Connect Duration `yaml:"connect"`
	// ResponseHeader is the time from the end of the request to the end of the response's fields. Default 30s.
	ResponseHeader Duration `yaml:"response_header"`
	// Idle is the longest pause in a response body, and the longest time a write to the variant may block. Default 1m.
	Idle Duration `yaml:"idle"`
	// Request bounds the whole exchange. Zero, the default, sets no bound.
	Request Duration `yaml:"request"`
	// KeepAlive is how long an unused connection is kept for reuse. Zero keeps none. Default 55s.
	KeepAlive Duration `yaml:"keep_alive"`
}

// FieldChanges changes fields: remove first, then set, then add. Fields that belong to the connection or frame the message
// cannot be changed.
type FieldChanges struct {
	// Add maps names to values of fields that are appended; those of the same name are kept.
	Add map[string]string `yaml:"add,omitempty"`
	// Set maps names to values of fields that replace all those of the same name.
	Set map[string]string `yaml:"set,omitempty"`
	// Remove lists names of fields that are dropped.
	Remove []string `yaml:"remove,omitempty"`
}

// Pin is one way in which a request may name its variant. Exactly one of header, cookie and query is given.
type Pin struct {
	// Header is the name of a request field.
	Header string `yaml:"header,omitempty"`
	// Cookie is the name of a cookie.
	Cookie string `yaml:"cookie,omitempty"`
	// Query is the name of a query parameter.
	Query string `yaml:"query,omitempty"`
	// Exact is the value that counts. At most one of exact, prefix and regexp is given; without one the value itself is
	// the name of a variant, and a value that names none is no pin.
	Exact string `yaml:"exact,omitempty"`
	// Prefix is what a value that counts begins with.
	Prefix string `yaml:"prefix,omitempty"`
	// Regexp is a regular expression in the syntax of Go's regexp package; it matches anywhere in the value unless
	// anchored with ^ and $.
	Regexp string `yaml:"regexp,omitempty"`
	// Variant names the variant that is pinned when the value counts. It goes with exact, prefix or regexp, and only with
	// them.
	Variant string `yaml:"variant,omitempty"`
}

// Tenants gives tenants a default pin.
type Tenants struct {
	// Header is the field that names the tenant. Required.
	Header string `yaml:"header,omitempty"`
	// Pins maps tenants to their variants.
	Pins map[string]string `yaml:"pins,omitempty"`
}
