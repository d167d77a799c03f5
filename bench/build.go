package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"

	"haldane/bench/machine"
	"haldane/bench/peers"
)

// build builds what is not given: Haldane as it is released, and the relay.
func build(ctx context.Context, paths *peers.Paths, dir string) error {
	if paths.Haldane == "" {
		paths.Haldane = filepath.Join(dir, "haldane")
		if err := compile(ctx, paths.Haldane, "haldane"); err != nil {
			return err
		}
	}
	paths.Relay = filepath.Join(dir, "relay")
	if err := compile(ctx, paths.Relay, "haldane/bench/relay"); err != nil {
		return err
	}
	for _, path := range []*string{&paths.Haldane, &paths.Old, &paths.HAProxy, &paths.Nginx, &paths.Caddy, &paths.Traefik, &paths.Tools} {
		if *path == "" {
			continue
		}
		whole, err := filepath.Abs(*path) // the proxies run in folders of their own
		if err != nil {
			return err
		}
		*path = whole
	}
	return nil
}

func compile(ctx context.Context, to, what string) error {
	command := exec.CommandContext(ctx, "go", "build", "-tags", "grpcnotrace", "-trimpath", "-ldflags", "-s -w", "-o", to, what) //nolint:gosec // constants, and a folder of ours
	command.Env = append(command.Environ(), "CGO_ENABLED=0")
	var out noise
	command.Stdout, command.Stderr = &out, &out
	if err := machine.Start(command, all()); err != nil {
		return fmt.Errorf("build %s: %w", what, err)
	}
	if err := command.Wait(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", what, err, out)
	}
	return nil
}

// all are all cores of the machine, as far as a benchmark uses them. The program itself may see one alone.
func all() []int {
	if runtime.NumCPU() == 1 {
		return []int{0, 1}
	}
	cores := make([]int, runtime.NumCPU())
	for i := range cores {
		cores[i] = i
	}
	return cores
}

// noise keeps what a command says.
type noise []byte

// Write appends.
func (n *noise) Write(p []byte) (int, error) {
	*n = append(*n, p...)
	return len(p), nil
}
