package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"runtime/debug"
	"syscall"
)

// options is what the command line says.
type options struct {
	seed     uint64
	runs     int
	ladders  int
	peers    int
	workers  int
	quick    bool
	list     bool
	strict   bool
	only     string
	markdown string
	json     string
	readme   string
}

// garbage is how much of it may gather, in percent of what is in use: that is a few megabytes, and collecting it seldom saves a
// tenth of the time.
const garbage = 1000

func main() {
	debug.SetGCPercent(garbage)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}

func parse(args []string, notes io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("judge", flag.ContinueOnError)
	f.SetOutput(notes)
	f.Uint64Var(&o.seed, "seed", 1, "seed of all streams")
	f.IntVar(&o.runs, "runs", 1000, "runs of a scenario of up to 100 requests/s; a fifth of it above")
	f.IntVar(&o.ladders, "rollouts", 200, "runs of a whole rollout, never more than -runs; 0 for none")
	f.IntVar(&o.peers, "peers", 200, "runs in which all rules play, a quarter of it in harmful scenarios; the others are Haldane's")
	f.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "runs side by side; changes nothing but the time")
	f.BoolVar(&o.quick, "quick", false, "a few scenarios only, 20 runs each unless -runs says otherwise")
	f.BoolVar(&o.list, "list", false, "list the scenarios and play nothing")
	f.BoolVar(&o.strict, "strict", false, "fail when a goal is missed")
	f.StringVar(&o.only, "only", "", "play scenarios whose name matches this regular expression")
	f.StringVar(&o.markdown, "markdown", "", "write the tables to this file; empty for standard output")
	f.StringVar(&o.json, "json", "", "write the numbers to this file")
	f.StringVar(&o.readme, "readme", "", "put the compact table between its marks in this file")
	err := f.Parse(args)
	if err != nil {
		return o, err
	}
	given := false
	f.Visit(func(g *flag.Flag) { given = given || g.Name == "runs" })
	if o.quick && !given {
		o.runs = 20
	}
	if o.runs < 1 || o.workers < 1 {
		return o, errors.New("-runs and -workers must be at least 1")
	}
	o.ladders = min(o.ladders, o.runs)
	return o, nil
}

func run(ctx context.Context, args []string, out, notes io.Writer) error {
	o, err := parse(args, notes)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	scenarios, climbs, err := o.chosen()
	if err != nil {
		return err
	}
	if o.list {
		return list(out, scenarios, climbs)
	}
	j := job{seed: o.seed, runs: o.runs, peers: o.peers, workers: o.workers, notes: notes}
	j.begin(scenarios, climbs, o.ladders)
	r := report{Seed: o.seed, Runs: o.runs, Peers: o.peers}
	r.Rows = j.playAll(ctx, scenarios)
	if o.ladders > 0 {
		r.Ladders = j.playLadders(ctx, climbs, o.ladders)
	}
	r.Missed = allMissed(r.Rows, r.Ladders)
	r.Interrupted = ctx.Err() != nil
	if err := r.write(o, out); err != nil {
		return err
	}
	if r.Interrupted {
		return errors.New("interrupted: only a part was played")
	}
	if o.strict && len(r.Missed) > 0 {
		return fmt.Errorf("%d goals are missed, the first is: %s", len(r.Missed), r.Missed[0])
	}
	return nil
}

// chosen is what is to be played.
func (o *options) chosen() ([]scenario, []ladder, error) {
	match, err := regexp.Compile(o.only)
	if err != nil {
		return nil, nil, fmt.Errorf("-only: %w", err)
	}
	var scenarios []scenario
	for _, s := range catalogue() {
		if match.MatchString(s.name) && (s.quick || !o.quick) {
			scenarios = append(scenarios, s)
		}
	}
	var climbs []ladder
	for _, l := range ladders() {
		if match.MatchString("whole rollout: "+l.name) && (l.quick || !o.quick) {
			climbs = append(climbs, l)
		}
	}
	return scenarios, climbs, nil
}

func list(out io.Writer, scenarios []scenario, climbs []ladder) error {
	p := &paper{w: out}
	for _, s := range scenarios {
		p.line("%s", s.name)
	}
	for _, l := range climbs {
		p.line("whole rollout: %s", l.name)
	}
	return p.err
}

func (r *report) write(o options, out io.Writer) error {
	if o.json != "" {
		if err := writeFile(o.json, r.writeJSON); err != nil {
			return err
		}
	}
	if o.readme != "" {
		if err := r.writeReadme(o.readme); err != nil {
			return err
		}
	}
	if o.markdown != "" {
		return writeFile(o.markdown, r.writeMarkdown)
	}
	return r.writeMarkdown(out)
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
