package proxy

import (
	"bytes"
	"context"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

// A tunnel outlives reloads, and one that carries nothing ends.
func TestTunnelOutlivesReloads(t *testing.T) {
	s := tunnelling(config.Tunnels{OnRollback: config.TunnelDrain{Close: true}, OnShutdown: config.TunnelDrain{Close: true}}, echoes(t))
	r := start(t, s)
	c := r.websocketOf("/ws")
	s.Stats = r.stats
	for range 20 {
		s.Services = tunnelling(config.Tunnels{}, newOrigin(t, nil).address).Services
		r.server.Swap(build(t, s, nil, r.server.snapshot.Load()))
		r.server.sweepTunnels(time.Now())
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := c.Read(ctx); string(got) != "still here" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestTunnelIdle(t *testing.T) {
	r := start(t, tunnelling(config.Tunnels{Idle: config.Duration(100 * time.Millisecond)}, echoes(t)))
	c := r.websocketOf("/ws")
	_, _, err := c.Read(context.Background())
	if websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the client was told %v", err)
	}
	await(t, "the end", func() bool { return r.tunnels("v1").Ended(stats.TunnelIdle) == 1 })
}

// A rollback ends the tunnels of its canary as it is told to, and no other.
func TestTunnelsOfARollback(t *testing.T) {
	for _, c := range []struct {
		terms  string
		closed bool
	}{{"close", true}, {"100ms", true}, {"keep", false}, {"1h", false}} {
		address := echoes(t)
		s := sections(map[string]config.Variant{"v1": variantAt(address), "v2": variantAt(address)})
		web := s.Services["web"]
		web.Pins = []config.Pin{{Query: "v"}}
		web.Tunnels = config.Tunnels{OnRollback: drainOf(t, c.terms), OnShutdown: config.TunnelDrain{Close: true}}
		s.Services["web"] = web
		split := rollout(percent)
		split.Revocation = new(router.Revocation)
		r := startSplit(t, s, map[string]router.SplitSpec{"web": split}, zap.NewNop())
		stable, canary := r.websocketOf("/?v=v1"), r.websocketOf("/?v=v2")
		split.Revocation.Revoke()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if c.closed {
			if _, _, err := canary.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
				t.Errorf("%s: the client of the canary was told %v", c.terms, err)
			}
			await(t, "the end", func() bool { return r.tunnels("v2").Ended(stats.TunnelRollback) == 1 })
		}
		r.server.sweepTunnels(time.Now().Add(time.Second))
		for name, ws := range map[string]*websocket.Conn{"stable": stable, "canary": canary} {
			if name == "canary" && c.closed {
				continue
			}
			if err := ws.Write(ctx, websocket.MessageText, []byte("x")); err != nil {
				t.Fatalf("%s: %s: %v", c.terms, name, err)
			}
			if _, got, err := ws.Read(ctx); string(got) != "x" {
				t.Errorf("%s: %s: got %q, %v", c.terms, name, got, err)
			}
		}
	}
}

// A drain ends tunnels with a close frame to both sides, between two frames, also where it came in the middle of one.
func TestTunnelsOfAShutdown(t *testing.T) {
	heard := make(chan []byte, 1)
	proceed := make(chan struct{})
	o := switching(t, func(v *visit) {
		v.write(string(frame(2, 1000, false)[:500]))
		<-proceed
		v.write(string(frame(2, 1000, false)[500:]) + string(frame(1, 7, false)))
		v.write(string(goingAway(nil)))
		all, _ := io.ReadAll(v.reader)
		heard <- all
	})
	finish := barrier(t, proceed)
	r := start(t, tunnelling(config.Tunnels{OnShutdown: config.TunnelDrain{Close: true}}, o.address))
	c := r.dial()
	c.open("websocket")
	half := make([]byte, 500)
	if _, err := io.ReadFull(c.reader, half); err != nil {
		t.Fatal(err)
	}
	c.send(string(frame(1, 20, true)))
	done := make(chan error, 1)
	go func() { done <- r.shutdown() }()
	await(t, "the end", func() bool { return r.server.draining.Load() })
	await(t, "the farewell", func() bool {
		r.server.sweepTunnels(time.Now())
		ending := false
		r.server.conns.each(func(c *clientConn) { ending = c.tunnel.Load().ending.Load() != 0 })
		return ending
	})
	finish()
	rest := make([]byte, 504)
	if _, err := io.ReadFull(c.reader, rest); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(append(half, rest[:len(rest)-4]...), frame(2, 1000, false)[:1000]) {
		t.Error("the frame that was under way is not whole")
	}
	whole := frame(2, 1000, false)
	all := append(append([]byte{}, half...), rest...)
	if !bytes.Equal(all[:len(whole)], whole) || !bytes.HasPrefix(goingAway(nil), all[len(whole):]) {
		t.Errorf("behind the frame came %x", all[len(whole):])
	}
	c.send(string(frame(opcodeClose, 0, true)))
	c.conn.CloseWrite()
	if got := <-heard; !bytes.HasPrefix(got, frame(1, 20, true)) || len(got) != len(frame(1, 20, true))+8 || got[len(got)-8] != 0x88 {
		t.Errorf("the endpoint heard %x", got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := r.tunnels("v1").Ended(stats.TunnelShutdown); n != 1 {
		t.Errorf("%d ended by the shutdown", n)
	}
}

// A tunnel that is no WebSocket cannot be told: it is cut.
func TestRawTunnelOfAShutdown(t *testing.T) {
	o := switching(t, func(v *visit) { _, _ = io.ReadAll(v.reader) })
	r := start(t, tunnelling(config.Tunnels{OnShutdown: config.TunnelDrain{Close: true}}, o.address))
	c := r.dial()
	c.open("raw")
	if err := r.shutdown(); err != nil {
		t.Error(err)
	}
	if _, err := c.reader.ReadByte(); err == nil || err == io.EOF {
		t.Errorf("the client saw %v", err)
	}
}

// "keep" lasts as long as the drain does, and then the peers are told in time.
func TestTunnelsAreKeptWhileTheDrainLasts(t *testing.T) {
	var tn tunnel
	begin := time.Now()
	for _, c := range []struct {
		terms string
		limit time.Duration
		at    time.Duration // when it ends; 0 for never
	}{
		{"keep", 30 * time.Second, 30*time.Second - farewellTime - 2*watchEvery},
		{"keep", 0, 0},
		{"10s", 30 * time.Second, 10 * time.Second},
		{"1m", 30 * time.Second, 30*time.Second - farewellTime - 2*watchEvery},
		{"1m", 0, time.Minute},
		{"close", 30 * time.Second, time.Nanosecond},
		{"keep", time.Second, time.Nanosecond},
	} {
		tn.terms, tn.fate = newTunnelTerms(config.Tunnels{OnShutdown: drainOf(t, c.terms)}), fate{draining: begin}
		if c.at == 0 {
			c.at = 1000 * time.Hour
		} else if !tn.drained(begin.Add(c.at), c.limit) {
			t.Errorf("%s of %v: not ended after %v", c.terms, c.limit, c.at)
		}
		if c.at > time.Second && tn.drained(begin.Add(c.at-time.Millisecond), c.limit) {
			t.Errorf("%s of %v: ended before %v", c.terms, c.limit, c.at)
		}
	}
}

// A thousand tunnels leave nothing behind.
func TestThousandTunnels(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 100
	}
	o := switching(t, func(v *visit) { _, _ = io.Copy(v.conn, v.reader) })
	r := start(t, plain(o.address))
	before := runtime.NumGoroutine()
	var wait sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	for range 10 {
		wait.Go(func() {
			for range n / 10 {
				c := r.dial()
				c.open("raw")
				c.send("ping")
				echo := make([]byte, 4)
				if _, err := io.ReadFull(c.reader, echo); err != nil || string(echo) != "ping" {
					t.Errorf("got %q, %v", echo, err)
				}
				mu.Lock()
				conns = append(conns, c.conn)
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if open := r.tunnels("v1").Current(); open != uint64(n) {
		t.Errorf("%d tunnels are open", open)
	}
	for batch := range slices.Chunk(conns, 100) {
		before := r.tunnels("v1").Current()
		for _, c := range batch {
			c.Close()
		}
		await(t, "their tunnels to end", func() bool { return r.tunnels("v1").Current() == before-uint64(len(batch)) })
	}
	if closed := r.tunnels("v1").Ended(stats.TunnelClosed); closed != uint64(n) {
		t.Errorf("%d of %d tunnels were closed in good order", closed, n)
	}
	await(t, "the goroutines to end", func() bool { return runtime.NumGoroutine() < before+20 })
	await(t, "the connections to be given up", func() bool {
		for _, v := range r.server.Endpoints() {
			for _, e := range v.Endpoints {
				if e.Load.Open > 0 || e.InFlight > 0 {
					return false
				}
			}
		}
		return r.server.conns.len() == 0 && r.server.tunnels.Load() == 0
	})
}

// drainOf reads a drain as it is written.
func drainOf(t *testing.T, text string) (d config.TunnelDrain) {
	t.Helper()
	if err := d.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return d
}
