package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"haldane/config"
)

// defaultConfig is where packages put the configuration.
const defaultConfig = "/etc/haldane/haldane.yaml"

// checkOptions is what the one who checks knows better.
type checkOptions struct {
	insecureAdmin bool
	withoutFiles  bool
}

// newCheckCommand makes the command that validates a configuration file.
func newCheckCommand(e env) *cobra.Command {
	var o checkOptions
	command := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Validate a configuration file",
		Long: `Validate a configuration file ("-" reads standard input) without starting anything.

All problems are printed at once, each as file:line:column: path: message. Where there is none, what "run" would refuse to
start with is looked for as well: certificates, keys and a read token that cannot be used, and an admin listener that would
speak plain HTTP beyond this machine. Ends with 0 when the file is good, with 1 when it is not.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := e.lookup("HALDANE_CONFIG", defaultConfig)
			if len(args) == 1 {
				path = args[0]
			}
			err := check(e, path, o)
			var problems config.Problems
			if errors.As(err, &problems) {
				return fmt.Errorf("the configuration is not valid:\n%w", err)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(e.stdout, "%s is valid\n", path)
			return err
		},
	}
	flags := command.Flags()
	flags.BoolVar(&o.insecureAdmin, "insecure-admin", false, `take the file as "run --insecure-admin" does`)
	flags.BoolVar(&o.withoutFiles, "without-files", false, "do not open certificates, keys and tokens, which may be on another machine")
	return command
}

// check loads a file and looks for what a start would fail on.
func check(e env, path string, o checkOptions) error {
	c, err := load(e, path)
	if err != nil {
		return err
	}
	var problems config.Problems
	if !o.withoutFiles {
		problems = append(problems, c.CheckFiles()...)
	}
	if !o.insecureAdmin {
		problems = append(problems, c.CheckAdmin()...)
	}
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, config.Problem.Compare)
	return problems
}

// load reads a file, or what comes from standard input as if it were a file of the current folder.
func load(e env, path string) (*config.Config, error) {
	if path != "-" {
		return config.Load(path, e.getenv)
	}
	source, err := io.ReadAll(e.stdin)
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	return config.Parse("stdin", source, e.getenv)
}
