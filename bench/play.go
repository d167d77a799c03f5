package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"haldane/bench/loop"
	"haldane/bench/machine"
	"haldane/bench/origin"
	"haldane/bench/peers"
	"haldane/bench/report"
)

// bench is what all scenarios share.
type bench struct {
	options
	notes  io.Writer
	dir    string
	loop   *loop.Loop
	v1, v2 *origin.Origin
	found  []peers.Peer
	report *report.Report
}

// play plays the scenarios and writes what came of them. A scenario that fails is said, and the others go on.
func (o *options) play(ctx context.Context, chosen []scenario, out, notes io.Writer) error {
	b := &bench{options: *o, notes: notes}
	defer b.close()
	if err := b.open(ctx); err != nil {
		return err
	}
	failed := 0
	for _, s := range chosen {
		if ctx.Err() != nil {
			break
		}
		fmt.Fprintf(notes, "%s  %s: %s\n", time.Now().Format(time.TimeOnly), s.name, s.title)
		result := &report.Scenario{Name: s.name, Title: s.title, Per: s.per}
		b.report.Scenarios = append(b.report.Scenarios, result)
		if err := s.play(ctx, b, result); err != nil {
			result.Failures = append(result.Failures, err.Error())
		}
		for _, failure := range result.Failures {
			fmt.Fprintf(notes, "FAILED: ===== %s: %s =====\n", s.name, failure)
		}
		failed += min(1, len(result.Failures))
		if err := o.store(b.report); err != nil { // after each, so that an interruption loses one
			return err
		}
	}
	if err := o.write(b.report, out); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errors.New("interrupted: only a part was played")
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d scenarios had failures", failed, len(chosen))
	}
	return nil
}

// open builds, finds and prepares what is needed.
func (b *bench) open(ctx context.Context) error {
	var err error
	if b.dir, err = os.MkdirTemp("", "haldane-bench"); err != nil {
		return err
	}
	if err := build(ctx, &b.paths, b.dir); err != nil {
		return err
	}
	if b.loop, err = loop.New(); err != nil {
		return err
	}
	if b.v1, err = origin.New(b.loop, "v1", 2); err != nil { // a proxy without weights sees it thrice
		return err
	}
	if b.v2, err = origin.New(b.loop, "v2", 0); err != nil {
		return err
	}
	b.report = &report.Report{Machine: machine.Describe(), Quick: b.quick}
	found, missing := peers.Find(ctx, b.paths)
	for _, m := range missing {
		fmt.Fprintf(b.notes, "LEFT OUT: ===== %s: %s =====\n", m.Name, m.Why)
		b.report.Missing = append(b.report.Missing, report.Peer{Name: m.Name, Version: m.Why})
	}
	for _, p := range found {
		if b.proxies.MatchString(p.Name) {
			b.found = append(b.found, p)
			b.report.Peers = append(b.report.Peers, report.Peer{Name: p.Name, Version: p.Version})
		}
	}
	return nil
}

// close gives everything back. The loop was only read, and the folder may stay: nothing hangs on either.
func (b *bench) close() {
	for _, o := range []*origin.Origin{b.v1, b.v2} {
		if o != nil {
			o.Close()
		}
	}
	if b.loop != nil {
		_ = b.loop.Close()
	}
	_ = os.RemoveAll(b.dir)
}

// proxyCores is where a proxy runs when it has one core.
func (b *bench) proxyCores() []int {
	if b.pin {
		return []int{0}
	}
	return all()
}
