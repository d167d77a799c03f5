package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

// behaviour is how a sample backend treats its requests.
type behaviour struct {
	errors  float64       // share of requests that are answered 500
	latency time.Duration // added to every answer
}

// backend is a sample service: one deployed version, on a port of its own.
type backend struct {
	name     string
	listener net.Listener
	server   *http.Server
}

// newBackend opens the port. serve answers on it.
func newBackend(name string, how behaviour) (*backend, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a port for the sample backend %s: %w", name, err)
	}
	b := &backend{name: name, listener: listener}
	b.server = &http.Server{Handler: answer(name, how), ReadHeaderTimeout: 5 * time.Second}
	return b, nil
}

// address is where the backend answers.
func (b *backend) address() string { return b.listener.Addr().String() }

// serve answers until the context ends.
func (b *backend) serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = b.server.Close() })
	defer stop()
	if err := b.server.Serve(b.listener); err != nil && ctx.Err() == nil {
		return fmt.Errorf("sample backend %s: %w", b.name, err)
	}
	return nil
}

// answer says which version it is, or fails, as the behaviour has it.
func answer(name string, how behaviour) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if how.latency > 0 {
			select {
			case <-time.After(how.latency):
			case <-r.Context().Done():
				return
			}
		}
		if rand.Float64() < how.errors {
			http.Error(w, name+" has failed", http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "hello from %s\n", name)
	}
}
