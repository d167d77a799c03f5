package demo

import (
	"fmt"
	"os"
	"strings"
)

// configure writes the configuration that a user would write for this service, with the given stable and
// canary. The proxy watches the file.
func (s *stage) configure(listen, admin, stable, canary string) error {
	var text strings.Builder
	fmt.Fprintf(&text, `version: 1
listen: {address: %q}
admin: {address: %q}
state: {store: file, directory: %q}
policies:
  demo:
    steps:
      - {weight: 5%%, duration: 6s}
      - {weight: 25%%, duration: 6s}
      - {weight: 50%%, duration: 6s}
    checks: {errors: {absolute: 0.5%%}, warm_up: 2s}
    bake: {duration: 5s, holdback: 10%%}
services:
  %s:
    variants:
`, listen, admin, s.path+".state", service)
	for _, b := range s.backends {
		fmt.Fprintf(&text, "      %s: {endpoints: [%q]}\n", b.name, b.address())
	}
	fmt.Fprintf(&text, `    stable: %s
    canary: %s
    policy: demo
    variant_field: %s
    pins:
      - header: X-Version
`, stable, canary, variantField)

	fresh := s.path + ".new"
	if err := os.WriteFile(fresh, []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("write the demo's configuration: %w", err)
	}
	if err := os.Rename(fresh, s.path); err != nil {
		return fmt.Errorf("put the demo's configuration in place: %w", err)
	}
	return nil
}
