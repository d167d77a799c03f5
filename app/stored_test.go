package app_test

import (
	"encoding/json"
	"testing"

	"haldane/store"
)

// canaryRequests reads a count of the first check in the answer of the API.
func canaryRequests(t *testing.T, view map[string]any, member string) int {
	t.Helper()
	text, err := json.Marshal(view["verdict"])
	if err != nil {
		t.Fatal(err)
	}
	var verdict struct {
		Checks []map[string]any `json:"checks"`
	}
	if err := json.Unmarshal(text, &verdict); err != nil || len(verdict.Checks) == 0 {
		return 0
	}
	n, _ := verdict.Checks[0][member].(float64)
	return int(n)
}

// storedEvidence is the judged canary requests of the only rollout, as a process that is gone has left them.
func storedEvidence(t *testing.T, path string) int {
	t.Helper()
	file, err := store.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := file.Load()
	if err != nil || len(records) != 1 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	var memory struct {
		Judge struct {
			Checks []struct {
				CanaryTotal int `json:"canary_total"`
			} `json:"checks"`
		} `json:"judge"`
	}
	if err := json.Unmarshal(records[0].Value, &memory); err != nil || len(memory.Judge.Checks) == 0 {
		t.Fatalf("no evidence is stored: %v", err)
	}
	return memory.Judge.Checks[0].CanaryTotal
}
