package app_test

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"

	"haldane/app"
)

// An endpoint that is the admin listener would let clients at it: neither a start nor a reload takes it.
func TestEndpointIsNotTheAdminListener(t *testing.T) {
	t.Parallel()
	const service = `
services:
  shop:
    variants: {v1: {endpoints: ["127.0.0.1:1", "ENDPOINT"]}}
`
	first := launch(t, preamble+strings.ReplaceAll(service, "ENDPOINT", "127.0.0.1:2"))
	address := first.AdminAddress().String()
	port := address[strings.LastIndex(address, ":"):]
	for _, c := range []struct {
		endpoint string
		refused  bool
	}{
		{address, true},
		{"localhost" + port, true},
		{"LocalHost" + port, true},
		{"0.0.0.0" + port, true},
		{"[::ffff:127.0.0.1]" + port, true},
		{"127.0.0.2" + port, false}, // another address of this machine, where somebody else may listen
		{"192.0.2.1" + port, false},
		{"127.0.0.1:3", false},
	} {
		writeConfig(t, first.config, preamble+strings.ReplaceAll(service, "ENDPOINT", c.endpoint))
		err := first.Reload()
		if c.refused != (err != nil) {
			t.Errorf("%s: %v", c.endpoint, err)
		}
		if want := fmt.Sprintf("services.shop.variants.v1.endpoints[1]: %s is the admin listener", c.endpoint); err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", c.endpoint, err)
		}
	}
	first.stop()
	path := t.TempDir() + "/haldane.yaml"
	text := strings.Replace(preamble+strings.ReplaceAll(service, "ENDPOINT", address), `admin: {address: "127.0.0.1:0"}`, fmt.Sprintf("admin: {address: %q}", address), 1)
	writeConfig(t, path, text)
	if _, err := app.New(app.Options{ConfigPath: path, Logger: zap.NewNop()}); err == nil || !strings.Contains(err.Error(), "is the admin listener") {
		t.Errorf("a start: %v", err)
	}
}
