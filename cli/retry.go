package cli

import "github.com/spf13/cobra"

func newRetryCommand(c *connection) *cobra.Command {
	var o order
	command := &cobra.Command{
		Use:   "retry SERVICE",
		Short: "Try a rolled-back rollout again from its first step",
		Long: `Try a rolled-back rollout again from its first step, with other users and a full budget.

Before the policy's cool_down is over this is refused; --force does not wait for it.`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error { return c.send(command, args[0], "retry", o) },
	}
	command.Flags().BoolVar(&o.Force, "force", false, "do not wait for the cool-down")
	o.addReason(command)
	return command
}
