package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"haldane/report"
)

// recordedShop is a fake with a rollout of 5 % of 100 requests a second, of which the canary failed one in five, for two minutes.
func recordedShop() *fake {
	f := past()
	var r report.Recording
	for second := range 120 {
		one := report.Row{
			Canary: [2]uint64{5, 1}, Stable: [2]uint64{95, 0},
			Draws: []report.Draw{{Stratum: 1, Weight: 5 * onePart, Canary: [2]uint64{5, 1}, Stable: [2]uint64{95, 0}}},
		}
		r.Add(moment(second), &one, nil)
	}
	f.ended[0].Recording = &r
	f.ended[0].Variants = []report.Variant{{Name: "v1", Role: "stable"}, {Name: "v2", Role: "canary", Requests: 600, Failed: 120}}
	return f
}

func TestReplayOutputs(t *testing.T) {
	goldens, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	socket, _ := start(t, recordedShop())
	inFolder(t, "haldane.yaml", strings.Replace(releasing, "policies:\n", `policies:
  strict: {steps: [{weight: 1%, duration: 1m}, {weight: 5%, duration: 1m}], budget: {failed_requests: 3}}
  blind: {steps: [{weight: 50%, duration: 10m}], checks: {errors: {muted: true}, latency: off}}
`, 1))
	for name, args := range map[string][]string{
		"replay":         {"replay", "shop", "--file", "haldane.yaml"},
		"replay_strict":  {"replay", "ab12cd34ef56", "--file", "haldane.yaml", "--policy", "strict"},
		"replay_blind":   {"replay", "shop", "--file", "haldane.yaml", "--policy", "blind"},
		"replay_nothing": {"replay", "gone", "--file", "haldane.yaml", "--policy", "quick"},
		"replay_unknown": {"replay", "none", "--file", "haldane.yaml"},
		"replay_policy":  {"replay", "shop", "--file", "haldane.yaml", "--policy", "none"},
		"replay_file":    {"replay", "shop", "--file", "none.yaml"},
	} {
		got := invoke(t, append(args, "--socket", socket)...)
		text := "$ haldane " + strings.Join(args, " ") + "\n" + got.stdout
		if got.stderr != "" {
			text += "--- stderr\n" + got.stderr
		}
		golden(t, filepath.Join(goldens, "testdata", name), text+"--- exit "+string(rune('0'+got.code))+"\n")
	}
	if got := invoke(t, "replay", "shop", "--file", "haldane.yaml", "-o", "json", "--socket", socket); got.code != exitOK || !strings.Contains(got.stdout, `"phase": "rolled_back"`) {
		t.Errorf("%+v", got)
	}
}
