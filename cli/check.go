package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"haldane/config"
)

// defaultConfig is where packages put the configuration.
const defaultConfig = "/etc/haldane/haldane.yaml"

// newCheckCommand makes the command that validates a configuration file.
func newCheckCommand(e env) *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "Validate a configuration file",
		Long: `Validate a configuration file ("-" reads standard input) without starting anything.

All problems are printed at once, each as file:line:column: path: message. Ends with 0 when the file is good, with 1 when
it is not.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := e.lookup("HALDANE_CONFIG", defaultConfig)
			if len(args) == 1 {
				path = args[0]
			}
			err := check(e, path)
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
}

// check loads a file, or what comes from standard input as if it were a file of the current folder.
func check(e env, path string) error {
	if path != "-" {
		_, err := config.Load(path, e.getenv)
		return err
	}
	source, err := io.ReadAll(e.stdin)
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	_, err = config.Parse("stdin", source, e.getenv)
	return err
}
