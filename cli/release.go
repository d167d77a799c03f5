package cli

import (
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"haldane/config"
	"haldane/rollout"
)

// newReleaseCommands are the commands that talk to a running Haldane.
func newReleaseCommands(e env, c *connection) []*cobra.Command {
	commands := []*cobra.Command{
		newStatusCommand(c),
		newWatchCommand(e, c),
		newHistoryCommand(c),
		newReportCommand(c),
		newAuditCommand(c),
		newReplayCommand(e, c),
		newDrillCommand(c),
		newOrderCommand(c, "start", "Start a rollout that waits for it"),
		newPromoteCommand(c),
		newOrderCommand(c, "pause", "Stop the clock of a rollout; its traffic stays as it is"),
		newOrderCommand(c, "resume", "Go on with a paused rollout"),
		newAbortCommand(c),
		newRetryCommand(c),
		newSetWeightCommand(c),
		newOverrideCommand(c),
		newTickCommand(c),
	}
	return commands
}

// order is the body of a command, as the API reads it.
type order struct {
	Reason  string `json:"reason,omitempty"`
	Actor   string `json:"actor,omitempty"`
	Weight  string `json:"weight,omitempty"`
	Full    bool   `json:"full,omitempty"`
	Variant string `json:"variant,omitempty"`
	Clear   bool   `json:"clear,omitempty"`
	Item    string `json:"item,omitempty"`
	Untick  bool   `json:"untick,omitempty"`
	Force   bool   `json:"force,omitempty"`

	ifRevision string // the revision that it is given on; empty for any
}

// addReason adds the flag that all changes have.
func (o *order) addReason(command *cobra.Command) {
	command.Flags().StringVar(&o.Reason, "reason", "", "why, for the history")
}

// addForce adds the flag of those that a gate can stand against.
func (o *order) addForce(command *cobra.Command) {
	o.addReason(command)
	command.Flags().BoolVar(&o.Force, "force", false, "in spite of a freeze, a cool-down or a checklist that is not done; needs --reason")
}

// addIfRevision adds the flag of those that expose users.
func (o *order) addIfRevision(command *cobra.Command) {
	command.Flags().StringVar(&o.ifRevision, "if-revision", "", "only if the rollout still has this `revision`, as status -o json shows it")
}

// rolloutPath is the path of a service's rollout, and of what is below it.
func rolloutPath(service, below string) string {
	path := "/api/v1/rollouts/" + url.PathEscape(service)
	if below != "" {
		path += "/" + below
	}
	return path
}

// send gives the order and shows what became of it.
func (c *connection) send(command *cobra.Command, service, name string, o order) error {
	return post(command.Context(), c, rolloutPath(service, name), o, func(w io.Writer, view *rollout.View) error {
		if err := showOutcome(w, *view); err != nil {
			return err
		}
		if name == "tick" {
			return showGates(w, &view.Gates)
		}
		if name != "override" {
			if err := say(w, "%s", likewise(*view)); err != nil {
				return err
			}
		}
		if name != "resume" && name != "set-weight" {
			return nil
		}
		return say(w, "%s\n", view.Reason) // it says what becomes of the weight
	})
}

// newOrderCommand makes a command that needs nothing but a service.
func newOrderCommand(c *connection, name, short string) *cobra.Command {
	var o order
	command := &cobra.Command{
		Use:   name + " SERVICE",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE:  func(command *cobra.Command, args []string) error { return c.send(command, args[0], name, o) },
	}
	if name == "pause" {
		o.addReason(command)
	} else {
		o.addForce(command)
	}
	return command
}

func newRetryCommand(c *connection) *cobra.Command {
	command := newOrderCommand(c, "retry", "Try a rolled-back rollout again from its first step")
	command.Long = `Try a rolled-back rollout again from its first step, with other users and a full budget.

Before the policy's cool_down is over, and in a freeze, this is refused, unless --force and --reason are given.`
	return command
}

func newPromoteCommand(c *connection) *cobra.Command {
	var o order
	command := &cobra.Command{
		Use:   "promote SERVICE",
		Short: "Go to the next step now, or approve the one that waits",
		Long: `Go to the next step now, or approve the one that waits. From the bake this is the end: the canary takes all traffic.

With --full the rest of the policy is skipped and the canary takes all traffic now.

Windows and hooks do not stand against a person's word. A freeze and a checklist that is not done do, unless --force and
--reason are given.`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error { return c.send(command, args[0], "promote", o) },
	}
	command.Flags().BoolVar(&o.Full, "full", false, "skip the rest of the policy")
	o.addForce(command)
	o.addIfRevision(command)
	return command
}

func newAbortCommand(c *connection) *cobra.Command {
	var o order
	var all bool
	command := &cobra.Command{
		Use:   "abort SERVICE | --all",
		Short: "Give all traffic back to the stable version, now",
		Long: `Give all traffic back to the stable version, now. It works also when the new state cannot be stored.

With --all every rollout that is not decided yet is rolled back.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case all && len(args) == 1:
				return wrongUsage("a service and --all exclude each other")
			case all:
				return c.abortAll(command, o)
			case len(args) == 0:
				return wrongUsage("name a service, or use --all")
			}
			return c.send(command, args[0], "abort", o)
		},
	}
	command.Flags().BoolVar(&all, "all", false, "every rollout that is not decided yet")
	o.addReason(command)
	return command
}

// abortAll rolls everything back.
func (c *connection) abortAll(command *cobra.Command, o order) error {
	return post(command.Context(), c, "/api/v1/rollouts/abort", o, func(w io.Writer, list *rolloutList) error {
		if len(list.Rollouts) == 0 {
			return say(w, "there was nothing to abort: no rollout is under way\n")
		}
		for _, view := range list.Rollouts {
			if err := showOutcome(w, view); err != nil {
				return err
			}
		}
		return nil
	})
}

func newSetWeightCommand(c *connection) *cobra.Command {
	var o order
	command := &cobra.Command{
		Use:   "set-weight SERVICE PERCENT",
		Short: "Set the canary's share of the traffic and pause",
		Long: `Set the canary's share of the traffic and pause. "resume" goes on with the step, and with the step's weight.

The share is written 5%, 0.01% or as a bare number of percent.`,
		Args: cobra.ExactArgs(2),
		RunE: func(command *cobra.Command, args []string) error {
			weight, err := config.ParsePercent(args[1])
			if err != nil {
				return wrongUsage("%v", err)
			}
			o.Weight = weight.String()
			return c.send(command, args[0], "set-weight", o)
		},
	}
	o.addForce(command)
	o.addIfRevision(command)
	return command
}

func newTickCommand(c *connection) *cobra.Command {
	var o order
	command := &cobra.Command{
		Use:   "tick SERVICE ITEM",
		Short: "Tick an item of the step's checklist off",
		Long: `Tick an item of the step's checklist off, by its text or by its number. The step goes on when it is done and nothing is left on its
list. With --untick the item is open again.`,
		Args: cobra.ExactArgs(2),
		RunE: func(command *cobra.Command, args []string) error {
			o.Item = args[1]
			return c.send(command, args[0], "tick", o)
		},
	}
	command.Flags().BoolVar(&o.Untick, "untick", false, "open the item again")
	o.addReason(command)
	return command
}

func newOverrideCommand(c *connection) *cobra.Command {
	var o order
	command := &cobra.Command{
		Use:   "override SERVICE VARIANT | SERVICE --clear",
		Short: "Send all traffic to one variant, whatever the rollout says",
		Long: `Send all traffic to one variant, whatever pins, segments and the rollout say, until --clear. It is the only way to reach a
version that was rolled back.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(command *cobra.Command, args []string) error {
			if o.Clear == (len(args) == 2) {
				return wrongUsage("name either a variant or --clear")
			}
			if len(args) == 2 {
				o.Variant = args[1]
			}
			return c.send(command, args[0], "override", o)
		},
	}
	command.Flags().BoolVar(&o.Clear, "clear", false, "end the override")
	o.addForce(command)
	return command
}
