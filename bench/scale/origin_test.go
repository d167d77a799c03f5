package scale

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"testing"
	"time"
)

// serveOrigin answers every head with the same bytes.
func serveOrigin(tb testing.TB) (address string) {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(conn)
		}
	}()
	return listener.Addr().String()
}

func answer(conn net.Conn) {
	defer conn.Close()
	reader := textproto.NewReader(bufio.NewReader(conn))
	for {
		line, err := reader.ReadLineBytes()
		if err != nil {
			return
		}
		if len(line) > 0 {
			continue
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
			return
		}
	}
}

// client is one connection of a client.
type client struct {
	tb     testing.TB
	conn   net.Conn
	reader *textproto.Reader
}

func dial(tb testing.TB, address string) *client {
	tb.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return &client{tb, conn, textproto.NewReader(bufio.NewReader(conn))}
}

// get asks a service once, as one of its users, and says how long that took.
func (c *client) get(service, user int) time.Duration {
	c.tb.Helper()
	started := time.Now()
	_, err := fmt.Fprintf(c.conn, "GET /api/v1/cart HTTP/1.1\r\nHost: %s.example.com\r\nUser-Agent: scale\r\nCookie: user=%d\r\n\r\n", name(service), user)
	if err != nil {
		c.tb.Fatal(err)
	}
	line, err := c.reader.ReadLine()
	if err != nil || line != "HTTP/1.1 200 OK" {
		c.tb.Fatalf("answer %q: %v", line, err)
	}
	if _, err := c.reader.ReadMIMEHeader(); err != nil {
		c.tb.Fatal(err)
	}
	if _, err := c.reader.R.Discard(len("ok")); err != nil {
		c.tb.Fatal(err)
	}
	return time.Since(started)
}
