package app_test

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"

	"haldane/app"
)

// What is in use already is said in plain words, and nothing is left open behind it.
func TestAddressesInUse(t *testing.T) {
	t.Parallel()
	text := preamble + `
services:
  shop:
    variants: {v1: {endpoints: ["127.0.0.1:1"]}}
`
	first := launch(t, text)
	for _, c := range []struct{ name, from, to, want string }{
		{"client address", `listen: {address: "127.0.0.1:0"}`, fmt.Sprintf("listen: {address: %q}", first.Address()), "listen for clients"},
		{"admin address", `admin: {address: "127.0.0.1:0"}`, fmt.Sprintf("admin: {address: %q}", first.AdminAddress()), "already listens"},
	} {
		path := t.TempDir() + "/haldane.yaml"
		writeConfig(t, path, strings.Replace(text, c.from, c.to, 1))
		_, err := app.New(app.Options{ConfigPath: path, Logger: zap.NewNop()})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		writeConfig(t, path, text)
		launchFile(t, path).stop() // the state file and the socket were let go of
	}
	_, err := app.New(app.Options{ConfigPath: first.config, Logger: zap.NewNop()})
	if err == nil || !strings.Contains(err.Error(), "another") {
		t.Errorf("a second process on the same state: %v", err)
	}
}
