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
			if len(args) == 0 {
				return c.statusAll(command.Context())
			}
			return get(command.Context(), c, rolloutPath(args[0], ""), func(w io.Writer, _ *client, view *rollout.View) error {
				return showRollout(w, *view, c.env.zone)
			})
		},
	}
}

// statusAll shows every rollout in a few lines.
func (c *connection) statusAll(ctx context.Context) error {
	return get(ctx, c, "/api/v1/rollouts", func(w io.Writer, api *client, list *rolloutList) error {
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
