package cli

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// silence is how long a stream may say nothing before it counts as broken: three of its pings.
	silence = 45 * time.Second
	// lineLongest bounds one line of a stream.
	lineLongest = 1 << 20
)

// message is one event of the stream, or what broke it.
type message struct {
	id, kind string
	data     []byte
	broken   error
}

// stream reads the events (WHATWG HTML, server-sent events) after lastID until the stream breaks, and says why it broke.
func (c *client) stream(ctx context.Context, lastID string, handle func(message)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	header := http.Header{}
	if lastID != "" {
		header.Set("Last-Event-ID", lastID)
	}
	response, err := c.send(ctx, http.MethodGet, "/api/v1/events", header, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	quiet := time.AfterFunc(silence, cancel)
	defer quiet.Stop()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, lineLongest)
	if err := readMessages(lines, func() { quiet.Reset(silence) }, handle); err != nil {
		return fmt.Errorf("the connection to %s broke: %w", c.where, err)
	}
	return fmt.Errorf("the connection to %s ended", c.where)
}

// readMessages hands on one message for each block of lines. alive is called with every line.
func readMessages(lines *bufio.Scanner, alive func(), handle func(message)) error {
	var m message
	for lines.Scan() {
		alive()
		line := lines.Text()
		if line == "" {
			if m.data != nil {
				handle(m)
			}
			m = message{id: m.id}
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			m.id = value
		case "event":
			m.kind = value
		case "data":
			if m.data != nil {
				m.data = append(m.data, '\n')
			}
			m.data = append(m.data, value...)
		}
	}
	return lines.Err()
}
