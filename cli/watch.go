package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	// clearScreen moves to the top and clears what is below.
	clearScreen = "\x1b[H\x1b[J"
)

func newWatchCommand(e env, c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "watch [SERVICE]",
		Short: "Follow rollouts as they happen, until Ctrl-C",
		Long: `Follow rollouts as they happen, until Ctrl-C.

On a terminal the status is drawn again and again. Elsewhere, and with --output json (one object a line), every event is
one line.`,
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
			w := &watch{connection: c, api: api, draw: e.terminal && c.output == formatTable}
			if len(args) == 1 {
				w.service = args[0]
			}
			return w.run(command.Context())
		},
	}
}

// watch is one run of the command.
type watch struct {
	*connection
	api     *client
	service string // "" follows all
	draw    bool   // on a screen
	trouble string // what is wrong with the connection; shown once, or on the screen
}

// run follows until the context ends, which is no failure. What fails at first fails for good; later the connection may
// break, and is made again.
func (w *watch) run(ctx context.Context) error {
	if err := w.show(ctx); err != nil {
		return err
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

// refresh draws the screen. A broken connection is shown and not fatal.
func (w *watch) refresh(ctx context.Context) error {
	err := w.show(ctx)
	var refused *answerError
	if err == nil || ctx.Err() != nil || errors.As(err, &refused) && refused.status == 404 {
		return err
	}
	return say(w.env.stdout, "\n%v\n", err)
}

// show draws the state in place of the old one. Where there is no screen it only asks whether there is something to follow.
func (w *watch) show(ctx context.Context) error {
	views, err := w.views(ctx)
	if err != nil || !w.draw {
		return err
	}
	page := bytes.NewBufferString(clearScreen)
	if err := showRollouts(page, views); err != nil {
		return err
	}
	if w.trouble != "" {
		page.WriteString("\n" + printable(w.trouble) + "\n")
	}
	_, err = w.env.stdout.Write(page.Bytes())
	return err
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
