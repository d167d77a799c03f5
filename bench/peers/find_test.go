package peers

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What is not there is missing, and a file that cannot be run is not there.
func TestFind(t *testing.T) {
	t.Setenv("PATH", "")
	tools := t.TempDir()
	write := func(path, text string, mode os.FileMode) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write(tools+"/usr/sbin/haproxy", "#!/bin/sh\necho HAProxy $1\necho more\n", 0o755)
	write(tools+"/usr/sbin/nginx", "no program", 0o644)
	write(tools+"/usr/bin/caddy", "#!/bin/sh\necho broken; exit 3\n", 0o755)
	write(tools+"/haldane", "#!/bin/sh\necho haldane\n", 0o755)
	found, missing := Find(t.Context(), Paths{Haldane: tools + "/haldane", Relay: tools + "/haldane", Tools: tools})
	var names []string
	for _, p := range found {
		names = append(names, p.Name+" "+p.Version)
	}
	if want := []string{"haldane haldane", "haldane, plain haldane", "relay ", "haproxy HAProxy -v"}; !slices.Equal(names, want) {
		t.Errorf("found %q, want %q", names, want)
	}
	names = nil
	for _, m := range missing {
		names = append(names, m.Name)
	}
	if want := []string{"nginx", "caddy", "traefik"}; !slices.Equal(names, want) {
		t.Errorf("missing %q, want %q", names, want)
	}
}

// Libraries that were unpacked beside a program are found by it.
func TestEnvironment(t *testing.T) {
	tools := t.TempDir()
	if err := os.MkdirAll(tools+"/usr/lib/x86_64-linux-gnu", 0o755); err != nil {
		t.Fatal(err)
	}
	got := environment(tools + "/usr/sbin/haproxy")
	if want := "LD_LIBRARY_PATH=" + tools + "/usr/lib/x86_64-linux-gnu"; got[len(got)-1] != want {
		t.Errorf("%q, want %q", got[len(got)-1], want)
	}
}

// Nothing in a configuration is left unfilled, or filled twice.
func TestConfigurationsAreFilled(t *testing.T) {
	address := netip.MustParseAddrPort("127.0.0.1:1234")
	at := place{Work: Work{V1: address, V2: address, Cores: []int{0}, Services: 3, Pins: 2, Rollouts: 1}, dir: "/d", plain: address, secure: address, admin: address}
	at.Certificate, at.Key = "/d/chain.pem", "/d/key.pem"
	for name, prepare := range map[string]func(place, string) launch{
		"haldane": prepareHaldane, "plain": preparePlain, "relay": prepareRelay, "haproxy": prepareHAProxy, "nginx": prepareNginx,
		"caddy": prepareCaddy, "traefik": prepareTraefik,
	} {
		l := prepare(at, "")
		for file, text := range l.files {
			if strings.Contains(text, "%!") {
				t.Errorf("%s: %s:\n%s", name, file, text)
			}
		}
		if len(l.arguments) == 0 {
			t.Errorf("%s is told nothing", name)
		}
	}
}
