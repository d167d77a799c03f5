package config

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBudgetAndWhatFollowsAFailure(t *testing.T) {
	const text = `
version: 1
policies:
  quick:
    steps: [5%]
    budget: {failed_requests: 9, excess_failures: 8, slow_requests: 7, slow_after: 2s, exposed_users: 200000, on_exposed: roll_back}
    on_failure: step_back
    cool_down: 30m
    retries: 2
services:
  shop:
    {stable: v1, canary: v2, policy: quick, STICKY, variants: {v1: {endpoints: ["a:1"]}, v2: {endpoints: ["a:2"]}}}
`
	c := mustParse(t, strings.Replace(text, "STICKY", "sticky: {header: X-User}", 1))
	p := c.Policies["quick"]
	want := Budget{
		FailedRequests: 9, ExcessFailures: 8, SlowRequests: 7, SlowAfter: seconds(2), ExposedUsers: 200_000, OnExposed: FailureRollBack,
	}
	if diff := cmp.Diff(want, p.Budget); diff != "" {
		t.Errorf("budget (-want +got):\n%s", diff)
	}
	if p.OnFailure != FailureStepBack || p.CoolDown != minutes(30) || p.Retries != 2 {
		t.Errorf("on_failure %q, cool_down %s, retries %d", p.OnFailure, p.CoolDown, p.Retries)
	}
	// Without a sticky key a service cannot count users; a service without a canary need not.
	for _, service := range []struct{ text, want string }{
		{strings.Replace(text, "STICKY, ", "", 1), "services.shop.policy: the policy bounds exposed_users, which cannot be counted without sticky"},
		{strings.Replace(text, "canary: v2, policy: quick, STICKY, ", "policy: quick, ", 1), ""},
	} {
		if got := strings.Join(messages(t, service.text), "; "); got != service.want {
			t.Errorf("%s: %q, want %q", service.text, got, service.want)
		}
	}
	if diff := cmp.Diff(Budget{}, Careful().Budget); diff != "" {
		t.Errorf("the default budget (-want +got):\n%s", diff)
	}
}

// TestFailureExamples parses what docs/FAILURE.md shows.
func TestFailureExamples(t *testing.T) {
	src, err := os.ReadFile("../docs/FAILURE.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(src), "```yaml\n")[1:]
	if len(blocks) == 0 {
		t.Error("no examples")
	}
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "```")
		if _, err := Parse("FAILURE.md", []byte(text), environment); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
}
