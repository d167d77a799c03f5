package admin

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// guessBurst is how many wrong tokens one address may show in a row.
	guessBurst = 10
	// guessEvery is how long it takes until one of them is forgotten.
	guessEvery = 6 * time.Second
	// guessersMost bounds the addresses that are remembered.
	guessersMost = 1024
	// guessersLooked is how many of them are looked at to find one that can be forgotten.
	guessersLooked = 16
)

// guesses bounds how fast tokens can be guessed from one address. Who has guessed too often is refused whatever it shows:
// otherwise every guess would still be answered. An address never pays for another, so that nobody can be locked out from
// elsewhere; with many addresses one can guess faster, and against that stands the length of the token. The account is the
// generic cell rate algorithm (ITU-T I.371), one moment for each address.
type guesses struct {
	mu       sync.Mutex
	forgiven map[netip.Addr]time.Time // when all wrong tokens of the address are forgotten
}

func newGuesses() *guesses { return &guesses{forgiven: make(map[netip.Addr]time.Time)} }

// try lets the address show a token, and remembers when it was wrong; or says how long to wait. It compares while it holds
// the lock: of many guesses at the same moment, none is for free.
func (g *guesses) try(from netip.Addr, now time.Time, right func() bool) (wait time.Duration) {
	from = network(from)
	g.mu.Lock()
	defer g.mu.Unlock()
	forgiven := g.forgiven[from]
	if wait = forgiven.Add(-(guessBurst - 1) * guessEvery).Sub(now); wait > 0 {
		return wait
	}
	if right() {
		return 0
	}
	if forgiven.Before(now) {
		forgiven = now
	}
	g.remember(from, forgiven.Add(guessEvery))
	return 0
}

// remember files the moment. Where there is no room, a few addresses are looked at, in the random order of a map, and the one
// goes that is forgotten first: never the one that has just guessed the most.
func (g *guesses) remember(from netip.Addr, forgiven time.Time) {
	if _, known := g.forgiven[from]; !known && len(g.forgiven) >= guessersMost {
		looked := 0
		var first netip.Addr
		for address, moment := range g.forgiven {
			if looked == 0 || moment.Before(g.forgiven[first]) {
				first = address
			}
			if looked++; looked == guessersLooked {
				break
			}
		}
		delete(g.forgiven, first)
	}
	g.forgiven[from] = forgiven
}

// network is what counts as one address: of IPv6 the first 64 bits, because one host has all the others (RFC 4291 section
// 2.5.4).
func network(address netip.Addr) netip.Addr {
	address = address.Unmap().WithZone("")
	if address.Is6() {
		if prefix, err := address.Prefix(64); err == nil {
			return prefix.Masked().Addr()
		}
	}
	return address
}

// addressOf is the address of a peer; the zero value for one that has none, as on a unix socket.
func addressOf(remote string) netip.Addr {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr()
}
