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

// The exit codes of "status --exit-code", beside those of every command.
const (
	exitRolledBack = 3 // rolled back, or superseded
	exitPerson     = 4 // nothing goes on without a person
	exitUnderWay   = 5 // not decided yet
)

func newStatusCommand(c *connection) *cobra.Command {
	var tell bool
	command := &cobra.Command{
		Use:   "status [SERVICE]",
		Short: "Show what is out, to whom, whether it is well, and what happens next",
		Long: `Show what is out, to whom, whether it is well, and what happens next.

With --exit-code it ends, for scripts, with 0 when the release is out, 3 when it was rolled back or superseded, 4 when a person is needed,
and 5 while it is under way. Of several services the first of 3, 4, 5 and 0 that holds for one of them counts. 1 and 2 are what they are for
every command: it failed, or was not asked for rightly.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			var views []rollout.View
			var err error
			if len(args) == 0 {
				views, err = c.statusAll(command.Context())
			} else {
				err = get(command.Context(), c, rolloutPath(args[0], ""), func(w io.Writer, _ *client, view *rollout.View) error {
					return showRollout(w, *view, c.env.zone)
				}, func(view *rollout.View) { views = []rollout.View{*view} })
			}
			if err != nil || !tell {
				return err
			}
			if code := codeOf(views); code != exitOK {
				return &exitCode{code}
			}
			return nil
		},
	}
	command.Flags().BoolVar(&tell, "exit-code", false, "tell by the exit code how the release stands: 0, 3, 4 or 5")
	return command
}

// codeOf is the exit code for some rollouts.
func codeOf(views []rollout.View) int {
	found := map[int]bool{}
	for i := range views {
		switch v := &views[i]; {
		case v.Phase == rollout.PhaseRolledBack, v.Phase == rollout.PhaseSuperseded:
			found[exitRolledBack] = true
		case v.Phase == rollout.PhasePromoted:
		case v.NeedsPerson:
			found[exitPerson] = true
		default:
			found[exitUnderWay] = true
		}
	}
	for _, code := range []int{exitRolledBack, exitPerson, exitUnderWay} {
		if found[code] {
			return code
		}
	}
	return exitOK
}

// statusAll shows every rollout in a few lines.
func (c *connection) statusAll(ctx context.Context) (views []rollout.View, err error) {
	err = get(ctx, c, "/api/v1/rollouts", func(w io.Writer, api *client, list *rolloutList) error {
		if err := showRollouts(w, list.Rollouts); err != nil {
			return err
		}
		return showRefused(ctx, w, api)
	}, func(list *rolloutList) { views = list.Rollouts })
	return views, err
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
