package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"

	"haldane/bench/load"
	"haldane/bench/peers"
	"haldane/bench/report"
)

// mix is what the compiler optimises for: mostly small requests, at all loads, and a little of everything else.
func (b *bench) mix(c certificate) []shot {
	spec := func(connections int, request []byte) load.Spec {
		return load.Spec{Connections: connections, Requests: [][]byte{request}}
	}
	small := spec(connections, get("/100", "shop.example.com"))
	secured := small
	secured.TLS = c.clients
	upload := func(size int64) load.Spec {
		s := spec(16, post("/", "shop.example.com", size))
		s.Upload = size
		return s
	}
	open := b.closed(small)
	open.phase.Rate = 10_000
	return []shot{
		b.closed(small), b.closed(secured), open, b.closed(upload(500)),
		b.closed(small), b.closed(spec(connections, get("/4096", "shop.example.com"))), b.closed(secured),
		b.closed(small), b.closed(spec(connections, get("/65536", "shop.example.com"))), b.closed(upload(1 << 20)),
	}
}

// writeProfile plays the mix on Haldane and writes what its processor did meanwhile: the profile that "go build" takes (default.pgo).
func (o *options) writeProfile(ctx context.Context, notes io.Writer) error {
	b := &bench{options: *o, notes: notes}
	b.proxies = regexp.MustCompile("^haldane$")
	defer b.close()
	if err := b.open(ctx); err != nil {
		return err
	}
	c, err := newCertificate(b.dir)
	if err != nil {
		return err
	}
	var result report.Scenario
	a := b.enter(ctx, &result, peers.Work{Certificate: c.chain, Key: c.key, Profiles: true}, nil)
	defer a.leave()
	if len(a.running) != 1 {
		return fmt.Errorf("haldane does not run: %v", result.Failures)
	}
	shots := b.mix(c)
	var profile []byte
	done := make(chan error, 1)
	go func() {
		var err error
		profile, err = a.running[0].Profile(ctx, time.Duration(len(shots))*(b.time+b.time/4))
		done <- err
	}()
	for i, s := range shots {
		a.measure(a.running[0], i, s)
	}
	if err := b.meanwhile(func() error { return <-done }); err != nil {
		return err
	}
	if len(result.Failures) > 0 {
		return errors.New(result.Failures[0])
	}
	return os.WriteFile(o.profile, profile, 0o600) //nolint:gosec // the caller names it
}
