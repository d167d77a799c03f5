package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"haldane/config"
	"haldane/stats"
)

// echoes is an endpoint that sends every message of a WebSocket back as it came, in frames of random size.
func echoes(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat"}, InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for {
			kind, message, err := c.Reader(r.Context())
			if err != nil {
				return
			}
			out, err := c.Writer(r.Context(), kind)
			if err != nil {
				return
			}
			if _, err := io.CopyBuffer(struct{ io.Writer }{out}, message, make([]byte, 1+rand.IntN(32<<10))); err != nil {
				return
			}
			if err := out.Close(); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// websocketOf opens a WebSocket through the proxy.
func (r *rig) websocketOf(path string) *websocket.Conn {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+r.address+path, &websocket.DialOptions{
		Subprotocols: []string{"chat"}, HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.CloseNow() })
	c.SetReadLimit(-1)
	return c
}

// tunnelling is sections with terms for tunnels.
func tunnelling(terms config.Tunnels, addresses ...string) Sections {
	s := plain(addresses...)
	web := s.Services["web"]
	web.Tunnels = terms
	s.Services["web"] = web
	return s
}

// tunnels is the tunnels of v1 that are open.
func (r *rig) tunnels(variant string) *stats.Tunnels {
	return r.stats.Service("web").Variant(variant).Tunnels()
}

// Messages of every kind come back as they were sent.
func TestWebSocketEcho(t *testing.T) {
	r := start(t, plain(echoes(t)))
	c := r.websocketOf("/ws")
	if c.Subprotocol() != "chat" {
		t.Errorf("the subprotocol is %q", c.Subprotocol())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 6*patience)
	defer cancel()
	random := make([]byte, 16<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(random)
	for _, message := range [][]byte{{}, []byte("a"), []byte("grüße"), random[:125], random[:126], random[:65536], random} {
		kind := websocket.MessageBinary
		if len(message) < 10 {
			kind = websocket.MessageText
		}
		sent := make(chan error, 1)
		go func() { sent <- inFragments(ctx, c, kind, message) }()
		got, echo, err := c.Read(ctx)
		if err != nil || got != kind || !bytes.Equal(echo, message) {
			t.Fatalf("of %d octets came back %d, %v", len(message), len(echo), err)
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	}
	pinged := make(chan error, 1)
	reading := c.CloseRead(ctx)
	go func() { pinged <- c.Ping(reading) }()
	if err := <-pinged; err != nil {
		t.Errorf("ping: %v", err)
	}
	if totals := r.totals("v1"); totals.Requests != 1 || totals.Class(1) != 1 || totals.Outcomes[stats.OutcomeOK] != 1 {
		t.Errorf("counted %+v", totals)
	}
}

// inFragments sends a message in several frames, some of them empty.
func inFragments(ctx context.Context, c *websocket.Conn, kind websocket.MessageType, message []byte) error {
	out, err := c.Writer(ctx, kind)
	if err != nil {
		return err
	}
	for rest := message; len(rest) > 0; {
		n := min(len(rest), 1+rand.IntN(1<<20))
		if _, err := out.Write(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return out.Close()
}

// The close frame of either side reaches the other, with its code and its reason.
func TestWebSocketCloseCodes(t *testing.T) {
	codes := make(chan websocket.CloseError, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		if r.URL.Path == "/server" {
			_ = c.Close(4001, "enough")
			return
		}
		_, _, err = c.Read(r.Context())
		var closed websocket.CloseError
		errors.As(err, &closed)
		codes <- closed
	}))
	defer server.Close()
	r := start(t, plain(server.Listener.Addr().String()))
	if err := r.websocketOf("/client").Close(4002, "bye"); err != nil {
		t.Errorf("close: %v", err)
	}
	if got := <-codes; got.Code != 4002 || got.Reason != "bye" {
		t.Errorf("the endpoint was told %v", got)
	}
	_, _, err := r.websocketOf("/server").Read(context.Background())
	var closed websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != 4001 || closed.Reason != "enough" {
		t.Errorf("the client was told %v", err)
	}
	await(t, "the ends of both tunnels", func() bool { return r.tunnels("v1").Ended(stats.TunnelClosed) == 2 })
}

// switching is an endpoint that answers every upgrade with a 101 and then does what it is told.
func switching(t *testing.T, then func(*visit)) *origin {
	return newOrigin(t, func(v *visit) {
		v.read()
		v.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + v.value("Upgrade") + "\r\nX-Own: 1\r\n\r\n")
		then(v)
		v.hangUp()
	})
}

const upgradeTo = "GET /t HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: %s\r\n\r\n"

// open opens a tunnel of any protocol.
func (c *client) open(protocol string, early ...string) {
	c.t.Helper()
	c.send(fmt.Sprintf(upgradeTo, protocol), strings.Join(early, ""))
	head, err := takeHead(c.reader)
	if err != nil || head.status() != 101 || head.value("Connection") != "Upgrade" || head.value("Upgrade") != protocol {
		c.t.Fatalf("got %q %q, %v", head.line, head.fields, err)
	}
}

// What either side sends ahead of its time is in the tunnel, and one side may finish before the other.
func TestTunnelEarlyOctetsAndHalfClose(t *testing.T) {
	o := switching(t, func(v *visit) {
		v.write("early")
		all, _ := io.ReadAll(v.reader)
		v.write(string(all) + " end")
	})
	r := start(t, plain(o.address))
	c := r.dial()
	c.open("raw/1", "first ", "second")
	c.send(" third")
	if err := c.conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(c.reader)
	if string(rest) != "earlyfirst second third end" || err != nil {
		t.Errorf("got %q, %v", rest, err)
	}
	await(t, "the end", func() bool { return r.tunnels("v1").Ended(stats.TunnelClosed) == 1 && r.tunnels("v1").Current() == 0 })
	if got := o.last(); got.value("Connection") != "Upgrade" || got.value("Upgrade") != "raw/1" {
		t.Errorf("the endpoint got %q", got.fields)
	}
}

// A connection that breaks on one side is broken on the other.
func TestTunnelReset(t *testing.T) {
	o := switching(t, func(v *visit) { _, _ = v.reader.ReadByte(); v.reset() })
	r := start(t, plain(o.address))
	c := r.dial()
	c.open("raw")
	c.send("x")
	if _, err := c.reader.ReadByte(); err == nil || err == io.EOF {
		t.Errorf("the client saw %v", err)
	}
	await(t, "the end", func() bool { return r.tunnels("v1").Ended(stats.TunnelReset) == 1 })
	if totals := r.totals("v1"); totals.Failed != 0 || totals.Outcomes[stats.OutcomeOK] != 1 {
		t.Errorf("judged %+v", totals)
	}
}

// What asks for no tunnel gets none, and what must not be asked for is not.
func TestNoTunnel(t *testing.T) {
	for _, c := range []struct {
		what, request, answer string
		status                int
		upgrade               string // what the endpoint is asked for
	}{
		{"unasked 101", get("/"), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 502, ""},
		{"another protocol", fmt.Sprintf(upgradeTo, "websocket"), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 502, "websocket"},
		{"no protocol", fmt.Sprintf(upgradeTo, "websocket"), "HTTP/1.1 101 Switching Protocols\r\n\r\n", 502, "websocket"},
		{"h2c for another", fmt.Sprintf(upgradeTo, "websocket"), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", 502, "websocket"},
		{"200", fmt.Sprintf(upgradeTo, "websocket"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "websocket"},
		{"h2c", fmt.Sprintf(upgradeTo, "h2c"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, ""},
		{"TLS", fmt.Sprintf(upgradeTo, "TLS/1.0, HTTP/2.0"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, ""},
		{"h2c in a list", fmt.Sprintf(upgradeTo, "H2C, websocket ,, a b"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "websocket"},
		{"no Connection", get("/", "Upgrade: websocket"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, ""},
		{"HTTP/1.0", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, ""},
		{"a body", "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, ""},
	} {
		o := newOrigin(t, func(v *visit) { v.answer(c.answer) })
		r := start(t, plain(o.address))
		client := r.dial()
		if got := client.send(c.request).receive(); got.status() != c.status {
			t.Errorf("%s: got %q", c.what, got.line)
		}
		if got := o.last().value("Upgrade"); got != c.upgrade {
			t.Errorf("%s: the endpoint was asked for %q", c.what, got)
		}
		if n := r.tunnels("v1").Opened(); n != 0 {
			t.Errorf("%s: a tunnel was opened", c.what)
		}
		if c.status == 200 && !strings.Contains(c.request, "1.0\r\n") && client.send(get("/2")).receive().status() != 200 {
			t.Errorf("%s: no second request", c.what)
		}
	}
}
