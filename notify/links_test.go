package notify

import (
	"strings"
	"testing"
	"time"

	"haldane/config"
	"haldane/rollout"
)

// signer makes links that say what they are for.
type signer struct{}

func (signer) Link(v *rollout.View, order rollout.CommandKind, via string, _ time.Time) string {
	return "https://haldane.example/" + v.Service + "/" + string(order) + "/" + via
}

// body is what a target of a kind is sent.
func body(t *testing.T, kind string, m *message) string {
	t.Helper()
	w := &worker{door: door{kind: kind, url: "https://chat.example/"}, name: "releases", links: signer{}}
	request, err := w.request(m, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return string(request.Body)
}

func TestWhoIsNeededGetsLinks(t *testing.T) {
	const promote, abort = "https://haldane.example/shop/promote/releases", "https://haldane.example/shop/abort/releases"
	m := sample()
	for kind, want := range map[string][]string{
		config.TargetSlack:   {`"type":"link","text":"click","url":"` + promote, abort},
		config.TargetTeams:   {`"title":"Approve","url":"` + promote, `"title":"Roll back","url":"` + abort},
		config.TargetWebhook: {`"links":{"abort":"` + abort + `","promote":"` + promote + `"}`},
	} {
		got := body(t, kind, m)
		for _, text := range want {
			if !strings.Contains(got, text) {
				t.Errorf("%s has no %s: %s", kind, text, got)
			}
		}
	}
	// An alert is seen by many, and for long.
	m.alert = &alert{starts: time.Now(), ends: time.Now()}
	if got := body(t, config.TargetAlertmanager, m); strings.Contains(got, "haldane.example/shop/promote") {
		t.Errorf("an alert has a link: %s", got)
	}
	for _, a := range m.actions {
		if a.link != "" {
			t.Error("the message that waits has a link")
		}
	}
}

func TestOnlyPromoteAndRollBackAreLinks(t *testing.T) {
	for need, want := range map[string]string{
		needStart: "", needApproval: "promote abort", needUndecided: "promote abort", needFailed: "abort promote", needRolledBack: "",
		needHeld: "abort", needReload: "",
	} {
		var got []string
		for _, a := range actions(need, "shop") {
			if a.kind != "" {
				got = append(got, string(a.kind))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", need, got, want)
		}
	}
}

// A freeze and a closed window are orders of people, as an override is; a hook that says no for long is told.
func TestPlannedHoldsAreNotTold(t *testing.T) {
	now := time.Now()
	f := &follower{settings: &Settings{holdAfter: time.Minute}}
	v := rollout.View{History: []rollout.Event{{Kind: rollout.EventHold, Time: now.Add(-time.Hour)}}}
	for hold, want := range map[rollout.Hold]int{
		rollout.HoldFreeze: -1, rollout.HoldWindow: -1, rollout.HoldOverride: -1, rollout.HoldHook: 0, rollout.HoldNoTraffic: 0,
	} {
		v.Hold = hold
		if got := f.held(now, &v); got != want {
			t.Errorf("%s: %d, want %d", hold, got, want)
		}
	}
}
