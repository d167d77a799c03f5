package cli

import (
	"time"

	"github.com/spf13/cobra"

	"haldane/cli/demo"
	"haldane/config"
)

// newDemoCommand makes the command that shows a bad and a good release.
func newDemoCommand(e env) *cobra.Command {
	options := demo.Options{Out: e.stdout, Terminal: e.terminal, Version: e.version}
	var failures string
	command := &cobra.Command{
		Use:   "demo",
		Short: "Show a bad and a good release, in under two minutes",
		Long: `Show a bad and a good release: three sample versions of a service, the real proxy and a paced load, in one process.
The bad version is rolled back, the good one is promoted.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			share, err := config.ParsePercent(failures)
			if err != nil {
				return wrongUsage("--canary-errors: %v", err)
			}
			options.Errors = share
			return demo.Run(command.Context(), options)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&options.Keep, "keep", false, "stay up afterwards, until Ctrl-C")
	flags.StringVar(&failures, "canary-errors", "30%", "`share` of its requests that the bad version fails")
	flags.DurationVar(&options.Latency, "canary-latency", 0*time.Second, "`time` that the bad version takes longer")
	return command
}
