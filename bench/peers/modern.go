package peers

import (
	"fmt"
	"net/netip"
	"strings"
)

// alias is the same port at 127.0.0.n.
func alias(at netip.AddrPort, n byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, n}), at.Port())
}

// prepareCaddy has no weights (they came after 2.6): the first variant answers at three addresses, the second at one.
func prepareCaddy(at place, _ string) launch {
	var b strings.Builder
	b.WriteString("{\n  admin off\n  auto_https off\n  log {\n    level ERROR\n  }\n  servers {\n    metrics\n    protocols h1\n  }\n}\n")
	fmt.Fprintf(&b, `(shop) {
  bind 127.0.0.1
  @v1 header X-Version v1
  @v2 header X-Version v2
  handle @v1 {
    reverse_proxy %[1]v
  }
  handle @v2 {
    reverse_proxy %[4]v
  }
  handle {
    reverse_proxy %[1]v %[2]v %[3]v %[4]v {
      lb_policy cookie lb
      transport http {
        keepalive_idle_conns_per_host 256
      }
    }
  }
}
`, at.V1, alias(at.V1, 2), alias(at.V1, 3), at.V2)
	fmt.Fprintf(&b, "http://:%d {\n  import shop\n}\n", at.plain.Port())
	fmt.Fprintf(&b, "http://:%d {\n  bind 127.0.0.1\n  metrics /metrics\n}\n", at.admin.Port())
	if at.Certificate != "" {
		fmt.Fprintf(&b, "https://:%d {\n  tls %s %s\n  import shop\n}\n", at.secure.Port(), at.Certificate, at.Key)
	}
	return launch{
		arguments:   []string{"run", "--config", at.dir + "/Caddyfile", "--adapter", "caddyfile"},
		environment: []string{fmt.Sprint("GOMAXPROCS=", len(at.Cores)), "HOME=" + at.dir, "XDG_DATA_HOME=" + at.dir, "XDG_CONFIG_HOME=" + at.dir},
		files:       map[string]string{"Caddyfile": b.String()},
	}
}

// prepareTraefik is a weighted service with a sticky cookie, and two routers for the field.
func prepareTraefik(at place, _ string) launch {
	var b strings.Builder
	router := func(name, rule, service string) {
		fmt.Fprintf(&b, "    %s: {rule: \"%s\", service: %s, entryPoints: [plain]}\n", name, rule, service)
		if at.Certificate != "" {
			fmt.Fprintf(&b, "    %s-tls: {rule: \"%s\", service: %s, entryPoints: [secure], tls: {}}\n", name, rule, service)
		}
	}
	b.WriteString("http:\n  routers:\n")
	router("all", "PathPrefix(`/`)", "shop")
	router("pin1", "Header(`X-Version`, `v1`)", "v1")
	router("pin2", "Header(`X-Version`, `v2`)", "v2")
	fmt.Fprintf(&b, `  services:
    shop:
      weighted:
        sticky: {cookie: {name: lb}}
        services: [{name: v1, weight: %d}, {name: v2, weight: %d}]
    v1: {loadBalancer: {servers: [{url: "http://%v"}]}}
    v2: {loadBalancer: {servers: [{url: "http://%v"}]}}
`, 100-Share, Share, at.V1, at.V2)
	if at.Certificate != "" {
		fmt.Fprintf(&b, "tls:\n  certificates:\n    - {certFile: %q, keyFile: %q}\n", at.Certificate, at.Key)
	}
	static := fmt.Sprintf(`entryPoints:
  plain: {address: "%v"}
  secure: {address: "%v"}
  numbers: {address: "%v"}
metrics: {prometheus: {entryPoint: numbers, addServicesLabels: true}}
log: {level: ERROR}
providers: {file: {filename: %q}}
global: {checkNewVersion: false, sendAnonymousUsage: false}
serversTransport: {maxIdleConnsPerHost: 256}
`, at.plain, at.secure, at.admin, at.dir+"/dynamic.yml")
	return launch{
		arguments:   []string{"--configFile=" + at.dir + "/traefik.yml"},
		environment: []string{fmt.Sprint("GOMAXPROCS=", len(at.Cores))},
		files:       map[string]string{"traefik.yml": static, "dynamic.yml": b.String()},
	}
}
