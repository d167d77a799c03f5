package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"haldane/admin"
	"haldane/rollout"
)

// rolloutList is the answer of /api/v1/rollouts.
type rolloutList struct {
	Rollouts []rollout.View `json:"rollouts"`
}

func newStatusCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "status [SERVICE]",
		Short: "Show what is out, to whom, whether it is well, and what happens next",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			api, err := c.open()
			if err != nil {
				return err
			}
			defer api.close()
			if len(args) == 0 {
				return c.statusAll(command.Context(), api)
			}
			answer, err := api.get(command.Context(), rolloutPath(args[0], ""))
			if err != nil {
				return err
			}
			var view rollout.View
			if err := api.decode(answer, &view); err != nil {
				return err
			}
			return c.write(answer, func(w io.Writer) error { return showRollout(w, view, c.env.zone) })
		},
	}
}

// statusAll shows every rollout in a few lines.
func (c *connection) statusAll(ctx context.Context, api *client) error {
	answer, err := api.get(ctx, "/api/v1/rollouts")
	if err != nil {
		return err
	}
	var list rolloutList
	if err := api.decode(answer, &list); err != nil {
		return err
	}
	return c.write(answer, func(w io.Writer) error {
		if err := showRollouts(w, list.Rollouts); err != nil {
			return err
		}
		return showRefused(ctx, w, api)
	})
}

// showRefused says when the file is not what is in force, because then the rollouts are not what the file asks for.
func showRefused(ctx context.Context, w io.Writer, api *client) error {
	answer, err := api.get(ctx, "/api/v1/config")
	if err != nil {
		return err
	}
	var state admin.Configuration
	if err := api.decode(answer, &state); err != nil {
		return err
	}
	if state.Error == "" {
		return nil
	}
	_, err = fmt.Fprintf(w, "\nThe configuration file was refused at %s, the one before it is in force:\n%s\n",
		state.Attempted.Format(time.RFC3339), state.Error)
	return err
}

// clock is a time of day, day a whole moment, as people write them.
func clock(t time.Time, zone *time.Location) string { return t.In(zone).Format("15:04:05") }

func day(t time.Time, zone *time.Location) string { return t.In(zone).Format("2006-01-02 15:04:05") }
