package app_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the API shows of one service is what it shows of it among all.
func TestOneServiceIsAsAmongAll(t *testing.T) {
	t.Parallel()
	old, fresh := newBackend(t, "v1"), newBackend(t, "v2")
	i := launch(t, preamble+fmt.Sprintf(`
services:
  shop:
    match: [{host: shop.test, path_prefix: /a}]
    stable: v1
    split: {v1: 75%%, v2: 25%%}
    variants: {v1: {endpoints: [%[1]q]}, v2: {endpoints: [%[2]q, %[1]q], revision: "2"}}
  desk:
    match: [{host: desk.test}]
    stable: v1
    canary: v2
    variants: {v1: {endpoints: [%[1]q]}, v2: {endpoints: [%[2]q]}}
`, old.address, fresh.address))
	var all struct{ Services []map[string]any }
	if err := json.Unmarshal([]byte(i.admin(t, "/api/v1/services")), &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Services) != 2 {
		t.Fatalf("%d services", len(all.Services))
	}
	for _, want := range all.Services {
		var got map[string]any
		if err := json.Unmarshal([]byte(i.admin(t, fmt.Sprint("/api/v1/services/", want["name"]))), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-among all +alone):\n%s", want["name"], diff)
		}
		variants := got["variants"].([]any)
		if len(variants) != 2 || len(variants[1].(map[string]any)["addresses"].([]any)) == 0 || variants[1].(map[string]any)["weight"] == nil {
			t.Errorf("%s: %v", want["name"], variants)
		}
	}
}
