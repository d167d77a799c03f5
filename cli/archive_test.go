package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"haldane/report"
	"haldane/rollout"
)

// past is a manager that remembers two rollouts and two orders; part of the text was not written by friends.
func past() *fake {
	five := 5 * onePart
	first := report.Report{
		Summary: report.Summary{
			ID: "ab12cd34ef56", Service: "shop", Stable: "v1", Canary: "v2", Policy: "careful", Attempt: 1, Result: report.RolledBack,
			Rule: "the check errors failed: canary 2.31 % of 4,120 failed", Started: moment(0), Ended: moment(725),
		},
		Version: report.Version, Created: moment(0), PolicyHash: "0123", Budget: report.Budget{Limit: 100, Spent: 95},
		Moments: []report.Moment{{Time: moment(0), Kind: "started", Step: "1%", Weight: onePart}},
	}
	second := first
	second.Summary = report.Summary{
		ID: "ffeeddccbbaa.2", Service: "gone", Stable: "v7", Canary: "v8", Policy: "fast", Attempt: 2, Result: report.Aborted,
		Rule: "ann ordered it: \x1b[2J <script>", Ended: moment(100),
	}
	return &fake{
		views: []rollout.View{shop()}, ended: []report.Report{first, second},
		audit: []rollout.AuditEntry{
			{
				Time: moment(725), Service: "shop", Rollout: "ab12cd34ef56", Command: rollout.CommandSetWeight, Weight: &five, Actor: "ann@desk",
				Reason: "more\x1b[2J", Before: rollout.Standing{Phase: rollout.PhaseProgressing, Weight: onePart},
				After: rollout.Standing{Phase: rollout.PhasePaused, Pause: rollout.PauseOperator, Step: 1, Weight: five},
			},
			{
				Time: moment(1), Service: "shop", Command: rollout.CommandOverride, Variant: "v1",
				Before: rollout.Standing{Phase: rollout.PhasePending}, After: rollout.Standing{Phase: rollout.PhasePending, Override: "v1"},
			},
		},
	}
}

func TestArchiveOutputs(t *testing.T) {
	socket, _ := start(t, past())
	for name, args := range map[string][]string{
		"ended":               {"history"},
		"ended_service":       {"history", "shop"},
		"ended_gone":          {"history", "gone"},
		"ended_json":          {"history", "gone", "-o", "json"},
		"ended_unknown":       {"history", "nobody"},
		"report":              {"report", "ab12cd34ef56"},
		"report_service":      {"report", "gone"},
		"report_json":         {"report", "shop", "-o", "json"},
		"report_yaml":         {"report", "shop", "-o", "yaml"},
		"report_unknown":      {"report", "nobody"},
		"report_no_end":       {"report", "quiet"},
		"report_wrong_format": {"report", "shop", "--format", "pdf"},
		"audit":               {"audit"},
		"audit_json":          {"audit", "--limit", "1", "-o", "json"},
		"audit_wrong":         {"audit", "--limit", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			got := invoke(t, append(args, "--socket", socket)...)
			text := "$ haldane " + strings.Join(args, " ") + "\n" + got.stdout
			if got.stderr != "" {
				text += "--- stderr\n" + got.stderr
			}
			golden(t, name, text+"--- exit "+string(rune('0'+got.code))+"\n")
		})
	}
	empty, _ := start(t, &fake{})
	golden(t, "ended_none", invoke(t, "history", "--socket", empty).stdout)
	golden(t, "audit_none", invoke(t, "audit", "--socket", empty).stdout)
}

func TestReportForms(t *testing.T) {
	f := past()
	socket, _ := start(t, f)
	page := invoke(t, "report", "shop", "--format", "html", "--socket", socket)
	if page.code != exitOK || !strings.HasPrefix(page.stdout, "<!doctype html>") || strings.TrimSpace(page.stdout) != strings.TrimSpace(string(f.ended[0].HTML())) {
		t.Errorf("%+v", page)
	}
	raw := invoke(t, "report", "shop", "--format", "json", "--socket", socket)
	var got report.Report
	if err := json.Unmarshal([]byte(raw.stdout), &got); err != nil || got.ID != "ab12cd34ef56" || got.Took() != 725*time.Second {
		t.Errorf("%v: %+v", err, raw)
	}
}
