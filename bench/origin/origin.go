// Package origin is the service behind the proxies that are measured: as little as can answer HTTP/1.1, so that it costs less
// than any proxy.
//
//	GET /65536    as many bytes
//	GET /seen     the head of the request, as it came
//	POST /        swallows the body
//	Upgrade: websocket    echoes short frames
//
// It owns its listening sockets and connections. It is no general server: requests come one after the other, bodies have a
// stated length, and a frame fits into one read.
//
// Concurrency: it lives on a loop, and belongs to that loop's goroutine.
package origin

import (
	"fmt"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"haldane/bench/loop"
)

// Field is the response field that names the variant that answered.
const Field = "X-Origin"

// Origin is one variant: all the addresses at which it answers.
type Origin struct {
	// Address is the first place where it answers.
	Address netip.AddrPort
	// Served is how many requests it has seen.
	Served int

	loop      *loop.Loop
	name      string
	listeners []int
	links     map[*link]struct{}
	buffer    []byte // for what is read and not kept
	zeros     []byte // bodies
	heads     map[int64][]byte
}

// bulk is how much of a large body is read or written at once.
const bulk = 256 << 10

// New opens a variant with a name at a free port of 127.0.0.1, and at the same port of as many further addresses (127.0.0.2
// and so on). Close it.
func New(l *loop.Loop, name string, further int) (*Origin, error) {
	o := &Origin{
		loop: l, name: name, links: make(map[*link]struct{}),
		buffer: make([]byte, bulk), zeros: make([]byte, bulk), heads: make(map[int64][]byte),
	}
	for i := range 1 + further {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + i)}), o.Address.Port())
		fd, at, err := loop.Listen(at)
		if err != nil {
			o.Close()
			return nil, err
		}
		if i == 0 {
			o.Address = at
		}
		o.listeners = append(o.listeners, fd)
		if err := l.Add(fd, door{o, fd}); err != nil {
			o.Close()
			return nil, err
		}
	}
	return o, nil
}

// Close closes all sockets.
func (o *Origin) Close() {
	for _, fd := range o.listeners {
		o.loop.Forget(fd)
		_ = unix.Close(fd)
	}
	for k := range o.links {
		k.close()
	}
}

// Connections is how many there are now.
func (o *Origin) Connections() int { return len(o.links) }

// door is a listening socket.
type door struct {
	origin *Origin
	fd     int
}

// Ready takes all new connections.
func (d door) Ready() {
	for {
		fd, ok, err := loop.Accept(d.fd)
		if err != nil || !ok {
			return // without descriptors the client waits, and says so
		}
		k := &link{origin: d.origin, fd: fd}
		d.origin.links[k] = struct{}{}
		if err := d.origin.loop.Add(fd, k); err != nil {
			k.close()
		}
	}
}

// answerHead is the head of an answer with a body of so many bytes, made once.
func (o *Origin) answerHead(size int64) []byte {
	head, ok := o.heads[size]
	if !ok {
		head = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n%s: %s\r\nContent-Length: %d\r\n\r\n",
			Field, o.name, size)
		if size <= small {
			head = append(head, o.zeros[:size]...)
		}
		o.heads[size] = head
	}
	return head
}

// small bodies are sent together with their head.
const small = 1 << 10

// sizeOf reads the size out of a path such as /65536; anything else is 100 bytes.
func sizeOf(path string) int64 {
	n, err := strconv.ParseInt(path[1:], 10, 64)
	if err != nil || n < 0 {
		return 100
	}
	return n
}
