package rawhttp

import (
	"fmt"
	"strings"
	"time"
)

// lane is one proxy and its endpoint.
type lane struct {
	proxy    string // address
	endpoint *endpoint
}

// settled is how long the endpoint is given to see the last of what was sent.
const settled = 30 * time.Millisecond

// play plays one case and says what was wrong with what came of it.
func (l *lane) play(t *trial) (verdict, error) {
	if err := l.warm(); err != nil {
		return nil, err
	}
	r := newRecord(t)
	l.endpoint.begin(r)
	defer l.endpoint.begin(nil)
	seen, err := l.meet(t.client, t.checks, t.limit)
	if err != nil {
		return nil, err
	}
	defer seen.client.gone()
	l.awaitAbandoned(r, t)
	r.mu.Lock()
	seen.record = r
	v := seen.judge(t.checks)
	r.after = true
	r.mu.Unlock()
	if t.after == nil {
		return v, nil
	}
	next, err := l.meet(t.after, t.afterChecks, t.limit)
	if err != nil {
		return nil, err
	}
	defer next.client.gone()
	next.record = newRecord(t)
	for _, why := range next.judge(t.afterChecks) {
		v.addf("the next exchange: %s", why)
	}
	return v, nil
}

// meet plays a client and waits until its exchange is finished.
func (l *lane) meet(steps []step, checks []check, limit time.Duration) (*observed, error) {
	c, err := dial(l.proxy, steps)
	if err != nil {
		return nil, err
	}
	c.play(steps)
	if c.left.IsZero() {
		c.settle(limit, func() bool { return finished(c, checks) })
	}
	timer := time.NewTimer(settled)
	<-timer.C
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := &observed{client: c}
	if c.left.IsZero() {
		seen.responses, seen.breach = parseResponses(c.got, c.methods, c.end)
	}
	return seen, nil
}

// finished says whether a client has got what it is there for. Where the end of the connection matters, only that is it.
func finished(c *client, checks []check) bool {
	want := 1
	for _, one := range checks {
		switch one.what {
		case "closed", "cut", "refused", "unfinished":
			return false
		case "answers":
			want = len(strings.Fields(one.rest))
		case "reads", "sees":
			text, _, _ := strings.Cut(one.rest, " within ")
			if strings.Contains(string(c.bytes()), text) {
				continue
			}
			return false
		}
	}
	all, err := parseResponses(c.bytes(), c.methods, stillOpen)
	seen := &observed{responses: all}
	whole := 0
	for _, r := range seen.final() {
		if r.whole {
			whole++
		}
	}
	return err != nil || whole >= want
}

// awaitAbandoned waits until the proxy has let go of the endpoint, where that is checked.
func (l *lane) awaitAbandoned(r *record, t *trial) {
	for _, c := range t.checks {
		if c.what != "abandoned" {
			continue
		}
		limit := time.After(3 * time.Second)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			r.mu.Lock()
			gone := !r.closedAt.IsZero()
			r.mu.Unlock()
			if gone {
				return
			}
			select {
			case <-tick.C:
			case <-limit:
				return
			}
		}
	}
}

// warm makes one plain exchange, so that the proxy keeps one good connection to the endpoint.
func (l *lane) warm() error {
	steps := []step{{verb: send, text: "GET /warm HTTP/1.1\r\nHost: a.test\r\n\r\n", count: 1}}
	t := &trial{client: steps, limit: 5 * time.Second}
	l.endpoint.begin(newRecord(t))
	c, err := dial(l.proxy, steps)
	if err != nil {
		return err
	}
	defer c.gone()
	c.play(steps)
	if !c.wait(t.limit, func() bool { return finished(c, nil) || c.ended() != stillOpen }) || !strings.HasPrefix(string(c.bytes()), "HTTP/1.1 200 ") {
		return fmt.Errorf("a plain request got %q", shorten(c.bytes()))
	}
	return nil
}
