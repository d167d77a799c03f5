package cli

import (
	"path/filepath"
	"testing"
)

// early is a configuration whose policies say all that a policy can say besides steps.
const early = `
version: 1
segments: {staff: {header: X-Staff}}
policies:
  early:
    steps:
      - {stage: internal, segment: staff, opt_in: alpha, duration: 1h, max_duration: 1d}
      - {stage: community, opt_in: beta, strength: 50%, duration: 1h, checks: [errors, p99]}
      - {stage: community, opt_in: beta, strength: 50%, weight: 5%}
      - 50%
    restart_factor: 25%
    patch: quick
    bake: {duration: 0s}
  quick: {ramp: {}, bake: {duration: 0s}}
  bounded: {ramp: {max_failures: 20}, bake: {duration: 0s}}
services:
  shop:
    match: [{host: shop.example.com}]
    variants: {v1: {endpoints: ["127.0.0.1:1"], revision: 1.4.2}, v2: {endpoints: ["127.0.0.1:2"], revision: 1.5.0}}
    stable: v1
    canary: v2
    policy: early
    opt_in: {cookie: early}
  cart:
    match: [{host: cart.example.com}]
    variants: {v1: {endpoints: ["127.0.0.1:1"], revision: 1.4.2}, v2: {endpoints: ["127.0.0.1:2"], revision: 1.4.3}}
    stable: v1
    canary: v2
    policy: early
    opt_in: {cookie: early}
  mail:
    match: [{host: mail.example.com}]
    variants: {v1: {endpoints: ["127.0.0.1:1"]}, v2: {endpoints: ["127.0.0.1:2"]}}
    stable: v1
    canary: v2
    policy: bounded
    policy_overrides: {budget: {failed_requests: 100}}
  blog:
    match: [{host: blog.example.com}]
    variants: {v1: {endpoints: ["127.0.0.1:1"]}, v2: {endpoints: ["127.0.0.1:2"]}}
    stable: v1
    canary: v2
    policy: bounded
    policy_overrides: {budget: {failed_requests: 200}}
`

// Check says in words what a policy does besides its steps, and forecasts the policy that each release follows.
func TestCheckTellsStages(t *testing.T) {
	goldens, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	inFolder(t, "haldane.yaml", early)
	got := invoke(t, "check", "haldane.yaml")
	golden(t, filepath.Join(goldens, "testdata", "check_stages"), "$ haldane check haldane.yaml\n"+got.stdout+got.stderr)
}
