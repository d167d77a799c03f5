package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"haldane/admin"
	"haldane/report"
	"haldane/rollout"
)

// endedList is the answer of /api/v1/history.
type endedList struct {
	Ended []report.Summary `json:"ended"`
}

// auditList is the answer of /api/v1/audit.
type auditList struct {
	Audit []rollout.AuditEntry `json:"audit"`
}

func newHistoryCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "history [SERVICE]",
		Short: "Show what happened in a rollout, why, and on whose order; and which rollouts have ended",
		Long: `Show what happened in the rollout of a service, why, and on whose order; and which of its rollouts have ended.

Without a service: which rollouts of all services have ended. The command report shows one of them.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.endedAll(command.Context())
			}
			return get(command.Context(), c, servicePath(args[0], "history"), func(w io.Writer, _ *client, list *admin.History) error {
				return c.showPast(w, list)
			})
		},
	}
}

// servicePath is the path of something of a service.
func servicePath(service, below string) string {
	return "/api/v1/services/" + url.PathEscape(service) + "/" + below
}

// endedAll shows the ended rollouts of all services.
func (c *connection) endedAll(ctx context.Context) error {
	return get(ctx, c, "/api/v1/history", func(w io.Writer, _ *client, list *endedList) error {
		if len(list.Ended) == 0 {
			return say(w, "no rollout has ended yet\n")
		}
		return showEnded(w, list.Ended, c.env.zone)
	})
}

// showPast shows what happened in the rollout of a service, and those before it.
func (c *connection) showPast(w io.Writer, list *admin.History) error {
	if len(list.Events) > 0 || len(list.Ended) == 0 {
		if err := showHistory(w, list.Events, c.env.zone); err != nil {
			return err
		}
	}
	if len(list.Ended) == 0 {
		return nil
	}
	if len(list.Events) > 0 {
		if err := say(w, "\n"); err != nil {
			return err
		}
	}
	return showEnded(w, list.Ended, c.env.zone)
}

// showEnded is a table of ended rollouts.
func showEnded(w io.Writer, ended []report.Summary, zone *time.Location) error {
	rows := newGrid(w)
	rows.row("ENDED", "SERVICE", "RELEASE", "RESULT", "TOOK", "REPORT", "RULE")
	for i := range ended {
		s := &ended[i]
		rows.row(day(s.Ended, zone), s.Service, s.Stable+" -> "+s.Canary, string(s.Result),
			s.Took().Round(time.Second).String(), s.ID, s.Rule)
	}
	return rows.flush()
}

func newReportCommand(c *connection) *cobra.Command {
	var format string
	command := &cobra.Command{
		Use:   "report SERVICE | ID",
		Short: "Show the report on a rollout that has ended",
		Long: `Show the report on a rollout that has ended: by its id, or the last one of a service. The command history lists the ids.

With --format html it is a page that needs nothing else: haldane report shop --format html > shop.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			switch format {
			case "", "markdown", "html", formatJSON:
			default:
				return wrongUsage("--format: %q is none of markdown, html, json", format)
			}
			api, err := c.open()
			if err != nil {
				return err
			}
			defer api.close()
			return c.report(command.Context(), api, args[0], format)
		},
	}
	command.Flags().StringVar(&format, "format", "", "`form` of the report: markdown, html or json (default markdown)")
	_ = command.RegisterFlagCompletionFunc("format", words("markdown", "html", formatJSON)) // it fails for flags that are not there
	return command
}

// report shows one report. The form wins over the format of the output, which is there for every command.
func (c *connection) report(ctx context.Context, api *client, name, form string) error {
	asked := form
	switch {
	case form == "" && c.output == formatTable:
		asked = "markdown"
	case form == "":
		asked = formatJSON
	}
	answer, err := api.get(ctx, reportPath(name, asked))
	var refused *answerError
	if errors.As(err, &refused) && refused.status == http.StatusNotFound {
		id, found := c.lastOf(ctx, api, name)
		if !found {
			return err
		}
		answer, err = api.get(ctx, reportPath(id, asked))
	}
	if err != nil {
		return err
	}
	switch {
	case form == "" && c.output != formatTable:
		return c.write(answer, nil)
	case asked == formatJSON:
		return writeJSON(c.env.stdout, answer)
	}
	_, err = io.WriteString(c.env.stdout, printable(string(bytes.TrimSpace(answer)))+"\n")
	return err
}

// lastOf is the id of the rollout of the service that ended last; false when there is none.
func (c *connection) lastOf(ctx context.Context, api *client, service string) (string, bool) {
	answer, err := api.get(ctx, servicePath(service, "history"))
	if err != nil {
		return "", false
	}
	var list admin.History
	if api.decode(answer, &list) != nil || len(list.Ended) == 0 {
		return "", false
	}
	return list.Ended[0].ID, true
}

func reportPath(id, format string) string {
	return "/api/v1/reports/" + url.PathEscape(id) + "?format=" + url.QueryEscape(format)
}

func newAuditCommand(c *connection) *cobra.Command {
	var limit int
	command := &cobra.Command{
		Use:   "audit",
		Short: "Show who ordered what, when and why, the latest first",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			path := "/api/v1/audit?limit=" + strconv.Itoa(limit)
			return get(command.Context(), c, path, func(w io.Writer, _ *client, list *auditList) error {
				return showAudit(w, list.Audit, c.env.zone)
			})
		},
	}
	command.Flags().IntVar(&limit, "limit", 100, "`number` of orders, up to 10000")
	return command
}

// showAudit is a table of orders.
func showAudit(w io.Writer, entries []rollout.AuditEntry, zone *time.Location) error {
	if len(entries) == 0 {
		return say(w, "nothing was ordered yet\n")
	}
	rows := newGrid(w)
	rows.row("TIME", "BY", "SERVICE", "ORDER", "BEFORE", "AFTER", "REASON")
	for i := range entries {
		e := &entries[i]
		rows.row(day(e.Time, zone), e.Actor, e.Service, orderOf(e), standing(&e.Before), standing(&e.After), e.Reason)
	}
	return rows.flush()
}

// orderOf is a command with what it says.
func orderOf(e *rollout.AuditEntry) string {
	text := string(e.Command)
	if e.Variant != "" {
		text += " " + e.Variant
	}
	if e.Result != "" {
		text += ": " + e.Result
	}
	if e.Weight != nil {
		text += " " + e.Weight.String()
	}
	if e.Item != "" {
		text += " " + e.Item
	}
	if e.Force {
		text += " --force"
	}
	return text
}

// standing is where a rollout was, in a few words.
func standing(s *rollout.Standing) string {
	text := s.Phase.String()
	if s.Pause != "" {
		text += " (" + string(s.Pause) + ")"
	}
	text = fmt.Sprintf("%s, step %d, %s", text, s.Step+1, s.Weight)
	if s.Override != "" {
		text += ", all to " + s.Override
	}
	return text
}
