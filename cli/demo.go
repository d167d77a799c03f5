package cli

import (
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"haldane/cli/demo"
	"haldane/config"
)

// newDemoCommand makes the command that shows a good and a bad release.
func newDemoCommand(e env) *cobra.Command {
	options := demo.Options{Out: e.stdout, Terminal: e.terminal, Version: e.version}
	var failures, latency string
	command := &cobra.Command{
		Use:   "demo",
		Short: "Show a good and a bad release, in under a minute",
		Long: `Show a good and a bad release: three sample versions of a service, the real proxy and a paced load, in one process.
The good version is promoted, the bad one is rolled back. It says where to watch in a browser.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			share, err := config.ParsePercent(failures)
			if err != nil {
				return wrongUsage("--canary-errors: %v", err)
			}
			options.Errors = share
			if options.Latency, err = parseLatency(latency); err != nil {
				return wrongUsage("--canary-latency: %v", err)
			}
			return demo.Run(command.Context(), options)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&options.Keep, "keep", false, "stay up afterwards, until Ctrl-C")
	flags.StringVar(&failures, "canary-errors", "30%", "`share` of its requests that the bad version fails")
	flags.StringVar(&latency, "canary-latency", "0s", "`time` that the bad version takes longer, such as +30ms")
	command.AddCommand(newSampleCommand(), newLoadCommand())
	return command
}

// parseLatency reads a duration as the configuration does; a plus in front is welcome.
func parseLatency(text string) (time.Duration, error) {
	d, err := config.ParseDuration(strings.TrimPrefix(text, "+"))
	if err == nil && d < 0 {
		err = errors.New("it cannot be negative")
	}
	return time.Duration(d), err
}
