package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// newContextCommand gathers the commands about named connections.
func newContextCommand(c *connection) *cobra.Command {
	command := &cobra.Command{
		Use:   "context",
		Short: "List the named connections, and choose one",
		Long: `List the named connections, and choose one.

They are kept in ~/.config/haldane/contexts.yaml, or in the file that HALDANE_CONTEXTS names:

  current: production
  contexts:
    production: {address: "https://haldane.example.com:9901", token_file: production.token, ca_file: ca.pem}
    here: {socket: /var/lib/haldane/haldane.sock}

Files are relative to that one. --socket and --address go before --context, that before HALDANE_CONTEXT, HALDANE_SOCKET and
HALDANE_ADDRESS, and these before the current context.`,
		Args: knownCommand,
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(newContextListCommand(c), newContextUseCommand(c))
	return command
}

func newContextListCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the named connections; the current one has a star",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := c.wantFormat(); err != nil {
				return err
			}
			all, err := readContexts(c.env)
			if err != nil {
				return err
			}
			answer, err := json.Marshal(all)
			if err != nil {
				return fmt.Errorf("write the contexts: %w", err)
			}
			return c.write(answer, func(w io.Writer) error { return showContexts(w, all) })
		},
	}
}

func showContexts(w io.Writer, all *contexts) error {
	if len(all.Contexts) == 0 {
		return say(w, "no contexts: write them to %s; see haldane context --help\n", all.place())
	}
	rows := newGrid(w)
	rows.row("CURRENT", "NAME", "WHERE", "TOKEN", "CA")
	for _, name := range all.names() {
		t, mark := all.Contexts[name], " "
		if name == all.Current {
			mark = "*"
		}
		rows.row(mark, name, t.Address+t.Socket, t.TokenFile, t.CAFile)
	}
	return rows.flush()
}

func newContextUseCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:               "use NAME",
		Short:             "Make a named connection the one that is used",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: c.contextNames,
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := readContexts(c.env)
			if err != nil {
				return err
			}
			if err := all.use(args[0]); err != nil {
				return err
			}
			return say(c.env.stdout, "%s is used from now on\n", args[0])
		},
	}
}
