package app_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// echo lets a backend echo the messages of WebSockets, and fail everything else if it is told to.
func (b *backend) echo() {
	handle := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			if b.failing.Load() {
				w.WriteHeader(http.StatusInternalServerError)
			}
			return
		}
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, message, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, message) != nil {
				return
			}
		}
	})
	b.handle.Store(&handle)
}

// tunnelTo opens a WebSocket to a variant.
func (i *instance) tunnelTo(t *testing.T, variant string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(context.Background(), fmt.Sprintf("ws://%s/?v=%s", i.Address(), variant), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

// answers says whether a WebSocket still echoes.
func answers(c *websocket.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		return err
	}
	_, _, err := c.Read(ctx)
	return err
}

// The WebSockets of a canary are told to go when it is rolled back; those of the stable stay, through reloads and changes of
// the weight, and are told when the process stops.
func TestTunnelsOfARelease(t *testing.T) {
	raced(t)
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	stable.echo()
	canary.echo()
	text := release(stable, canary, "", "    pins: [{query: v}]\n    tunnels: {on_rollback: close}")
	i := launch(t, text)
	old, fresh := i.tunnelTo(t, "v1"), i.tunnelTo(t, "v2")
	for range 5 {
		writeConfig(t, i.config, text)
		if err := i.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []*websocket.Conn{old, fresh} {
		if err := answers(c); err != nil {
			t.Fatal(err)
		}
	}
	canary.failing.Store(true)
	load := i.pace(t, 200, nil)
	i.await(t, 20*time.Second, "rolled back", rolledBack)
	load.stop()
	if _, _, err := fresh.Read(context.Background()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the client of the canary was told %v", err)
	}
	if err := answers(old); err != nil {
		t.Errorf("the client of the stable: %v", err)
	}
	told := make(chan error, 1)
	go func() {
		_, _, err := old.Read(context.Background())
		told <- err
	}()
	i.stop()
	if err := <-told; websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("at the end the client of the stable was told %v", err)
	}
}
