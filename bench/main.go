// Command bench measures Haldane side by side with other proxies that do the same work on the same core in the same run, and
// with a bare relay of bytes as the floor. docs/PERFORMANCE.md says how, and has what came of it.
//
// It owns the scenarios and the order of the runs. Load, upstream, peers and figures have packages of their own below it.
//
// Concurrency: one goroutine does everything; the proxies are processes.
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
	"syscall"
	"time"

	"haldane/bench/machine"
	"haldane/bench/peers"
)

// options is what the command line says.
type options struct {
	paths   peers.Paths
	only    string
	peers   string
	rounds  int
	time    time.Duration
	quick   bool
	list    bool
	pin     bool
	json    string
	from    string
	page    string
	readme  string
	pages   string
	profile string
	proxies *regexp.Regexp
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string, notes io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(notes)
	f.StringVar(&o.only, "only", "", "play scenarios whose name matches this regular expression")
	f.StringVar(&o.peers, "peers", "", "compare proxies whose name matches this regular expression")
	f.IntVar(&o.rounds, "rounds", 7, "runs of each proxy under each load")
	f.DurationVar(&o.time, "time", 1500*time.Millisecond, "counted time of a run")
	f.BoolVar(&o.quick, "quick", false, "short runs and few of them, to see that everything works; the figures mean little")
	f.BoolVar(&o.list, "list", false, "list the scenarios and play nothing")
	f.BoolVar(&o.pin, "pin", true, "proxy on core 0, load and upstream on core 1")
	f.StringVar(&o.json, "json", "", "write all figures to this file")
	f.StringVar(&o.from, "from", "", "play nothing, and take the figures from this file")
	f.StringVar(&o.page, "markdown", "", "put the tables between their marks in this file")
	f.StringVar(&o.readme, "readme", "", "put the short table between its marks in this file")
	f.StringVar(&o.pages, "pictures", "", "write the pictures to this folder")
	f.StringVar(&o.profile, "profile", "", "compare nothing, and write a profile of Haldane for the compiler to this file")
	pathFlags(f, &o.paths)
	if err := f.Parse(args); err != nil {
		return o, err
	}
	given := make(map[string]bool)
	f.Visit(func(g *flag.Flag) { given[g.Name] = true })
	if o.quick && !given["rounds"] {
		o.rounds = 2
	}
	if o.quick && !given["time"] {
		o.time = 200 * time.Millisecond
	}
	var err error
	if o.proxies, err = regexp.Compile(o.peers); err != nil {
		return o, fmt.Errorf("-peers: %w", err)
	}
	if o.rounds < 1 || o.time <= 0 {
		return o, errors.New("-rounds and -time must be above zero")
	}
	return o, nil
}

// pathFlags says where the proxies are.
func pathFlags(f *flag.FlagSet, p *peers.Paths) {
	f.StringVar(&p.Haldane, "haldane", "", "binary of Haldane; built when empty")
	f.StringVar(&p.Old, "old", "", "another binary of Haldane, to compare with")
	f.StringVar(&p.HAProxy, "haproxy", "", "binary of HAProxy")
	f.StringVar(&p.Nginx, "nginx", "", "binary of nginx")
	f.StringVar(&p.Caddy, "caddy", "", "binary of Caddy")
	f.StringVar(&p.Traefik, "traefik", "", "binary of Traefik")
	f.StringVar(&p.Tools, "tools", "build/tools", "folder into which packages of the proxies were unpacked (make bench-tools)")
}

func run(ctx context.Context, args []string, out, notes io.Writer) error {
	o, err := parse(args, notes)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	chosen, err := o.chosen()
	if err != nil {
		return err
	}
	if o.list {
		for _, s := range chosen {
			fmt.Fprintf(out, "%-12s %s\n", s.name, s.title)
		}
		return nil
	}
	if o.from != "" {
		return o.again(out)
	}
	if o.pin {
		if err := machine.PinSelf(1); err != nil {
			fmt.Fprintf(notes, "NOT PINNED: ===== %v: the figures mean little =====\n", err)
			o.pin = false
		}
	}
	if o.profile != "" {
		return o.writeProfile(ctx, notes)
	}
	return o.play(ctx, chosen, out, notes)
}
