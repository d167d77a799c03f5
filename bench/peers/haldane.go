package peers

import (
	"fmt"
	"strings"
)

// prepareHaldane has everything on: a rollout at a quarter under errors and latency checks and a budget, a pin, a cookie that is
// issued, metrics.
func prepareHaldane(at place, _ string) launch {
	var b strings.Builder
	haldaneHead(&b, at)
	// A step that nothing ends: what is measured is the middle of a release.
	fmt.Fprintf(&b, `policies:
  steady:
    steps: [{weight: %d%%, duration: 24h}]
    budget: {failed_requests: 100000}
services:
`, Share)
	for i := range max(1, at.Services) {
		haldaneService(&b, at, i)
	}
	return haldaneLaunch(at, b.String())
}

func haldaneService(b *strings.Builder, at place, i int) {
	fmt.Fprintf(b, "  s%d:\n", i)
	if at.Services > 0 {
		fmt.Fprintf(b, "    match: [{host: s%d.example.com}]\n", i)
	}
	fmt.Fprintf(b, `    variants:
      v1: {endpoints: ["%v"]}
      v2: {endpoints: ["%v"]}
    stable: v1
    sticky: {cookie: uid, issue: true}
    pins:
`, at.V1, at.V2)
	for pin := range max(1, at.Pins) - 1 {
		fmt.Fprintf(b, "      - {header: X-Rule-%d, exact: \"on\", variant: v2}\n", pin)
	}
	b.WriteString("      - {header: X-Version}\n")
	if at.Services == 0 || i < at.Rollouts {
		b.WriteString("    canary: v2\n    policy: steady\n")
	} else {
		fmt.Fprintf(b, "    split: {v1: %d%%, v2: %d%%}\n", 100-Share, Share)
	}
}

// preparePlain is the same binary as a pass-through: one service, one variant, nothing else.
func preparePlain(at place, _ string) launch {
	var b strings.Builder
	haldaneHead(&b, at)
	fmt.Fprintf(&b, "services:\n  s0:\n    variants:\n      v1: {endpoints: [\"%v\"]}\n", at.V1)
	return haldaneLaunch(at, b.String())
}

func haldaneHead(b *strings.Builder, at place) {
	fmt.Fprintf(b, "version: 1\nlisten:\n  address: \"%v\"\n", at.plain)
	if at.Certificate != "" {
		fmt.Fprintf(b, "  tls:\n    address: \"%v\"\n    certificates:\n      - {cert_file: %q, key_file: %q}\n", at.secure, at.Certificate, at.Key)
	}
	socket := "off"
	if at.Profiles {
		socket = at.dir + "/" + profileSocket
	}
	fmt.Fprintf(b, "admin: {address: \"%v\", socket: %q, profiles: %t}\nstate: {directory: %q}\nlog: {level: warn}\n", at.admin, socket, at.Profiles, at.dir)
	fmt.Fprintf(b, "limits: {connections: %d}\n", clients)
}

func haldaneLaunch(at place, text string) launch {
	return launch{
		arguments:   []string{"run", "--config", at.dir + "/haldane.yaml"},
		environment: []string{fmt.Sprint("GOMAXPROCS=", len(at.Cores))},
		files:       map[string]string{"haldane.yaml": text},
	}
}

// prepareRelay has nothing to be told but where to listen and what to connect to.
func prepareRelay(at place, _ string) launch {
	return launch{
		arguments:   []string{at.plain.String(), at.V1.String()},
		environment: []string{fmt.Sprint("GOMAXPROCS=", len(at.Cores))},
	}
}
