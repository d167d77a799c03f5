package stats

import (
	"testing"
	"time"
)

// A user whose vote was a failure has no other in the step, on either side; the others have.
func TestFailedUsersDoNotVoteAgain(t *testing.T) {
	var v Voters
	for user := uint64(1); user <= 100; user++ {
		if !v.Vote(user, SideCanary) {
			t.Fatalf("user %d may not vote", user)
		}
		if user%10 == 0 {
			v.Fail(user)
		}
	}
	v.Rotate()
	for user := uint64(1); user <= 100; user++ {
		if got, want := v.Vote(user, SideStable), user%10 != 0; got != want {
			t.Errorf("user %d votes again: %v", user, got)
		}
	}
	v.Rotate()
	v.Pardon()
	if !v.Vote(10, SideCanary) {
		t.Error("a user who was pardoned may not vote")
	}
	v.Fail(10)
	v.NewStep()
	if !v.Vote(10, SideCanary) {
		t.Error("a user may not vote in the next step")
	}
}

// Requests without a user key are nobody's: they always vote, whatever failed before.
func TestNobodyFails(t *testing.T) {
	var v Voters
	v.Fail(0)
	if !v.Vote(0, SideCanary) || v.failed.Load() != nil {
		t.Error("nobody has failed")
	}
}

// When too many users have failed to tell them apart, it begins anew.
func TestFailedUsersAreForgottenAtHalfFill(t *testing.T) {
	var v Voters
	for user := uint64(1); user <= 60_000; user++ {
		v.Fail(user * 0x9E3779B97F4A7C15)
	}
	if ones := v.failed.Load().ones.Load(); ones >= voterBits/2 {
		t.Errorf("%d bits are set", ones)
	}
}

// poll plays looks at users of whom each makes one request in each look; fails says who fails then. It returns the votes of
// each look.
func poll(t *testing.T, users uint64, looks int, fails func(user uint64, look int) bool) []Counts {
	t.Helper()
	var v Voters
	var p Poll
	now := time.Unix(1_700_000_000, 0)
	p.NewStep(&v, now)
	list := make([]Counts, looks)
	for i := range list {
		now = now.Add(time.Second)
		for user := uint64(1); user <= users; user++ {
			switch bad := fails(user, i); {
			case !v.Vote(user, SideCanary):
			case bad:
				v.Fail(user)
				list[i].Bad++
			default:
				list[i].Good++
			}
		}
		p.Look(&v, now, list[i])
	}
	return list
}

func TestUsersVoteOnceAWindow(t *testing.T) {
	for i, c := range poll(t, 10, 130, func(uint64, int) bool { return false }) {
		want := Counts{}
		if i == 0 || i%60 == 0 { // the look after a window's end
			want.Good = 10
		}
		if c != want {
			t.Errorf("look %d: %v, want %v", i, c, want)
		}
	}
}

// One client that always fails is one failure in an hour, or one in a step; it does not make the others vote more often.
func TestBrokenClientFailsOnce(t *testing.T) {
	var sum Counts
	for _, c := range poll(t, 10, 3500, func(user uint64, _ int) bool { return user == 3 }) {
		sum = sum.plus(c)
	}
	if want := (Counts{Bad: 1, Good: 9 * 59}); sum != want {
		t.Errorf("%v, want %v", sum, want)
	}
}

// A canary that fails all of its few users is voted on at every look until it stops failing.
func TestDeadCanaryWithFewUsersIsVotedOnAtEveryLook(t *testing.T) {
	list := poll(t, 5, 100, func(_ uint64, look int) bool { return look >= 30 })
	for i, c := range list {
		if i >= 61 && c.Bad != 5 {
			t.Errorf("look %d: %v", i, c)
		}
		if i > 0 && i < 60 && c.Total() > 0 {
			t.Errorf("look %d: %v before the next window", i, c)
		}
	}
	// With many users the first failures say enough.
	for i, c := range poll(t, 50, 100, func(uint64, int) bool { return true }) {
		if i > 0 && c.Total() > 0 {
			t.Errorf("many users, look %d: %v", i, c)
		}
	}
}

func TestPardonAfterAnHour(t *testing.T) {
	bad := uint64(0)
	for _, c := range poll(t, 100, 2*3600+100, func(user uint64, _ int) bool { return user == 3 }) {
		bad += c.Bad
	}
	if bad != 3 {
		t.Errorf("a broken client failed %d times in two hours, want 3", bad)
	}
}
