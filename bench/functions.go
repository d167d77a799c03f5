package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"haldane/bench/machine"
	"haldane/bench/report"
)

// playFunctions runs the benchmarks of what is done for each request, on the core of the proxies, and takes the median.
func playFunctions(ctx context.Context, b *bench, result *report.Scenario) error {
	route, err := b.functions(ctx, "./proxy", "^BenchmarkRouteCold$")
	if err != nil {
		return err
	}
	match, err := b.functions(ctx, "./router", "^BenchmarkMatch$/^host-")
	if err != nil {
		return err
	}
	looks, err := b.functions(ctx, "./rollout", "^BenchmarkLoopThousand$")
	if err != nil {
		return err
	}
	result.Facts = make(map[string]float64)
	for _, values := range looks { // of a second each
		result.Facts[report.RolloutsFact] = 100 * report.SpreadOf(values).Median / float64(time.Second)
	}
	for name, values := range route {
		if _, services, ok := strings.Cut(name, "/"); ok {
			result.Facts[report.RouteFact+services] = report.SpreadOf(values).Median
		}
	}
	for name, values := range match {
		if _, services, ok := strings.Cut(name, "host-"); ok {
			result.Facts[report.MatchFact+services] = report.SpreadOf(values).Median
		}
	}
	for _, fact := range []string{report.RolloutsFact, report.RouteFact + "1", report.RouteFact + "10000", report.MatchFact + "1"} {
		if _, ok := result.Facts[fact]; !ok {
			return fmt.Errorf("no benchmark gave the %s: run it in the repository", fact)
		}
	}
	return nil
}

// functions runs benchmarks of a package and returns their nanoseconds by name. They are built with the profile that "go build" takes by
// itself, and "go test" does not: what is measured is what is shipped.
func (b *bench) functions(ctx context.Context, room, pattern string) (map[string][]float64, error) {
	command := exec.CommandContext(ctx, "go", "test", "-tags", "grpcnotrace", "-pgo", "default.pgo", "-run", "^$", "-bench", pattern, //nolint:gosec // constants
		"-benchtime", max(b.time/4, 50*time.Millisecond).String(), "-count", strconv.Itoa(b.rounds), "-cpu", "1", room)
	var out noise
	command.Stdout, command.Stderr = &out, &out
	if err := machine.Start(command, b.proxyCores()); err != nil {
		return nil, fmt.Errorf("run the benchmarks of %s: %w", room, err)
	}
	if err := command.Wait(); err != nil {
		return nil, fmt.Errorf("run the benchmarks of %s: %w\n%s", room, err, out)
	}
	return parseBenchmarks(string(out)), nil
}

// parseBenchmarks reads lines such as "BenchmarkX/y  1000  123 ns/op  0 B/op".
func parseBenchmarks(text string) map[string][]float64 {
	all := make(map[string][]float64)
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") || fields[3] != "ns/op" {
			continue
		}
		if ns, err := strconv.ParseFloat(fields[2], 64); err == nil {
			all[fields[0]] = append(all[fields[0]], ns)
		}
	}
	return all
}
