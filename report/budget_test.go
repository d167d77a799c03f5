package report

import "testing"

func TestBudgetInWords(t *testing.T) {
	for _, test := range []struct {
		budget Budget
		want   string
	}{
		{Budget{Spent: 7}, "7 failed canary requests, no limit"},
		{Budget{Limit: 10, Spent: 7, Kinds: []Loss{{"failed_requests", "failed canary requests", 10, 7}}}, "7 of 10 failed canary requests"},
		{Budget{Spent: 7, Kinds: []Loss{
			{"slow_requests", "slow canary requests", 1500, 1200}, {"exposed_users", "users on the canary", 20, 20},
		}}, "7 failed canary requests, no limit; 1,200 of 1,500 slow canary requests; 20 of 20 users on the canary"},
	} {
		if got := test.budget.words(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
