package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"haldane/admin"
	"haldane/app"
)

// newRunCommand makes the command that serves.
func newRunCommand(e env) *cobra.Command {
	var path string
	var insecureAdmin bool
	command := &cobra.Command{
		Use:   "run",
		Short: "Serve traffic until told to stop",
		Long: `Serve traffic until told to stop.

SIGHUP reads the configuration again. SIGTERM and SIGINT drain: no new connections, requests in flight finish within
timeouts.drain, then the process ends with 0. A second one ends it at once.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			exposure := admin.Guarded
			if insecureAdmin {
				exposure = admin.Insecure
			}
			a, err := app.New(app.Options{
				ConfigPath: path,
				Getenv:     e.getenv,
				Version:    e.version,
				Exposure:   exposure,
			})
			if err != nil {
				return err
			}
			return serve(command.Context(), a)
		},
	}
	command.Flags().StringVarP(&path, "config", "c", e.lookup("HALDANE_CONFIG", defaultConfig), "configuration `file` (HALDANE_CONFIG)")
	command.Flags().BoolVar(&insecureAdmin, "insecure-admin", false, "let the admin listener speak plain HTTP on any address")
	return command
}

// serve runs until the context ends, with SIGHUP as the signal to reload. Once draining, a second signal to stop kills the
// process, because nobody listens for it any more.
func serve(ctx context.Context, a *app.App) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	for {
		select {
		case <-hangups:
			// The error is logged, counted and shown by the API; the old configuration serves on.
			_ = a.Reload()
		case <-ctx.Done():
			signal.Reset(syscall.SIGTERM, syscall.SIGINT)
			return <-done
		case err := <-done:
			return err
		}
	}
}
