package admin

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// connectionsMost bounds the connections of one listener, so that the admin side cannot eat the file descriptors that
// traffic needs.
const connectionsMost = 256

// guests are the connections of one listener. When there are too many, the one that has waited longest without a request
// that is being answered makes room: who connects and says nothing, or says it slowly, keeps nobody out.
type guests struct {
	mu     sync.Mutex
	clock  uint64 // counts arrivals and departures of requests
	seated map[net.Conn]*guest
}

// guest is one connection.
type guest struct {
	room  *guests
	peer  peer   // on a unix socket
	busy  bool   // guarded by room.mu, as is since
	since uint64 // when it began to wait
}

func newGuests() *guests { return &guests{seated: make(map[net.Conn]*guest)} }

// guestKey finds the guest in the context of a request.
type guestKey struct{}

// arrive is the server's hook for a new connection, before it is read.
func (g *guests) arrive(ctx context.Context, connection net.Conn) context.Context {
	newcomer := &guest{room: g, peer: peerOf(connection)}
	if loser := g.seat(connection, newcomer); loser != nil {
		_ = raw(loser).Close()
	}
	return context.WithValue(ctx, guestKey{}, newcomer)
}

// seat files the newcomer and takes out the connection that has to go, which is its own when all others are busy.
func (g *guests) seat(connection net.Conn, newcomer *guest) (loser net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.seated) >= connectionsMost {
		loser = connection
		var longest *guest
		for other, sitting := range g.seated {
			if !sitting.busy && (longest == nil || sitting.since < longest.since) {
				loser, longest = other, sitting
			}
		}
		if loser == connection {
			return loser
		}
		delete(g.seated, loser)
	}
	g.clock++
	newcomer.since = g.clock
	g.seated[connection] = newcomer
	return loser
}

// watch is the server's hook for the states of its connections.
func (g *guests) watch(connection net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.seated, connection)
}

// begin says that a request of the guest is being answered; end, that it waits again.
func (n *guest) begin() {
	n.room.mu.Lock()
	defer n.room.mu.Unlock()
	n.busy = true
}

func (n *guest) end() {
	n.room.mu.Lock()
	defer n.room.mu.Unlock()
	n.room.clock++
	n.busy, n.since = false, n.room.clock
}

// guestOf is the guest a request came from; nil outside a server.
func guestOf(r *http.Request) *guest {
	found, _ := r.Context().Value(guestKey{}).(*guest)
	return found
}

// raw is the connection under TLS: to close that needs no last word to a peer that does not listen.
func raw(connection net.Conn) net.Conn {
	if secured, ok := connection.(*tls.Conn); ok {
		return secured.NetConn()
	}
	return connection
}
