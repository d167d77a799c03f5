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
	var insecureAdmin, takeOver bool
	command := &cobra.Command{
		Use:   "run",
		Short: "Serve traffic until told to stop",
		Long: `Serve traffic until told to stop.

SIGHUP reads the configuration again. SIGTERM and SIGINT stop: the process says that it is not ready, goes on for
timeouts.shutdown_delay, takes no new connections, lets requests in flight finish within timeouts.drain, and ends with 0. A
second one cuts what is left and still stores the rollouts; a third one kills.

With --take-over it takes the place of the process that runs with the same admin socket: its sockets, without losing a
connection, and its rollouts. That one drains and ends.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return wrongUsage("run takes no argument %q; name the configuration with --config", args[0])
			}
			return nil
		},
		RunE: func(command *cobra.Command, _ []string) error {
			exposure := admin.Guarded
			if insecureAdmin {
				exposure = admin.Insecure
			}
			begin := app.Fresh
			if takeOver {
				begin = app.TakeOver
			}
			a, err := app.New(app.Options{
				Start:      begin,
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
	command.Flags().BoolVar(&takeOver, "take-over", false, "take the place of the running process")
	command.Flags().BoolVar(&insecureAdmin, "insecure-admin", false, "let the admin listener speak plain HTTP on any address")
	return command
}

// serve runs until the context ends, with SIGHUP as the signal to reload. A second signal to stop cuts the drain short, a
// third one kills the process, because nobody listens for it any more.
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
			return drain(a, done)
		case err := <-done:
			return err
		}
	}
}

// drain waits for the end.
func drain(a *app.App, done <-chan error) error {
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(again)
	select {
	case <-again:
		signal.Reset(syscall.SIGTERM, syscall.SIGINT)
		a.Cut()
		return <-done
	case err := <-done:
		return err
	}
}
