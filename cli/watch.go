package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"haldane/rollout"
)

const (
	// redrawEvery is how often the screen is drawn when nothing happens: numbers and clocks move between events.
	redrawEvery = time.Second
	// reconnectAfter is how long a broken stream rests.
	reconnectAfter = 2 * time.Second
)

func newWatchCommand(e env, c *connection) *cobra.Command {
	var lines bool
	command := &cobra.Command{
		Use:   "watch [SERVICE]",
		Short: "Follow rollouts as they happen, until Ctrl-C",
		Long: `Follow rollouts as they happen, until Ctrl-C.

On a terminal it takes the whole screen, and gives it back at the end: releases with their weight, step, evidence and budget as bars, and
how requests and failures of both versions have gone. Elsewhere, with --plain, with TERM=dumb, and with --output json (one object a
line), every event is one line. NO_COLOR takes the colours away.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if c.output == formatYAML {
				return wrongUsage("watch prints tables or JSON, not YAML")
			}
			api, err := c.open()
			if err != nil {
				return err
			}
			defer api.close()
			w := &watch{connection: c, api: api, draw: e.terminal && !lines && c.output == formatTable}
			if len(args) == 1 {
				w.service = args[0]
			}
			return w.run(command.Context())
		},
	}
	command.Flags().BoolVar(&lines, "plain", false, "one line for each event, also on a terminal")
	return command
}

// watch is one run of the command.
type watch struct {
	*connection
	api     *client
	service string // "" follows all
	draw    bool   // on a screen
	trouble string // what is wrong with the connection; shown once, or on the screen
	screen  *screen
	trends  *trends
	shown   []rollout.View // the last that is known
}

// run follows until the context ends, which is no failure. What fails at first fails for good; later the connection may
// break, and is made again.
func (w *watch) run(ctx context.Context) error {
	views, err := w.views(ctx)
	if err != nil {
		return err
	}
	var resized <-chan os.Signal
	if w.draw {
		if w.screen, err = enterOn(w.env); err != nil {
			return err
		}
		defer w.screen.leave()
		w.trends, w.shown, resized = newTrends(), views, w.screen.resized
		if err := w.show(ctx); err != nil {
			return err
		}
	}
	reading, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	messages := make(chan message)
	group.Go(func() { w.follow(reading, messages) })
	ticker := time.NewTicker(redrawEvery)
	defer ticker.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case m := <-messages:
			err = w.handle(ctx, m)
		case <-ticker.C:
			if w.draw {
				err = w.refresh(ctx)
			}
		case <-resized:
			err = w.show(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// follow reads the stream, again and again, from where it broke off.
func (w *watch) follow(ctx context.Context, out chan<- message) {
	deliver := func(m message) {
		select {
		case out <- m:
		case <-ctx.Done():
		}
	}
	lastID := ""
	for ctx.Err() == nil {
		err := w.api.stream(ctx, lastID, func(m message) {
			lastID = m.id
			deliver(m)
		})
		if ctx.Err() == nil {
			deliver(message{broken: err})
		}
		select {
		case <-time.After(reconnectAfter):
		case <-ctx.Done():
		}
	}
}

// handle shows what a message says.
func (w *watch) handle(ctx context.Context, m message) error {
	if m.broken != nil {
		return w.complain(m.broken)
	}
	w.trouble = ""
	if m.kind == "hello" {
		return nil
	}
	if w.draw {
		return w.refresh(ctx)
	}
	var event rollout.Event
	if err := json.Unmarshal(m.data, &event); err != nil {
		return w.complain(fmt.Errorf("an event cannot be read: %w", err))
	}
	if event.Kind == rollout.EventLost {
		return w.complain(errors.New("events were lost; the history has them"))
	}
	if w.service != "" && event.Service != w.service {
		return nil
	}
	if w.output == formatJSON {
		_, err := fmt.Fprintln(w.env.stdout, escapeControls(string(m.data)))
		return err
	}
	return say(w.env.stdout, "%s  %s  %s  step %d  %s  %s\n", clock(event.Time, w.env.zone), event.Service, event.Kind,
		event.Step+1, event.Weight, because(event))
}

// complain says once that the connection is in trouble.
func (w *watch) complain(trouble error) error {
	if w.trouble == trouble.Error() {
		return nil
	}
	w.trouble = trouble.Error()
	if w.draw {
		return nil // the next drawing shows it
	}
	return say(w.env.stderr, "haldane: %s; still watching\n", w.trouble)
}

// refresh asks again and draws. A broken connection is shown and not fatal: what was known last stays on the screen.
func (w *watch) refresh(ctx context.Context) error {
	views, err := w.views(ctx)
	var refused *answerError
	switch {
	case err == nil:
		w.shown, w.trouble = views, ""
	case ctx.Err() != nil:
		return nil
	case errors.As(err, &refused) && refused.status == http.StatusNotFound:
		return err
	default:
		w.trouble = err.Error()
	}
	return w.show(ctx)
}

// show draws what is known, with the traffic as it is now.
func (w *watch) show(ctx context.Context) error {
	now := time.Now()
	if list, err := w.api.services(ctx); err == nil {
		w.trends.look(now, list, w.shown)
	}
	f := frame{
		palette: paletteOf(w.env), now: now, zone: w.env.zone, where: w.api.where, trouble: w.trouble, views: w.shown,
		detailed: w.service != "", trends: w.trends,
	}
	f.columns, f.rows = w.screen.bounds()
	return w.screen.draw(f.lines())
}

// views is the state of what is watched.
func (w *watch) views(ctx context.Context) ([]rollout.View, error) {
	if w.service == "" {
		answer, err := w.api.get(ctx, "/api/v1/rollouts")
		if err != nil {
			return nil, err
		}
		var list rolloutList
		return list.Rollouts, w.api.decode(answer, &list)
	}
	answer, err := w.api.get(ctx, rolloutPath(w.service, ""))
	if err != nil {
		return nil, err
	}
	var view rollout.View
	if err := w.api.decode(answer, &view); err != nil {
		return nil, err
	}
	return []rollout.View{view}, nil
}
