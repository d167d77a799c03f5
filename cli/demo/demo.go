// Package demo shows a good and a bad release, end to end: three sample versions, the real proxy, and a paced load, in one
// process.
//
// It owns the sample backends, the load and the drawing; both can be had in a process of their own (Sample, Load). The proxy, the judge and the rollout are the real ones, started
// through app from a real configuration file.
//
// Concurrency: Run blocks and waits for everything it starts.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"haldane/app"
	"haldane/config"
	"haldane/rollout"
)

// service is the name of the sample service, variantField the response field that names its variant.
const (
	service      = "shop"
	variantField = "X-Variant"
)

// patience bounds one release of the demo; both take far less.
const patience = 90 * time.Second

// Options says what the demo plays.
type Options struct {
	// Out is where it is drawn.
	Out io.Writer
	// Terminal says that Out is a terminal, so that a line may be drawn over.
	Terminal bool
	// Keep stays up after the two releases, until the context ends.
	Keep bool
	// Errors is the share of requests that the bad version fails.
	Errors config.Percent
	// Latency is added to every answer of the bad version.
	Latency time.Duration
	// Rate is the number of requests a second. Default (zero) 400.
	Rate int
	// Version is shown by the API.
	Version string
}

// Run plays the demo. It returns nil when the good release was promoted and the bad one rolled back.
func Run(ctx context.Context, options Options) (err error) {
	if options.Rate == 0 {
		options.Rate = 400
	}
	dir, err := os.MkdirTemp("", "haldane-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := &stage{options: options, path: filepath.Join(dir, "haldane.yaml")}
	if err := s.open(); err != nil {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	failed := make(chan error, 8)
	defer func() {
		cancel()
		group.Wait()
		close(failed)
		for late := range failed {
			err = errors.Join(err, late)
		}
	}()
	for _, part := range s.parts() {
		group.Go(func() {
			if err := part(running); err != nil && !errors.Is(err, context.Canceled) {
				failed <- err
				cancel()
			}
		})
	}
	return s.play(running)
}

// stage holds what the demo plays with.
type stage struct {
	options  Options
	path     string     // of the configuration file
	backends []*backend // v1, v2, v3
	app      *app.App
	load     *load
}

// open makes the backends, writes the first configuration and builds the proxy.
func (s *stage) open() error {
	versions := []struct {
		name string
		how  behaviour
	}{
		{"v1", behaviour{}},
		{"v2", behaviour{}},
		{"v3", behaviour{errors: s.options.Errors.Ratio(), latency: s.options.Latency}},
	}
	for _, version := range versions {
		b, err := newBackend(version.name, version.how)
		if err != nil {
			return err
		}
		s.backends = append(s.backends, b)
	}
	listen, admin := freeOr("127.0.0.1:8080"), freeOr("127.0.0.1:9901")
	if err := s.configure(listen, admin, "v1", "v2"); err != nil {
		return err
	}
	built, err := app.New(app.Options{ConfigPath: s.path, Logger: zap.NewNop(), Version: s.options.Version})
	if err != nil {
		return err
	}
	s.app = built
	s.load = newLoad(s.app.Address().String(), s.options.Rate, "v1", "v2", "v3")
	return nil
}

// parts are the things that run side by side.
func (s *stage) parts() []func(context.Context) error {
	parts := []func(context.Context) error{s.app.Run, s.load.run}
	for _, b := range s.backends {
		parts = append(parts, b.serve)
	}
	return parts
}

// freeOr is the address when nobody uses it, and a free port of the same host otherwise.
func freeOr(address string) string {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "127.0.0.1:0"
	}
	_ = listener.Close()
	return address
}

// play releases the good version, then the bad one: who opens a browser meanwhile sees the rollback happen, and what is left of it.
func (s *stage) play(ctx context.Context) error {
	s.introduce()
	good, err := s.release(ctx, "v2")
	if err != nil {
		return err
	}
	if err := s.configure(s.app.Address().String(), s.app.AdminAddress().String(), "v2", "v3"); err != nil {
		return err
	}
	s.say("\nThe file now says: stable v2, canary v3. Haldane notices by itself.\n")
	bad, err := s.release(ctx, "v3")
	if err != nil {
		return err
	}
	if s.options.Keep {
		s.say("\nStill running, until Ctrl-C: http://%s/ui/#/service/%s shows why. The configuration is\n%s\n", s.app.AdminAddress(), service, s.path)
		<-ctx.Done()
		return nil
	}
	if good != rollout.PhasePromoted || bad != rollout.PhaseRolledBack {
		return fmt.Errorf("expected v2 to be promoted and v3 to be rolled back, got %v and %v", good, bad)
	}
	return nil
}
