// Package cli is the command line: it runs Haldane, checks its configuration, and talks to a running one over its admin API.
//
// It owns flags, environment variables, what is printed and the exit codes. What a command means is decided elsewhere: by
// app for the commands that run something, by the admin API of the running process for all others.
//
// Concurrency: one command runs at a time; what it starts it waits for.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitOK     = 0 // done
	exitFailed = 1 // tried, and did not work
	exitUsage  = 2 // not tried: the command line is wrong
)

// version is set by the linker (-X haldane/cli.version=v1.2.3), which needs a variable.
var version string

// env is what a command sees of the world, so that tests can make one up.
type env struct {
	stdin    io.Reader
	stdout   io.Writer
	stderr   io.Writer
	getenv   func(string) (string, bool)
	terminal bool                                           // stdout is a screen that can be drawn over
	size     func() (columns, rows int)                     // of that screen; nil when it is not known
	resizes  func() (resized <-chan os.Signal, stop func()) // tells when it has another one; nil never tells
	actor    string                                         // who gives orders: user@host
	zone     *time.Location
	version  string // of this program
}

// lookup is an environment variable, or the fallback when it is not set or empty.
func (e env) lookup(name, fallback string) string {
	if value, ok := e.getenv(name); ok && value != "" {
		return value
	}
	return fallback
}

// Main runs the command that the process was started with and returns its exit code: 0 done, 1 failed, 2 wrong usage.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return run(ctx, env{
		stdin:    os.Stdin,
		stdout:   os.Stdout,
		stderr:   os.Stderr,
		getenv:   os.LookupEnv,
		terminal: isTerminal(os.Stdout),
		resizes:  notifyResize,
		size:     func() (int, int) { return terminalSize(os.Stdout) },
		actor:    whoami(),
		zone:     time.Local,
		version:  buildVersion(),
	}, os.Args[1:])
}

// usageError is a command line that makes no sense.
type usageError struct{ text string }

// Error says what is wrong with the command line.
func (e *usageError) Error() string { return e.text }

// wrongUsage makes one.
func wrongUsage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// exitCode is an answer that is given by the exit code; what there is to say has been said.
type exitCode struct{ code int }

// Error is for those who do not look for the code.
func (e *exitCode) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// run runs one command line.
func run(ctx context.Context, e env, args []string) int {
	root := newRoot(e)
	// Whatever fails before a command begins is about the command line: flags, arguments, unknown commands.
	begun := false
	root.PersistentPreRun = func(*cobra.Command, []string) { begun = true }
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	var answer *exitCode
	if errors.As(err, &answer) {
		return answer.code
	}
	fmt.Fprintf(e.stderr, "haldane: %v\n", err)
	var usage *usageError
	if begun && !errors.As(err, &usage) {
		return exitFailed
	}
	fmt.Fprintf(e.stderr, "Usage: %s\nRun '%s --help' for more.\n", command.UseLine(), command.CommandPath())
	return exitUsage
}

// newRoot is the command with all its commands.
func newRoot(e env) *cobra.Command {
	root := &cobra.Command{
		Use:   "haldane",
		Short: "A reverse proxy that releases software",
		Long: `Haldane is a reverse proxy that releases software: it splits live traffic between the old and the new version of a
service, watches every request of both, and moves the weight up, or back to zero, by itself.`,
		Version:       e.version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE:          func(command *cobra.Command, _ []string) error { return command.Help() },
		// Of edits, between what was typed and what may have been meant.
		SuggestionsMinimumDistance: 2,
	}
	root.SetIn(e.stdin)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	root.AddGroup(&cobra.Group{ID: groupProcess, Title: "Run:"}, &cobra.Group{ID: groupRelease, Title: "Release:"})
	c := addConnectionFlags(root, e)
	inGroup(root, groupProcess, newRunCommand(e), newCheckCommand(e, c), newConfigCommand(c), newDemoCommand(e))
	inGroup(root, groupRelease, newReleaseCommands(e, c)...)
	root.AddCommand(newContextCommand(c), newVersionCommand(c))
	root.SetHelpCommand(newHelpCommand(root))
	c.completeNames(root)
	for _, command := range root.Commands() {
		nameArguments(command)
	}
	return root
}

// nameArguments makes a command and those below it say which arguments they take, when they get others.
func nameArguments(command *cobra.Command) {
	for _, below := range command.Commands() {
		nameArguments(below)
	}
	command.SuggestionsMinimumDistance = 2
	accept := command.Args
	if accept == nil {
		return
	}
	command.Args = func(command *cobra.Command, args []string) error {
		err := accept(command, args)
		var usage *usageError
		if err == nil || errors.As(err, &usage) {
			return err
		}
		if command.HasSubCommands() {
			return knownCommand(command, args)
		}
		_, wanted, named := strings.Cut(command.Use, " ")
		if !named {
			wanted = "no arguments"
		}
		given := "none"
		if len(args) > 0 {
			given = strings.Join(args, " ")
		}
		return wrongUsage("%s takes %s, and was given: %s", command.Name(), wanted, given)
	}
}

// The groups of commands in the help text.
const (
	groupProcess = "process"
	groupRelease = "release"
)

// inGroup adds commands under one heading of the help text.
func inGroup(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, command := range commands {
		command.GroupID = group
		root.AddCommand(command)
	}
}

// knownCommand refuses what is no command, and says what may have been meant.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("there is no command %q", args[0])
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return &usageError{text}
}

// newHelpCommand explains a command. Unlike the one that cobra brings it fails when there is no such command.
func newHelpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explain a command",
		RunE: func(_ *cobra.Command, args []string) error {
			command, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return knownCommand(root, args)
			}
			return command.Help()
		},
	}
}

// newVersionCommand prints the version of this program, which need not be that of the running one.
func newVersionCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := c.wantFormat(); err != nil {
				return err
			}
			answer, err := json.Marshal(map[string]string{"version": c.env.version, "go": runtime.Version()})
			if err != nil {
				return fmt.Errorf("write the version: %w", err)
			}
			return c.write(answer, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, "haldane version "+c.env.version)
				return err
			})
		},
	}
}

// buildVersion is what the linker was told, else what the Go tool knows.
func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "dev"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
			return "dev-" + setting.Value[:12]
		}
	}
	return "dev"
}

// isTerminal says whether a file is a screen.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// whoami names the person behind a command, and behind sudo.
func whoami() string {
	name := os.Getenv("SUDO_USER")
	if name == "" {
		name = "unknown"
		if current, err := user.Current(); err == nil {
			name = current.Username
		}
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + host
}
