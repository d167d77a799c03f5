package cli

import (
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"haldane/admin"
)

// drillTimeout is how long a command waits for a drill.
const drillTimeout = admin.DrillLongest + 15*time.Second

// drillOrder is the body of a drill, as the API reads it.
type drillOrder struct {
	Service string `json:"service,omitempty"`
	Weight  string `json:"weight,omitempty"`
	Errors  string `json:"errors,omitempty"`
	Rate    int    `json:"rate,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Actor   string `json:"actor,omitempty"`
}

var errNotRolledBack = errors.New("the drill's canary was not rolled back in time: raise --weight or --rate, or the policy does not find this much")

func newDrillCommand(c *connection) *cobra.Command {
	var o drillOrder
	command := &cobra.Command{
		Use:   "drill",
		Short: "Measure how long a rollback takes, without touching a service or a user",
		Long: `Measure how long a rollback takes, without touching a service or a user.

The running process makes a service of its own, with two variants that it plays itself, and sends it requests that it makes
itself. The canary fails; proxy, judge and rollout are the real ones, with the checks and the budget of the policy. What is
measured: failed requests, and the time from the first of them until the verdict, until the revocation, and until the last request
came to the canary. It takes up to half a minute, and ends with 1 when there was no rollback.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			o.Actor = c.env.actor
			return c.drill(command, o)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.Service, "service", "", "try the policy of this `service` (default: the built-in policy careful)")
	flags.StringVar(&o.Weight, "weight", "", "`share` of the drill's requests on its canary (default: that of the policy's first step)")
	flags.StringVar(&o.Errors, "errors", "", "`share` of its requests that fail (default 100%)")
	flags.IntVar(&o.Rate, "rate", 0, "`requests` a second of the drill, up to 1000 (default 200)")
	flags.StringVar(&o.Reason, "reason", "", "why, for the audit")
	return command
}

func (c *connection) drill(command *cobra.Command, o drillOrder) error {
	rolledBack := true
	err := ask(c, func(api *client) ([]byte, error) {
		api.wait(drillTimeout)
		return api.post(command.Context(), "/api/v1/drill", o)
	}, func(w io.Writer, _ *client, d *admin.Drill) error {
		rolledBack = d.RolledBack
		return showDrill(w, d)
	})
	if err == nil && !rolledBack {
		return errNotRolledBack
	}
	return err
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// showDrill is what a drill has measured.
func showDrill(w io.Writer, d *admin.Drill) error {
	err := say(w, "policy %s, %s of %d requests/s on the canary, %s of them failing\n", d.Policy, d.Weight, d.Rate, d.Errors)
	if err != nil {
		return err
	}
	rows := newGrid(w)
	if d.RolledBack {
		rows.row("rolled back by", d.Trigger)
		rows.row("first failure to verdict", d.Verdict.String())
		rows.row("first failure to revocation", d.Revocation.String())
		rows.row("first failure to last request", d.Last.String())
		rows.row("requests after the revocation", number(d.After))
	}
	rows.row("requests", number(d.Requests))
	rows.row("requests on the canary", number(d.Canary))
	rows.row("failed", number(d.Failures))
	if err := rows.flush(); err != nil || d.Rule == "" {
		return err
	}
	return say(w, "\n%s", wrapped(d.Rule, "", "  "))
}
