package cli

import (
	"github.com/spf13/cobra"

	"haldane/cli/demo"
	"haldane/config"
)

// newSampleCommand makes the command that answers as one version of a sample service.
func newSampleCommand() *cobra.Command {
	var sample demo.Sample
	var failures, latency string
	command := &cobra.Command{
		Use:   "backend",
		Short: "Answer as one version of a sample service, with a knob for faults",
		Long: `Answer as one version of a sample service, until Ctrl-C. It can be made to fail while it runs:

  curl -d errors=30% -d latency=50ms 127.0.0.1:9002/-/fault`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			share, err := config.ParsePercent(failures)
			if err != nil {
				return wrongUsage("--errors: %v", err)
			}
			sample.Errors = share
			if sample.Latency, err = parseLatency(latency); err != nil {
				return wrongUsage("--latency: %v", err)
			}
			return sample.Run(command.Context())
		},
	}
	flags := command.Flags()
	flags.StringVar(&sample.Name, "name", "v1", "`name` of the version, which it answers")
	flags.StringVar(&sample.Listen, "listen", "127.0.0.1:9001", "`address` to answer at")
	flags.StringVar(&failures, "errors", "0%", "`share` of its requests that it fails")
	flags.StringVar(&latency, "latency", "0s", "`time` that it waits before each answer")
	return command
}

// newLoadCommand makes the command that sends paced requests.
func newLoadCommand() *cobra.Command {
	var load demo.Load
	command := &cobra.Command{
		Use:   "load",
		Short: "Send paced requests to a service, until Ctrl-C",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if load.Rate <= 0 {
				return wrongUsage("--rate: at least 1 request a second")
			}
			return load.Run(command.Context())
		},
	}
	flags := command.Flags()
	flags.StringVar(&load.Address, "address", "127.0.0.1:8080", "`address` of the service")
	flags.IntVar(&load.Rate, "rate", 100, "`requests` a second")
	return command
}
