// Package config turns YAML files into validated values.
//
// It owns the shape of the file, its defaults, its checks (all problems at once, each with file, line, column and path)
// and watching the file for changes. It does not know what the values are used for: every other room receives its own
// section and never the root. It imports nothing else of the project.
//
// Concurrency: a loaded Config is never changed afterwards and may be shared freely. Watcher says its own rule.
package config

// Config is one whole configuration file. Keys that start with "x-" are ignored at the top level: they are a place for
// YAML anchors.
type Config struct {
	// Version is the version of the file format. Required; the only known version is 1.
	Version int `yaml:"version"`
	// Listen says where clients connect. A change needs a restart.
	Listen Listen `yaml:"listen"`
	// Admin says where operators, Prometheus and the command line connect. A change needs a restart.
	Admin Admin `yaml:"admin"`
	// State says where running rollouts are remembered. A change needs a restart.
	State State `yaml:"state"`
	// Log sets the process log and the access log.
	Log Log `yaml:"log"`
	// Limits bounds what one client may ask for.
	Limits Limits `yaml:"limits"`
	// Timeouts bounds how long a client connection may take over things.
	Timeouts ClientTimeouts `yaml:"timeouts"`
	// DefaultService names the service that gets requests no service matches. Empty (the default) answers them 404.
	DefaultService string `yaml:"default_service,omitempty"`
	// Segments are named predicates over a request, shared by all services.
	Segments map[string]Predicate `yaml:"segments,omitempty"`
	// Policies say how a release proceeds, by name. "careful" exists without being written and may be overridden.
	Policies map[string]Policy `yaml:"policies,omitempty"`
	// Notifications says who is told about rollouts.
	Notifications Notifications `yaml:"notifications"`
	// Services are what clients call, by name. At least one is required.
	Services map[string]Service `yaml:"services,omitempty"`
	// Freezes are times in which nothing is changed, for all services. They hold at once, also for rollouts that run. Default: none.
	Freezes []Freeze `yaml:"freezes,omitempty"`
	// Prometheus is the server that business metrics may be asked of.
	Prometheus Prometheus `yaml:"prometheus"`
	// Tracing sends OpenTelemetry spans of sampled requests. Default: none, nothing is traced.
	Tracing *Tracing `yaml:"tracing,omitempty"`

	sources []source // the files that this was read from
	later   later    // what is looked at only when the configuration is put to use
}

// Listen says where clients connect.
type Listen struct {
	// Address is host:port for plain HTTP/1.1. Without a host it is every address of the machine; port 0 picks a free
	// one. Default ":8080".
	Address string `yaml:"address"`
	// TLS is HTTPS for clients, beside plain HTTP. Default: none.
	TLS *ListenTLS `yaml:"tls,omitempty"`
	// ProxyProtocol lists the addresses and networks of load balancers whose connections begin with a PROXY protocol header,
	// version 1 or 2, which names the real client. It is required from them and refused from everybody else. Default: none.
	ProxyProtocol []string `yaml:"proxy_protocol,omitempty"`
	// TrustedProxies lists the addresses and networks of proxies in front whose X-Forwarded-For, -Proto and -Host fields are
	// believed and extended. From everybody else these fields are replaced. Default: none.
	TrustedProxies []string `yaml:"trusted_proxies,omitempty"`
	// ReusePort lets a second process listen on the same address (SO_REUSEPORT). To put a new binary in the place of a running
	// one without a failed request, "run --take-over" is the better way: it needs no option. Default false.
	ReusePort bool `yaml:"reuse_port"`
}

// Admin says where operators connect.
type Admin struct {
	// Address is host:port of the admin listener, or "off" for none. An address that is not loopback needs TLS (and
	// always the token for changes), or the flag --insecure-admin. Default "127.0.0.1:9901".
	Address string `yaml:"address"`
	// Socket is the path of the unix socket (mode 0600) that the command line uses, or "off" for none. At most 103
	// bytes. Default: haldane.sock in state.directory.
	Socket string `yaml:"socket"`
	// Token is the bearer token that changes over TCP need; it reads as well. Prefer token_file, which it excludes.
	Token Secret `yaml:"token,omitempty"`
	// TokenFile is the path of the file that holds the token. When it does not exist it is created, with mode 0600 and a
	// random token. Excludes token. Default: admin.token in state.directory.
	TokenFile string `yaml:"token_file,omitempty"`
	// TLS is the certificate of the admin listener. Default: none.
	TLS *Certificate `yaml:"tls,omitempty"`
	// ReadToken is a bearer token, other than token, that may read everything and change nothing. Prefer read_token_file,
	// which it excludes. With one, reading over TCP needs one of the two tokens also on loopback, except for /metrics and
	// health. Default: none; on loopback everybody may read, elsewhere only the token does, except for health.
	ReadToken Secret `yaml:"read_token,omitempty"`
	// ReadTokenFile is the path of the file that holds the read token; it is not created. Excludes read_token. Default:
	// none.
	ReadTokenFile string `yaml:"read_token_file,omitempty"`
	// Hosts are names, without ports, under which the admin listener is reached, besides its address, loopback, localhost and
	// the names of its certificate; they are taken with any port. A request for any other is refused (421), so that no web
	// page can reach it through a name of its own (DNS rebinding). Default: none.
	Hosts []string `yaml:"hosts,omitempty"`
	// Profiles serves Go's profiles under /debug/pprof/ on the socket, and only there: profile, trace, block and mutex (all
	// four take ?seconds=, one at a time), heap, allocs and goroutine. Default false.
	Profiles bool `yaml:"profiles"`
	// PublicURL is the URL under which people reach the admin listener, without a path of the API: "https://haldane.example.com". With
	// one, notifications that need a person hold links to promote and to roll back, which are signed and good for one step. What is
	// in front must be reached over HTTPS: whoever has a link can use it. Default: none, no links.
	PublicURL string `yaml:"public_url,omitempty"`
	// LinkLifetime is how long a link can be used. Above 0. Default 1d.
	LinkLifetime Duration `yaml:"link_lifetime"`
}

// State says where running rollouts are remembered.
type State struct {
	// Store is "file" or "memory". With "memory" a restart forgets every rollout. Default "file".
	Store string `yaml:"store"`
	// Directory is the folder of the state file, the admin socket and the token. It is created with mode 0700. Default
	// "/var/lib/haldane".
	Directory string `yaml:"directory"`
	// Record keeps what is judged of each rollout with its report, so that "haldane replay" can judge it again under another policy. It
	// takes up to half a megabyte of memory for each rollout that runs, and of disk for each report. Default false.
	Record bool `yaml:"record"`
}

// Log sets the process log and the access log.
type Log struct {
	// Level is the least severe that is logged: "debug", "info", "warn" or "error". Default "info".
	Level string `yaml:"level"`
	// Format is "json" or, for people, "console". Default "json".
	Format string `yaml:"format"`
	// Access is what the access log holds: "off", "errors" (answers of 500 and more, and every failure), "sampled"
	// (errors, and access_sample of the rest) or "all". Default "off".
	Access string `yaml:"access"`
	// AccessSample is the share of good requests that is logged with access "sampled". Default 1%.
	AccessSample Percent `yaml:"access_sample"`
}

// Limits bounds what one client may ask for.
type Limits struct {
	// HeaderSize bounds the request line and all fields of one request; more is answered 431, or 414 when it is the request
	// line alone. From 1KiB to 1MiB. Default 32KiB.
	HeaderSize Bytes `yaml:"header_size"`
	// Fields bounds the number of fields of one request; more is answered 431. At least 1. Default 100.
	Fields int `yaml:"fields"`
	// BodySize bounds one request body; more is answered 413. Zero, the default, sets no bound.
	BodySize Bytes `yaml:"body_size"`
	// Connections bounds the open client connections; more are answered 503 and closed. At least 1. Default 20000.
	Connections int `yaml:"connections"`
	// ConnectionsPerClient bounds the open connections of one client address, or of one IPv6 network of 64 bits; more are
	// closed at once. Trusted proxies are exempt. Zero, the default, sets no bound.
	ConnectionsPerClient int `yaml:"connections_per_client"`
}

// ClientTimeouts bounds how long a client connection may take over things. Zero switches a bound off.
type ClientTimeouts struct {
	// Header is the time from the first byte of a request to the end of its fields. Default 10s.
	Header Duration `yaml:"header"`
	// Idle is how long a connection may stay open between two requests. Default 1m.
	Idle Duration `yaml:"idle"`
	// Body is the longest pause between two reads of a request body. Default 30s.
	Body Duration `yaml:"body"`
	// Write is the longest time one write to the client may block. Default 30s.
	Write Duration `yaml:"write"`
	// ShutdownDelay is how long a stopping process goes on as before, except that it says it is not ready: the time that
	// load balancers need to notice. Zero, the default, for none.
	ShutdownDelay Duration `yaml:"shutdown_delay"`
	// Drain is how long a stopping process waits for requests in flight. Default 30s.
	Drain Duration `yaml:"drain"`
}
