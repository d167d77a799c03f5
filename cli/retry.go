package cli

import "github.com/spf13/cobra"

func newRetryCommand(c *connection) *cobra.Command {
	var o order
	command := &cobra.Command{
		Use:   "retry SERVICE",
		Short: "Try a rolled-back rollout again from its first step",
		Long: `Try a rolled-back rollout again from its first step, with other users and a full budget.

Before the policy's cool_down is over, and in a freeze, this is refused, unless --force and --reason are given.`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error { return c.send(command, args[0], "retry", o) },
	}
	o.addForce(command)
	return command
}
