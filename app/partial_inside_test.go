package app

import (
	"testing"

	"haldane/rollout"
	"haldane/router"
)

// Requests that were assigned before a part went back, and are not sent yet, meet the switch.
func TestPartsAreRevokedBeforeTheTable(t *testing.T) {
	r := &router.Revocation{}
	split := &router.Split{Stable: 0, Canary: 1, Override: -1, Revocation: r}
	cart, item := router.Assignment{Variant: 1, Part: 2, Split: split}, router.Assignment{Variant: 1, Part: 1, Split: split}
	revoke(rollout.Split{Back: 0b10}, r)
	if !cart.Revoked() || item.Revoked() || r.Revoked() {
		t.Errorf("the cart is revoked: %v, items: %v, all: %v", cart.Revoked(), item.Revoked(), r.Revoked())
	}
	revoke(rollout.Split{RolledBack: true}, r)
	if !item.Revoked() || !r.Revoked() {
		t.Error("a rollback is one of all parts")
	}
}
