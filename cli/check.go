package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

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
func newCheckCommand(e env, c *connection) *cobra.Command {
	var o checkOptions
	f := forecast{errors: config.Whole / 1000, over: 10 * time.Second}
	command := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Validate a configuration file, and say what its releases can find out",
		Long: `Validate a configuration file ("-" reads standard input) without starting anything.

All problems are printed at once, each as file:line:column: path: message. Where there is none, what "run" would refuse to
start with is looked for as well: certificates, keys, tokens and secrets that cannot be used, and an admin listener that would
speak plain HTTP beyond this machine. Ends with 0 when the file is good, with 1 when it is not.

A good file is followed by each policy in use: in words, as a timeline, and with a forecast of how long a release takes, and how
bad a canary must be to be found in 4 of 5 cases before it is promoted. With --rate it is told step by step for that traffic,
and how soon half of the rollouts would find a canary that fails more often; with --from-live for the traffic that each service
of the running process has now. Factors of latency suppose that stable's p99 is four times its median.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if err := c.wantFormat(); err != nil {
				return err
			}
			if err := f.validate(); err != nil {
				return err
			}
			path := e.lookup("HALDANE_CONFIG", defaultConfig)
			if len(args) == 1 {
				path = args[0]
			}
			return c.check(command.Context(), path, o, f)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&o.insecureAdmin, "insecure-admin", false, `take the file as "run --insecure-admin" does`)
	flags.BoolVar(&o.withoutFiles, "without-files", false, "do not open certificates, keys, tokens and secrets, which may be on another machine")
	flags.Float64Var(&f.rate, "rate", 0, "`requests` per second of a service, to forecast its release step by step")
	flags.BoolVar(&f.live, "from-live", false, "take rate and errors of each service from the running process")
	flags.DurationVar(&f.over, "over", f.over, "look at live traffic for this `time`")
	flags.Var(percentFlag{&f.errors}, "errors", "stable's error `rate` that the forecast supposes")
	return command
}

// check loads a file and looks for what a start would fail on.
func check(e env, path string, o checkOptions) (*config.Config, error) {
	c, err := load(e, path)
	if err != nil {
		return nil, err
	}
	var problems config.Problems
	if !o.withoutFiles {
		problems = append(problems, c.CheckFiles()...)
	}
	if !o.insecureAdmin {
		problems = append(problems, c.CheckAdmin()...)
	}
	if len(problems) == 0 {
		return c, nil
	}
	slices.SortStableFunc(problems, config.Problem.Compare)
	return nil, problems
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

// check checks a file and prints what is found.
func (c *connection) check(ctx context.Context, path string, o checkOptions, f forecast) error {
	cfg, err := check(c.env, path, o)
	var problems config.Problems
	if errors.As(err, &problems) {
		return c.checked(checkResult{File: path, Problems: findings(problems)}, fmt.Errorf("the configuration is not valid:\n%w", err))
	}
	if err != nil {
		return err
	}
	result := checkResult{File: path, Valid: true, Problems: []finding{}}
	if !f.live {
		result.Forecasts = f.of(cfg)
		return c.checked(result, nil)
	}
	live, err := c.live(ctx, f.over)
	if err != nil {
		return err
	}
	result.Forecasts = f.ofLive(cfg, live)
	return c.checked(result, nil)
}

// checkResult is what the command found, and its JSON.
type checkResult struct {
	File      string           `json:"file"`
	Valid     bool             `json:"valid"`
	Problems  []finding        `json:"problems"`
	Forecasts []policyForecast `json:"forecasts,omitempty"`
}

// finding is one problem, and its JSON.
type finding struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
}

func findings(problems config.Problems) []finding {
	list := make([]finding, 0, len(problems))
	for _, p := range problems {
		list = append(list, finding(p))
	}
	return list
}

// checked prints the result. Problems go to people as an error, and to programs as data; both end with a failure.
func (c *connection) checked(r checkResult, bad error) error {
	if c.output == formatTable {
		if bad != nil {
			return bad
		}
		return showChecked(c.env.stdout, &r)
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	if err := c.write(text, nil); err != nil {
		return err
	}
	return bad
}

// percentFlag is a share on the command line.
type percentFlag struct{ value *config.Percent }

// String is the value as it is written; the flag library asks for it.
func (p percentFlag) String() string {
	if p.value == nil {
		return ""
	}
	return p.value.String()
}

// Set reads "5%" or a bare number of percent.
func (p percentFlag) Set(text string) (err error) {
	*p.value, err = config.ParsePercent(text)
	return err
}

// Type is what the help calls the value.
func (p percentFlag) Type() string { return "percent" }
