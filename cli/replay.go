package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"haldane/config"
	"haldane/report"
	"haldane/rollout"
)

// replayOptions is what is judged again, and how.
type replayOptions struct {
	file   string // the configuration with the policy
	policy string // its name; "" for that of the rollout
}

// replayResult is what the command found, and its JSON.
type replayResult struct {
	Recorded report.Summary `json:"recorded"`
	// Failed is how many canary requests failed in the recorded rollout.
	Failed uint64         `json:"recorded_canary_failed"`
	Policy string         `json:"policy"`
	Replay rollout.Replay `json:"replay"`
}

func newReplayCommand(e env, c *connection) *cobra.Command {
	var o replayOptions
	command := &cobra.Command{
		Use:   "replay SERVICE | ID",
		Short: "Judge a rollout that has ended again, under another policy",
		Long: `Judge a rollout that has ended again, under another policy: what would have happened, when, and with how many failed requests.

The rollout is named by its id, or it is the last one of a service. The policy is one of a configuration file, by default the one with the
name that the rollout's had. Nothing in the running process changes.

Only what was seen can be judged. Where the policy exposes fewer users than were exposed, requests are left out; where it exposes
more, or takes longer than the rollout did, nobody knows what they would have met, and the replay says so.`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if err := c.wantFormat(); err != nil {
				return err
			}
			return c.replay(command.Context(), args[0], o)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.file, "file", e.lookup("HALDANE_CONFIG", defaultConfig), "configuration `file` with the policy")
	flags.StringVar(&o.policy, "policy", "", "`name` of the policy (default: that of the rollout)")
	return command
}

func (c *connection) replay(ctx context.Context, name string, o replayOptions) error {
	cfg, err := load(c.env, o.file)
	if err != nil {
		return err
	}
	recorded, err := c.recorded(ctx, name)
	if err != nil {
		return err
	}
	if o.policy == "" {
		o.policy = recorded.Policy
	}
	policy, known := cfg.Policies[o.policy]
	if own, label := cfg.Release(recorded.Service); !known && label == o.policy { // what the service lays over a policy has no other name
		policy, known = own, true
	}
	policy = policy.Steady()
	switch {
	case !known:
		return fmt.Errorf("%s has no policy %q", o.file, o.policy)
	case len(policy.Steps) == 0:
		return fmt.Errorf("the policy %q has no steps", o.policy)
	case recorded.Recording == nil || recorded.Recording.Lasts() == 0:
		return fmt.Errorf("nothing was recorded of rollout %s; state.record: true in the configuration records those to come", recorded.ID)
	}
	r := replayResult{Recorded: recorded.Summary, Policy: o.policy, Replay: rollout.NewReplay(recorded.Recording, &policy)}
	if len(recorded.Variants) > 1 {
		r.Failed = recorded.Variants[1].Failed
	}
	if late := recorded.Recording.Began.Sub(recorded.Started); late > time.Minute {
		r.Replay.Notes = append(r.Replay.Notes, fmt.Sprintf("the recording begins %s after the rollout did: the process was restarted", config.Duration(late.Round(time.Second))))
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return c.write(text, func(w io.Writer) error { return showReplay(w, &r) })
}

// recorded is the report of a rollout with its recording.
func (c *connection) recorded(ctx context.Context, name string) (*report.Report, error) {
	api, err := c.open()
	if err != nil {
		return nil, err
	}
	defer api.close()
	const recording = "&recording=true"
	answer, err := api.get(ctx, reportPath(name, formatJSON)+recording)
	var refused *answerError
	if errors.As(err, &refused) && refused.status == http.StatusNotFound {
		id, found := c.lastOf(ctx, api, name)
		if !found {
			return nil, err
		}
		answer, err = api.get(ctx, reportPath(id, formatJSON)+recording)
	}
	if err != nil {
		return nil, err
	}
	r, err := report.Parse(answer)
	return &r, err
}

// showReplay compares what was with what would have been.
func showReplay(w io.Writer, r *replayResult) error {
	rows := newGrid(w)
	rows.row("", "POLICY", "RESULT", "AFTER", "FAILED CANARY REQUESTS")
	rows.row("recorded", r.Recorded.Policy, string(r.Recorded.Result), r.Recorded.Took().Round(time.Second).String(), number(r.Failed))
	result := r.Replay.Phase.String()
	if !r.Replay.Ended {
		result += ", undecided"
	}
	rows.row("replayed", r.Policy, result, r.Replay.After.String(), number(r.Replay.Failed))
	if err := rows.flush(); err != nil {
		return err
	}
	if r.Replay.Rule != "" {
		if err := say(w, "\n%s", wrapped(r.Replay.Rule, "", "  ")); err != nil {
			return err
		}
	}
	if err := say(w, "\n"); err != nil {
		return err
	}
	for i := range r.Replay.Moments {
		m := &r.Replay.Moments[i]
		after := config.Duration(m.Time.Sub(r.Replay.Began).Round(time.Second))
		if err := say(w, "%s", wrapped(fmt.Sprintf("after %s: %s, %s on the canary: %s", after, m.Kind, m.Weight, m.Reason), "  ", "    ")); err != nil {
			return err
		}
	}
	for _, note := range r.Replay.Notes {
		if err := say(w, "%s", wrapped("note: "+note, "", "  ")); err != nil {
			return err
		}
	}
	return nil
}
