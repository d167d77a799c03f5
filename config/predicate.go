package config

// Key is where a user key is read. Exactly one of its parts is given.
type Key struct {
	// Header is the name of a request field.
	Header string `yaml:"header,omitempty"`
	// Cookie is the name of a cookie.
	Cookie string `yaml:"cookie,omitempty"`
	// Query is the name of a query parameter.
	Query string `yaml:"query,omitempty"`
	// ClientAddress takes the client's address. Default false.
	ClientAddress bool `yaml:"client_address,omitempty"`
}

// Sticky is the user key that keeps a user on one side of the split. Without a key a request is drawn by itself.
type Sticky struct {
	Key `yaml:",inline"`
	// Issue makes Haldane set the cookie, with a random value, when a request has none. Needs cookie. Default false.
	Issue bool `yaml:"issue"`
	// TTL is how long an issued cookie lives in the client. Zero ends it with the client's session. Default 30d.
	TTL Duration `yaml:"ttl"`
}

// Predicate is a condition over one request. Exactly one of its kinds is given: all, any, not, a value (header, cookie or
// query), method, path, path_prefix, path_regexp, client, or percent with of.
type Predicate struct {
	// All holds when every part holds.
	All []Predicate `yaml:"all,omitempty"`
	// Any holds when one part holds.
	Any []Predicate `yaml:"any,omitempty"`
	// Not holds when its part does not.
	Not *Predicate `yaml:"not,omitempty"`

	// Header is the name of a request field whose value is looked at.
	Header string `yaml:"header,omitempty"`
	// Cookie is the name of a cookie whose value is looked at.
	Cookie string `yaml:"cookie,omitempty"`
	// Query is the name of a query parameter whose value is looked at.
	Query string `yaml:"query,omitempty"`
	// Exact is the value that counts. At most one of exact, prefix, regexp, in and in_file is given; without one every
	// value counts.
	Exact string `yaml:"exact,omitempty"`
	// Prefix is what a value that counts begins with.
	Prefix string `yaml:"prefix,omitempty"`
	// Regexp is a regular expression in the syntax of Go's regexp package; it matches anywhere in the value unless
	// anchored with ^ and $.
	Regexp string `yaml:"regexp,omitempty"`
	// In lists the values that count.
	In []string `yaml:"in,omitempty"`
	// InFile is the path of a text file with one value a line; "#" at the beginning of a line or after a space begins a
	// comment. The file is watched like the configuration.
	InFile string `yaml:"in_file,omitempty"`

	// Method lists request methods, in upper case.
	Method []string `yaml:"method,omitempty"`
	// Path is an exact path, as it is sent.
	Path string `yaml:"path,omitempty"`
	// PathPrefix is the beginning of a path, in whole parts: "/api" matches "/api" and "/api/x", not "/apix".
	PathPrefix string `yaml:"path_prefix,omitempty"`
	// PathRegexp is a regular expression, in the syntax of Go's regexp package, that the path matches.
	PathRegexp string `yaml:"path_regexp,omitempty"`
	// Client lists addresses and networks (CIDR) of clients.
	Client []string `yaml:"client,omitempty"`
	// Percent is the share of the values of a key, always the same ones, that belong. Needs of.
	Percent Percent `yaml:"percent,omitempty"`
	// Of is the key whose values percent is a share of.
	Of *Key `yaml:"of,omitempty"`

	// List holds the values of in_file once loaded. It is not a key of the file.
	List []string `yaml:"-"`
}
