package peers

import "net/netip"

// Share is the part of the clients that the second variant gets, in percent.
const Share = 25

// clients is how many connections from clients every proxy allows.
const clients = 15_000

// Work is what a proxy is to do.
type Work struct {
	// V1 and V2 are the variants. V1 answers at the same port of the next two addresses, too, for proxies that know no
	// weights.
	V1, V2 netip.AddrPort
	// Cores are where it may run. It has as many threads.
	Cores []int
	// Certificate and Key are files, for a second port with TLS. Default: there is none.
	Certificate, Key string
	// Services is how many services there are, all with the same variants: s0.example.com and so on. Zero is one for any host.
	Services int
	// Pins is how many rules that name a variant each service has. Default: one.
	Pins int
	// Profiles has Haldane serve its profiles (Running.Profile).
	Profiles bool
	// Rollouts is how many of the services have a running rollout. Others split by fixed shares. Only Haldane knows them.
	Rollouts int
}

// place is where one process lives.
type place struct {
	Work
	dir           string
	plain, secure netip.AddrPort
	admin         netip.AddrPort
}

// launch is how a process is started.
type launch struct {
	arguments   []string
	environment []string
	files       map[string]string // to be written first, by name
}

// Peer is a proxy that can be started.
type Peer struct {
	// Name is what the tables call it.
	Name string
	// Path is the binary.
	Path string
	// Version is what it says of itself.
	Version string
	// Can says whether it can do a work at all. Default: all.
	Can func(Work) bool
	// Bytes says that it knows nothing of HTTP: neither variants nor fields.
	Bytes bool
	// Releases says that it has rollouts.
	Releases bool
	// Only says that it has one variant, and nothing else to do.
	Only bool

	prepare func(place, string) launch
}

// Able says whether the peer can do a work.
func (p Peer) Able(w Work) bool { return p.Can == nil || p.Can(w) }
