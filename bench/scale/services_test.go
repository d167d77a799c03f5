package scale

import (
	"fmt"
	"strings"
)

const (
	// services are loaded, and one in share of them gets traffic.
	services, share = 10_000, 10
	// releasing is how many services there are for one with a rollout.
	releasing = 10
)

// configuration is services with two variants each: hosts, path prefixes, a pin, a sticky cookie and a segment. Every tenth has
// a rollout, the others a split.
func configuration(endpoint string) string {
	var b strings.Builder
	b.WriteString(`version: 1
listen: {address: "%ADDRESS%"}
admin: {address: "%ADMIN%", profiles: true}
state: {directory: "%DIR%/state"}
log: {level: error}
segments:
  staff: {header: X-Role, exact: staff}
policies:
  steady: {steps: [{weight: 5%, duration: 1h, segment: staff}, 20%, 50%], budget: {failed_requests: 50}}
services:
`)
	for i := range services {
		split := "split: {v1: 95%, v2: 5%}"
		if i%releasing == 0 {
			split = "canary: v2\n    policy: steady"
		}
		fmt.Fprintf(&b, `  %[1]s:
    match:
      - {host: %[1]s.example.com, path_prefix: /api}
      - {host: %[1]s.example.com, path_prefix: /static}
    variants:
      v1: {endpoints: [%[2]q], revision: 1.0.0}
      v2: {endpoints: [%[2]q]}
    stable: v1
    %[3]s
    sticky: {cookie: user, issue: true}
    pins: [{header: X-Variant}]
`, name(i), endpoint, split)
	}
	return b.String()
}

// name is the name of a service.
func name(i int) string { return fmt.Sprintf("s%05d", i) }
