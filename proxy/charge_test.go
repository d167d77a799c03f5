package proxy

import (
	"fmt"
	"slices"
	"testing"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

// charged runs a service with a rollout at half of the traffic. Both variants fail "/bad", the canary "/worse" as well. edit may
// change the settings.
func charged(t *testing.T, edit func(*config.Service), limits stats.Limits) (*rig, *stats.Budget, *router.Revocation) {
	t.Helper()
	failing := func(targets ...string) string {
		return newOrigin(t, func(v *visit) {
			if v.read() && slices.Contains(targets, v.target()) {
				v.write("HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno")
				return
			}
			v.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}).address
	}
	s, spec := two(failing("/bad"), failing("/bad", "/worse")), rollout(config.Whole/2)
	if edit != nil {
		web := s.Services["web"]
		edit(&web)
		s.Services["web"] = web
	}
	numbers := s.Stats.Service("web")
	numbers.Reader(spec.Revision, numbers.Variant("v2"), numbers.Variant("v1"))
	numbers.Budget().Arm(stats.Arming{Limits: limits, Trip: func() { spec.Revocation.Revoke() }})
	return startSplit(t, s, map[string]router.SplitSpec{"web": spec}, zap.NewNop()), numbers.Budget(), spec.Revocation
}

// Failures of both sides are compared as they are judged: those of drawn requests, whatever the side, and nothing pinned.
func TestExcessIsOfComparedRequests(t *testing.T) {
	keyless := func(s *config.Service) { s.Sticky = nil }
	r, budget, _ := charged(t, keyless, stats.Limits{})
	for range 20 {
		r.dial().send(get("/bad", "X-Pin: v2")).receive()
		r.dial().send(get("/bad", "X-Pin: v1")).receive()
	}
	if got := budget.Losses().Excess; got != 0 || budget.Spent() != 20 {
		t.Errorf("pinned requests: an excess of %v, %d spent", got, budget.Spent())
	}
	want, lowest := 0, 0
	for range 100 { // at half of the traffic the excess is a walk of whole steps, with a wall at zero
		before := r.totals("v2").Failed
		r.dial().send(get("/bad")).receive()
		if r.totals("v2").Failed > before {
			want++
		} else {
			want--
		}
		lowest = min(lowest, want)
	}
	if got := budget.Losses().Excess; got != float64(want-lowest) {
		t.Errorf("an excess of %v, want %d", got, want-lowest)
	}
}

// With a user key it is votes that are compared: somebody who fails all the time fails once.
func TestExcessIsOfVotes(t *testing.T) {
	r, budget, _ := charged(t, nil, stats.Limits{Excess: 2})
	var user int
	for ; r.totals("v2").Requests == 0; user++ {
		r.dial().send(get("/", fmt.Sprintf("Cookie: user=u%d", user))).receive()
	}
	numbers := r.stats.Service("web")
	for range 20 {
		numbers.Voters().Rotate() // a minute is over
		r.dial().send(get("/bad", fmt.Sprintf("Cookie: user=u%d", user-1))).receive()
	}
	if got := budget.Losses().Excess; got != 1 || budget.Spent() != 20 {
		t.Errorf("an excess of %v, %d spent", got, budget.Spent())
	}
}

func TestExcessTripsAtOnce(t *testing.T) {
	r, budget, revocation := charged(t, func(s *config.Service) { s.Sticky = nil }, stats.Limits{Excess: 3})
	for tries := 0; !revocation.Revoked() && tries < 1000; tries++ {
		r.dial().send(get("/worse")).receive()
	}
	if failed := r.totals("v2").Failed; !revocation.Revoked() || failed != 3 || budget.Losses().Excess != 3 {
		t.Errorf("revoked %v after %d failures, an excess of %v", revocation.Revoked(), failed, budget.Losses().Excess)
	}
	before := r.totals("v2").Requests
	for range 20 {
		r.dial().send(get("/")).receive()
	}
	if after := r.totals("v2").Requests; after != before {
		t.Errorf("%d requests reached the canary after the limit", after-before)
	}
}

// Slow is whatever takes longer, failed or not, on the canary alone, but for long polls.
func TestSlowRequestsAreCharged(t *testing.T) {
	polls := func(s *config.Service) { s.LongPolls = []string{"/events"} }
	r, budget, revocation := charged(t, polls, stats.Limits{Slow: 5, SlowAfter: 1})
	for range 3 {
		r.dial().send(get("/", "X-Pin: v1")).receive()
		r.dial().send(get("/events", "X-Pin: v2")).receive()
	}
	if got := budget.Losses().Slow; got != 0 {
		t.Errorf("%d requests of stable and long polls were charged", got)
	}
	for _, path := range []string{"/", "/bad", "/", "/", "/bad"} {
		if revocation.Revoked() {
			t.Fatal("revoked too early")
		}
		r.dial().send(get(path, "X-Pin: v2")).receive()
	}
	if got := budget.Losses().Slow; got != 5 || !revocation.Revoked() {
		t.Errorf("%d were slow, revoked %v", got, revocation.Revoked())
	}
}

// Users are those that were drawn for the canary and got there.
func TestUsersAreExposed(t *testing.T) {
	r, budget, revocation := charged(t, nil, stats.Limits{Users: 10, UsersEnd: true})
	for range 20 {
		r.dial().send(get("/", "X-Pin: v2", "Cookie: user=u")).receive()
	}
	if got := budget.Losses().Users; got != 0 {
		t.Errorf("%d users, all of them pinned", got)
	}
	for user := 0; !revocation.Revoked() && user < 1000; user++ {
		for range 2 {
			r.dial().send(get("/", fmt.Sprintf("Cookie: user=u%d", user))).receive()
		}
	}
	reached := r.totals("v2").Requests - 20
	if got := budget.Losses().Users; got != 10 || reached < 19 || reached > 20 {
		t.Errorf("%d users, %d requests of theirs on the canary", got, reached)
	}
}
