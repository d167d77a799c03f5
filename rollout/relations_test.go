package rollout

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"haldane/report"
)

// The reports say which services were held back, and why one never began.
func TestReportsOfThoseThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		payments, shop, mail := released("payments", ""), released("shop", "", "payments"), released("mail", "", "payments")
		r.configure(payments, shop, mail)
		defer r.run()()
		r.wantPhase("shop", PhasePending)
		r.flow(time.Minute, traffic{service: "payments", rate: 200, canaryBad: 0.5})
		r.wantPhase("payments", PhaseRolledBack)
		v := r.wantPhase("shop", PhasePending)
		if v.Reason != "waits for payments, which was rolled back: the check errors failed" || !v.NeedsPerson || !v.Waits {
			t.Errorf("shop is where it is because %q, a person is needed: %v", v.Reason, v.NeedsPerson)
		}
		got := r.wantReport("payments", report.RolledBack, "the check errors failed")
		if !slices.Equal(got.Relations.HeldBack, []string{"mail", "shop"}) {
			t.Errorf("held back: %q", got.Relations.HeldBack)
		}
		r.configure(payments, mail)
		got = r.wantReport("shop", report.Superseded,
			"it never began, it waited for payments, which was rolled back: the check errors failed")
		if len(got.Waits) != 2 || got.Waits[0].Kind != "others" || !slices.Equal(got.Relations.After, []string{"payments"}) {
			t.Errorf("waits %+v, after %q", got.Waits, got.Relations.After)
		}
	})
}

// The report of a member names the release, and who took it down.
func TestReportOfARelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(released("cart", "core"), released("ledger", "core"))
		defer r.run()()
		time.Sleep(time.Second)
		r.flow(time.Minute, traffic{service: "ledger", rate: 200, canaryBad: 0.5})
		got := r.wantReport("cart", report.RolledBack, "ledger, of the same release, was rolled back: the check errors failed")
		if got.Trigger != string(TriggerRelease) || got.Relations.Release != "core" || !slices.Equal(got.Relations.Members, []string{"cart", "ledger"}) {
			t.Errorf("trigger %s, relations %+v", got.Trigger, got.Relations)
		}
		if n := r.Numbers()["cart"].Rollbacks[TriggerRelease]; n != 1 {
			t.Errorf("%d rollbacks with the release are counted", n)
		}
	})
}
