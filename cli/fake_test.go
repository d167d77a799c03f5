package cli

import (
	"bytes"
	"context"
	"flag"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"haldane/admin"
	"haldane/analysis"
	"haldane/config"
	"haldane/report"
	"haldane/rollout"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) {
	if os.Getenv(asItself) != "" {
		os.Exit(Main())
	}
	flag.Parse()
	goleak.VerifyTestMain(m,
		// fasthttp's clock is started with its first server and runs for ever.
		goleak.IgnoreTopFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

const (
	secret  = "0123456789abcdef0123456789abcdef"
	onePart = config.Whole / 100 // one percent
)

// fake is a manager with fixed rollouts that remembers what it was told.
type fake struct {
	views         []rollout.View
	configuration admin.Configuration

	mu       sync.Mutex
	commands []ordered
	err      error // of every command
	ended    []report.Report
	audit    []rollout.AuditEntry
}

func (f *fake) History(service string) ([]report.Summary, error) {
	var list []report.Summary
	for i := range f.ended {
		if service == "" || f.ended[i].Service == service {
			list = append(list, f.ended[i].Summary)
		}
	}
	return list, nil
}

func (f *fake) Report(id string) (report.Report, error) {
	for i := range f.ended {
		if f.ended[i].ID == id {
			return f.ended[i], nil
		}
	}
	return report.Report{}, rollout.ErrNoReport
}

func (f *fake) Audit(most int) ([]rollout.AuditEntry, error) {
	return f.audit[:min(most, len(f.audit))], nil
}

type ordered struct {
	Service string
	Command rollout.Command
}

func (f *fake) Views() []rollout.View { return f.views }

func (f *fake) View(service string) (rollout.View, bool) {
	for _, view := range f.views {
		if view.Service == service {
			return view, true
		}
	}
	return rollout.View{}, false
}

func (f *fake) Do(service string, command rollout.Command) (rollout.View, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commands = append(f.commands, ordered{service, command})
	view, ok := f.View(service)
	if !ok {
		return view, rollout.ErrUnknown
	}
	return view, f.err
}

func (f *fake) AbortAll(order rollout.Command) ([]rollout.View, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commands = append(f.commands, ordered{"*", order})
	return f.views, f.err
}

func (f *fake) Subscribe(int) (<-chan rollout.Event, func()) { return nil, func() {} }

// taken is what was ordered since the last call.
func (f *fake) taken() []ordered {
	f.mu.Lock()
	defer f.mu.Unlock()
	commands := f.commands
	f.commands = nil
	return commands
}

// moment is when everything happens in the tests.
func moment(seconds int) time.Time {
	return time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

// shop is a rollout in its second step, held.
func shop() rollout.View {
	check := analysis.CheckVerdict{
		Name: "errors", Class: analysis.Marginal, Score: 41, CanaryBad: 95, CanaryTotal: 4120, StableBad: 148, StableTotal: 37080,
		CanaryRate: 0.0231, StableRate: 0.004, Allowed: 0.0054, Evidence: 37.2, Needed: 200,
	}
	throttled := analysis.CheckVerdict{
		Name: "throttled", Class: analysis.Marginal, Score: 47, Critical: true, Group: "events",
		CanaryBad: 49, CanaryTotal: 4120, StableBad: 37, StableTotal: 37080,
		CanaryRate: 0.0119, StableRate: 0.001, Allowed: 0.0111, Evidence: 1.8, Needed: 400,
	}
	left := throttled
	left.Name, left.Class, left.Score, left.Muted, left.CanaryRate, left.Evidence = "left", analysis.Fail, 0, true, 0.09, 1e4
	return rollout.View{
		Service: "shop", ID: "ab12cd34ef56", Attempt: 1, Stable: "v1", Canary: "v2", Policy: "careful",
		Phase: rollout.PhaseProgressing, Hold: rollout.HoldNoTraffic, Reason: "no canary traffic for 30s",
		Next: "step 3 of 4: 25%", WaitingFor: []string{"3m40s of 5m are left"}, Notes: []string{"few users are on the canary"},
		Weight: 5 * onePart, Step: 1, Steps: 4,
		Stage:   rollout.StageView{Name: "5%", Elapsed: config.Duration(80 * time.Second), Duration: config.Duration(5 * time.Minute)},
		Verdict: analysis.Verdict{Class: analysis.Marginal, Score: 41, Text: "canary 2.31 % of 4,120 failed", Checks: []analysis.CheckVerdict{check, left, throttled}},
		Budget:  rollout.BudgetView{Limit: 100, Spent: 95, Left: 5},
		History: []rollout.Event{
			{Sequence: 1, Time: moment(0), Service: "shop", Kind: rollout.EventStarted, Weight: onePart},
			{Sequence: 2, Time: moment(300), Service: "shop", Kind: rollout.EventStep, Step: 1, Weight: 5 * onePart, Reason: "step 1 is done", Numbers: "canary 0.1 % failed"},
			{Sequence: 3, Time: moment(400), Service: "shop", Kind: rollout.EventPaused, Step: 1, Weight: 5 * onePart, Actor: "ann@desk", Reason: "lunch"},
		},
	}
}

// cart is a rollout that was rolled back, with text that was not written by friends.
func cart() rollout.View {
	return rollout.View{
		Service: "cart", ID: "001122334455", Attempt: 2, Stable: "v7", Canary: "v8", Policy: "fast", Phase: rollout.PhaseRolledBack,
		Reason: "the check \x1b[2Jerrors failed\u202e", Next: "another canary, or retry", Steps: 1,
		Verdict: analysis.Verdict{Class: analysis.Fail, Text: "canary 50 % failed", Checks: []analysis.CheckVerdict{{Name: "errors", Class: analysis.Fail}}},
	}
}

// start runs the real admin side over a fake manager, on a socket and on a port.
func start(t *testing.T, f *fake) (socket, address string) {
	t.Helper()
	return startGuarded(t, f, "")
}

// startGuarded does so with a read token; "" is none.
func startGuarded(t *testing.T, f *fake, read config.Secret) (socket, address string) {
	t.Helper()
	directory, err := os.MkdirTemp("", "hc") // t.TempDir can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	socket = filepath.Join(directory, "h.sock")
	server, err := admin.New(admin.Options{
		Config:   config.Admin{Address: "127.0.0.1:0", Socket: socket, Token: secret, ReadToken: read},
		Rollouts: f,
		Archive:  f,
		Services: func() []admin.Service {
			return []admin.Service{{Name: "quiet", Variants: []admin.Variant{{Name: "v1"}, {Name: "v2"}}}}
		},
		Gatherer: prometheus.NewRegistry(),
		Drill:    drillOf,

		Configuration: func() admin.Configuration { return f.configuration },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return socket, server.Addr().String()
}

// result is what a command did.
type result struct {
	code           int
	stdout, stderr string
}

// invoke runs a command line without environment.
func invoke(t *testing.T, args ...string) result {
	t.Helper()
	return invokeWith(t, nil, args...)
}

// invokeWith runs a command line with an environment.
func invokeWith(t *testing.T, environment map[string]string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	e := env{
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, actor: "ann@desk", zone: time.UTC, version: "v1.2.3",
		getenv: func(name string) (string, bool) { value, ok := environment[name]; return value, ok },
	}
	code := run(t.Context(), e, args)
	return result{code, stdout.String(), stderr.String()}
}

// golden compares with the file of that name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := name + ".golden"
	if !filepath.IsAbs(name) {
		path = filepath.Join("testdata", path)
	}
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (run with -update if this is right): %s", path, diff)
	}
}

// closedAddress is an address where nobody listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}
