package load

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"haldane/bench/loop"
)

// bulk is how much of a large body is read or written at once.
const bulk = 256 << 10

// Crowd is a number of clients with a connection each.
type Crowd struct {
	spec    Spec
	loop    *loop.Loop
	clients []*client
	idle    []*client // a stack: the client that was busy last is the next one, as in a pool
	random  *rand.Rand
	buffer  []byte
	zeros   []byte
	frame   []byte
	broken  error

	phase phase
}

// phase is what runs now.
type phase struct {
	closed     bool
	running    bool // between Begin and End
	stopped    bool // no further requests
	begin, end time.Time
	underway   int // requests of the counted time that have no answer yet
	result     *Result
}

// Open connects a crowd. Close it.
func Open(l *loop.Loop, spec Spec) (*Crowd, error) {
	c := &Crowd{
		spec: spec, loop: l, buffer: make([]byte, bulk), zeros: make([]byte, bulk),
		random: rand.New(rand.NewPCG(spec.Seed, 0)), frame: mask(spec.Echo),
	}
	for range spec.Connections {
		k := &client{crowd: c, fd: -1}
		k.redial()
		if c.broken != nil {
			c.Close()
			return nil, fmt.Errorf("open %d connections: %w", spec.Connections, c.broken)
		}
		c.clients = append(c.clients, k)
	}
	c.idle = append(c.idle, c.clients...)
	return c, nil
}

// Close closes all connections.
func (c *Crowd) Close() {
	for _, k := range c.clients {
		k.close()
	}
}

// mask is a client's binary frame, RFC 6455 section 5.2.
func mask(size int) []byte {
	frame := append([]byte{0x82, 0x80 | byte(size)}, 1, 2, 3, 4)
	for i := range size {
		frame = append(frame, byte(i)^byte(1+i&3))
	}
	return frame
}

func (c *Crowd) draw() int {
	if len(c.spec.Requests) == 1 {
		return 0
	}
	return c.random.IntN(len(c.spec.Requests))
}

// Once lets every client send one request, a few at a time, and waits for all answers.
func (c *Crowd) Once() (*Result, error) {
	const together = 64
	r := &Result{Origins: make(map[string]int)}
	start := time.Now()
	c.phase = phase{begin: start, end: start.Add(time.Hour), result: r}
	waiting := c.idle
	c.idle = nil
	for len(waiting) > 0 || c.phase.underway > 0 {
		for len(waiting) > 0 && c.phase.underway < together {
			k := waiting[len(waiting)-1]
			waiting = waiting[:len(waiting)-1]
			c.send(k, time.Now())
		}
		if err := c.poll(time.Second); err != nil {
			return r, err
		}
		if time.Since(start) > time.Minute {
			return r, errors.New("no answers within a minute")
		}
	}
	r.Elapsed = time.Since(start)
	return r, nil
}

// Run plays one phase.
func (c *Crowd) Run(p Phase) (*Result, error) {
	r := &Result{Origins: make(map[string]int)}
	if err := c.ready(r); err != nil {
		return r, err
	}
	start := time.Now()
	never := start.Add(p.Warm + p.Time + time.Hour)
	c.phase = phase{closed: p.Rate == 0, begin: never, end: never, result: r}
	s := schedule{crowd: c, rate: p.Rate, next: start, random: rand.New(rand.NewPCG(c.spec.Seed, 1))}
	if c.phase.closed {
		for len(c.idle) > 0 {
			c.send(c.take(), start)
		}
	}
	if err := c.until(&s, start.Add(p.Warm)); err != nil {
		return r, err
	}
	call(p.Begin)
	begun := time.Now()
	c.phase.begin, c.phase.end, c.phase.running = begun, begun.Add(p.Time), true
	if err := c.until(&s, c.phase.end); err != nil {
		return r, err
	}
	c.phase.running = false
	r.Elapsed = time.Since(begun)
	call(p.End)
	c.phase.stopped = true
	return r, c.drain(&s)
}

func call(f func()) {
	if f != nil {
		f()
	}
}

// ready brings WebSockets to where they echo.
func (c *Crowd) ready(r *Result) error {
	if c.spec.Echo == 0 {
		return nil
	}
	c.phase = phase{result: r}
	start := time.Now()
	for _, k := range c.clients {
		for !k.framed {
			if k.state == idle {
				k.send(start)
				c.idle = nil
			}
			if err := c.poll(time.Second); err != nil {
				return err
			}
			if time.Since(start) > 10*time.Second {
				return errors.New("no WebSocket within 10 seconds")
			}
		}
	}
	c.idle = append(c.idle[:0], c.clients...)
	return nil
}

// until runs the load up to a time.
func (c *Crowd) until(s *schedule, end time.Time) error {
	for {
		now := time.Now()
		if !now.Before(end) {
			return nil
		}
		if err := c.poll(s.fire(now, end)); err != nil {
			return err
		}
	}
}

// drain waits for what is under way or was due, and gives up on what does not come.
func (c *Crowd) drain(s *schedule) error {
	limit := time.Now().Add(patience)
	for (len(c.idle) < len(c.clients) || len(s.queue) > 0) && time.Now().Before(limit) {
		s.send(time.Now())
		if err := c.poll(10 * time.Millisecond); err != nil {
			return err
		}
	}
	for _, k := range c.clients {
		if k.state != idle {
			k.fail(errors.New("no answer in time"))
		}
	}
	s.drop()
	return c.broken
}

func (c *Crowd) poll(most time.Duration) error {
	if err := c.loop.Poll(most); err != nil {
		return err
	}
	return c.broken
}
