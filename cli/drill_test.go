package cli

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"haldane/admin"
	"haldane/config"
)

// drillOf is a drill that takes no time. What it says depends on the service.
func drillOf(_ context.Context, o admin.DrillOrder) (admin.Drill, error) {
	d := admin.Drill{Service: o.Service, Policy: "careful", Weight: o.Weight, Errors: o.Errors, Rate: o.Rate, Requests: 1200, Canary: 60, Failures: 12}
	switch o.Service {
	case "none":
		return d, errors.New(`no service is called "none"`)
	case "busy":
		return d, admin.ErrDrilling
	case "shop":
		d.RolledBack, d.Trigger, d.Rule = true, "check", "the check errors failed: canary 20 % of 60 failed"
		d.Verdict, d.Revocation, d.Last = config.Duration(2100*time.Millisecond), config.Duration(2101*time.Millisecond), config.Duration(2099*time.Millisecond)
	}
	return d, nil
}

func TestDrillOutputs(t *testing.T) {
	socket, _ := start(t, &fake{})
	for name, args := range map[string][]string{
		"drill":         {"drill", "--service", "shop", "--weight", "5%", "--errors", "20%", "--rate", "400"},
		"drill_in_vain": {"drill"},
		"drill_busy":    {"drill", "--service", "busy"},
		"drill_none":    {"drill", "--service", "none"},
		"drill_weight":  {"drill", "--weight", "0%"},
		"drill_rate":    {"drill", "--rate", "2000"},
		"drill_help":    {"drill", "--help"},
	} {
		got := invoke(t, append(args, "--socket", socket)...)
		text := "$ haldane " + strings.Join(args, " ") + "\n" + got.stdout
		if got.stderr != "" {
			text += "--- stderr\n" + got.stderr
		}
		golden(t, name, text+"--- exit "+string(rune('0'+got.code))+"\n")
	}
	got := invoke(t, "drill", "--service", "shop", "-o", "json", "--socket", socket)
	var d admin.Drill
	if err := json.Unmarshal([]byte(got.stdout), &d); err != nil || !d.RolledBack || d.Failures != 12 {
		t.Errorf("%+v, error %v", got, err)
	}
}
