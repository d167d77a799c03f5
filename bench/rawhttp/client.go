package rawhttp

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// mark says when how many bytes had come.
type mark struct {
	at    time.Time
	bytes int
}

// client is one connection to the proxy and what came over it.
type client struct {
	conn    net.Conn
	started time.Time
	methods []string // of its requests, as far as the steps tell
	news    chan struct{}
	done    chan struct{} // closed when reading has ended
	reading chan struct{} // closed when reading may begin

	mu      sync.Mutex
	got     []byte
	marks   []mark
	end     ending
	endedAt time.Time
	missed  []string // what it waited for in vain
	left    time.Time
}

// dial connects a client. Leave ends what it starts.
func dial(address string, steps []step) (*client, error) {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	c := &client{
		conn: conn, started: time.Now(), methods: methodsOf(steps),
		news: make(chan struct{}, 1), done: make(chan struct{}), reading: make(chan struct{}),
	}
	go c.read()
	if len(steps) == 0 || steps[0].verb != readSlow {
		close(c.reading)
	}
	return c, nil
}

// methodsOf is the method of each step that begins a request. Only HEAD changes how a response is read.
func methodsOf(steps []step) []string {
	var all []string
	for _, s := range steps {
		for _, line := range strings.Split(s.text, "\r\n") {
			if word, _, _ := strings.Cut(strings.TrimLeft(line, "\r\n"), " /"); s.verb == send && isToken(word) && strings.Contains(line, " HTTP/") {
				all = append(all, word)
			}
		}
	}
	return all
}

func (c *client) read() {
	defer close(c.done)
	<-c.reading
	chunk := make([]byte, 64<<10)
	for {
		n, err := c.conn.Read(chunk)
		c.mu.Lock()
		if n > 0 {
			c.got = append(c.got, chunk[:n]...)
			c.marks = append(c.marks, mark{time.Now(), len(c.got)})
		}
		if err != nil {
			c.end, c.endedAt = reset, time.Now()
			if err == io.EOF {
				c.end = closed
			}
		}
		c.mu.Unlock()
		select {
		case c.news <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// play does the steps of a client.
func (c *client) play(steps []step) {
	for _, s := range steps {
		switch s.verb {
		case send:
			c.send(s)
		case pause:
			c.wait(s.pause, func() bool { return false })
		case halfClose:
			// What was sent must be there first, or the two might be seen as one.
			c.wait(60*time.Millisecond, func() bool { return false })
			_ = shutWrite(c.conn)
		case hangUp:
			c.leave()
		case resetConn:
			c.mu.Lock()
			c.left = time.Now()
			c.mu.Unlock()
			abandon(c.conn)
		case await:
			if !c.wait(s.pause, func() bool { return bytes.Contains(c.bytes(), []byte(s.text)) }) {
				c.missed = append(c.missed, s.text)
			}
		case readSlow:
			timer := time.NewTimer(s.pause)
			<-timer.C
			close(c.reading)
		}
	}
}

func (c *client) send(s step) {
	if s.pause == 0 {
		_, _ = c.conn.Write([]byte(strings.Repeat(s.text, s.count)))
		return
	}
	for range s.count {
		if _, err := c.conn.Write([]byte(s.text)); err != nil || c.ended() != stillOpen {
			return
		}
		c.wait(s.pause, func() bool { return c.ended() != stillOpen })
	}
}

// wait waits for something for so long at most, and says whether it has come.
func (c *client) wait(limit time.Duration, holds func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for !holds() {
		select {
		case <-c.news:
		case <-deadline.C:
			return holds()
		}
	}
	return true
}

// quiet is how long nothing may come until an exchange that looks finished is taken as finished.
const quiet = 100 * time.Millisecond

// settle waits until the exchange is finished, and then for a while whether anything more comes.
func (c *client) settle(limit time.Duration, finished func() bool) {
	if !c.wait(limit, func() bool { return c.ended() != stillOpen || finished() }) || c.ended() != stillOpen {
		return
	}
	have := len(c.bytes())
	for {
		c.wait(quiet, func() bool { return c.ended() != stillOpen })
		now := len(c.bytes())
		if now == have || c.ended() != stillOpen || time.Since(c.started) > limit {
			return
		}
		have = now
	}
}

func (c *client) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got
}

func (c *client) ended() ending {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

// leave closes the connection, if it has not been.
func (c *client) leave() {
	c.mu.Lock()
	if c.left.IsZero() {
		c.left = time.Now()
	}
	c.mu.Unlock()
	_ = c.conn.Close()
}

// gone waits until nothing more is read.
func (c *client) gone() {
	c.leave()
	<-c.done
}
