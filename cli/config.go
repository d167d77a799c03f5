package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"haldane/admin"
	"haldane/schema"
)

// newConfigCommand gathers the commands about the configuration file.
func newConfigCommand(c *connection) *cobra.Command {
	command := &cobra.Command{
		Use:   "config",
		Short: "Show, compare and describe configurations",
		Args:  knownCommand,
		RunE:  func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(newSchemaCommand(c), newPrintCommand(c), newDiffCommand(c))
	return command
}

func newSchemaCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration file, for editors",
		Long: `Print the JSON Schema (2020-12) of the configuration file, for editors.

Editors that know the YAML language server read a file's schema from its first line:
  # yaml-language-server: $schema=/etc/haldane/haldane.schema.json
It knows the shape of the file. Whether what is written makes sense is said by "haldane check".`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := c.wantFormat(); err != nil {
				return err
			}
			if c.output == formatYAML {
				return writeYAML(c.env.stdout, schema.Configuration)
			}
			_, err := c.env.stdout.Write(schema.Configuration)
			return err
		},
	}
}

func newPrintCommand(c *connection) *cobra.Command {
	command := &cobra.Command{
		Use:   "print [FILE]",
		Short: "Print a configuration with every default filled in",
		Long: `Print the configuration that the running Haldane has in force, or that of a file ("-" reads standard input), with every default filled in,
variables replaced and secrets hidden. With --output json or yaml it is printed in that format; a table is YAML, too.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			text, err := c.effective(command.Context(), args)
			if err != nil {
				return err
			}
			if c.output != formatJSON {
				_, err = io.WriteString(c.env.stdout, printable(text))
				return err
			}
			tree, err := parseTree(text)
			if err != nil {
				return err
			}
			answer, err := json.Marshal(tree)
			if err != nil {
				return fmt.Errorf("write the configuration: %w", err)
			}
			return writeJSON(c.env.stdout, answer)
		},
	}
	command.Flags().Bool("effective", true, "with every default; this is what is printed in any case")
	return command
}

// effective is a configuration as it is in effect, in YAML: that of a file, or that in force.
func (c *connection) effective(ctx context.Context, files []string) (string, error) {
	if err := c.wantFormat(); err != nil {
		return "", err
	}
	if len(files) == 0 {
		return c.inForce(ctx)
	}
	cfg, err := load(c.env, files[0])
	if err != nil {
		return "", fmt.Errorf("the configuration is not valid:\n%w", err)
	}
	text, err := cfg.Dump()
	return string(text), err
}

// inForce asks the running Haldane.
func (c *connection) inForce(ctx context.Context) (string, error) {
	api, err := c.open()
	if err != nil {
		return "", err
	}
	defer api.close()
	answer, err := api.get(ctx, "/api/v1/config")
	if err != nil {
		return "", err
	}
	var state admin.Configuration
	return state.Effective, api.decode(answer, &state)
}

func newDiffCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "diff FILE [OTHER]",
		Short: "Show what a file would change, and what becomes of the rollouts",
		Long: `Show what a file would change in the configuration that the running Haldane has in force, or by what two files differ, key by key with
every default filled in; and then what becomes of the rollouts. Secrets are hidden, so that two of them look the same.

Ends like diff(1): with 0 when nothing would change, with 1 when something would, with 2 when it cannot be said.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(command *cobra.Command, args []string) error {
			d, err := c.difference(command.Context(), args)
			if err == nil {
				err = c.showDifference(d)
			}
			switch {
			case err != nil:
				_ = say(c.env.stderr, "haldane: %v\n", err) // there is nowhere to say more
				return &exitCode{exitUsage}
			case len(d.Changes) > 0:
				return &exitCode{exitFailed}
			}
			return nil
		},
	}
}

// difference compares what two arguments name, or what is in force with what one names.
func (c *connection) difference(ctx context.Context, files []string) (*difference, error) {
	last := files[len(files)-1:]
	before, err := c.effective(ctx, files[:len(files)-1])
	if err != nil {
		return nil, err
	}
	after, err := c.effective(ctx, last)
	if err != nil {
		return nil, err
	}
	return compareConfigurations(before, after)
}

func (c *connection) showDifference(d *difference) error {
	answer, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("write the difference: %w", err)
	}
	return c.write(answer, d.show)
}
