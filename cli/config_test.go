package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"haldane/admin"
	"haldane/schema"
)

const plainShop = `
version: 1
policies: {quick: {steps: [5%, 50%]}}
services:
  shop:
    variants: {v1: {endpoints: ["127.0.0.1:1"]}, v2: {endpoints: ["127.0.0.1:2"]}}
    stable: v1
    canary: v2
    policy: quick
  cart: {variants: {v1: {endpoints: ["127.0.0.1:3"]}}, match: [{host: cart}]}
`

// write is a file with a text.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfigSchema(t *testing.T) {
	if got := invoke(t, "config", "schema"); got.code != 0 || got.stdout != string(schema.Configuration) {
		t.Errorf("%d %s", got.code, got.stderr)
	}
}

func TestConfigPrint(t *testing.T) {
	text := plainShop + "admin: {token: 0123456789abcdef0123}\n"
	path := writeFile(t, "a.yaml", text)
	got := invoke(t, "config", "print", path, "--effective")
	if got.code != 0 || !strings.Contains(got.stdout, "max_connections: 1024") || strings.Contains(got.stdout, "0123456789") {
		t.Errorf("%d %s%s", got.code, got.stdout, got.stderr)
	}
	if got := invoke(t, "config", "print", path, "-o", "json"); got.code != 0 || !strings.Contains(got.stdout, `"max_connections": 1024`) {
		t.Errorf("%d %s%s", got.code, got.stdout, got.stderr)
	}
	if got := invoke(t, "config", "print", path+".none"); got.code != 1 {
		t.Errorf("%d %s", got.code, got.stderr)
	}
}

func TestConfigDiff(t *testing.T) {
	path := writeFile(t, "a.yaml", plainShop)
	for name, edit := range map[string][]string{
		"same":       nil,
		"policy":     {"[5%, 50%]", "[5%, 25%, 50%]"},
		"superseded": {"127.0.0.1:2", "127.0.0.1:9"},
		"no_canary":  {"    canary: v2\n", "", "stable: v1", "stable: v2"},
		"service":    {"  cart:", "  card:"},
		"restart":    {"version: 1", "version: 1\nlisten: {address: \":81\"}\nfreezes: [{from: 2026-12-20T00:00:00Z, to: 2027-01-04T00:00:00Z, reason: x}]"},
		"manual":     {"canary: v2", "canary: v2\n    start: manual", "127.0.0.1:2", "127.0.0.1:9"},
	} {
		t.Run(name, func(t *testing.T) {
			other := writeFile(t, "b.yaml", strings.NewReplacer(edit...).Replace(plainShop))
			got := invoke(t, "config", "diff", path, other)
			if want := min(len(edit), 1); got.code != want || got.stderr != "" {
				t.Errorf("exit %d, want %d: %s", got.code, want, got.stderr)
			}
			golden(t, "config_diff_"+name, got.stdout)
		})
	}
	if got := invoke(t, "config", "diff", path, path+".none"); got.code != 2 || got.stderr == "" {
		t.Errorf("exit %d: %s", got.code, got.stderr)
	}
	if got := invoke(t, "config", "diff", path, path, "-o", "json"); got.code != 0 || !strings.Contains(got.stdout, `"changes": []`) {
		t.Errorf("exit %d: %s", got.code, got.stdout)
	}
}

// Against the running process it is what is in force that is compared.
func TestConfigDiffWithWhatIsInForce(t *testing.T) {
	path := writeFile(t, "a.yaml", plainShop)
	effective := invoke(t, "config", "print", path).stdout
	socket, _ := start(t, &fake{configuration: admin.Configuration{OK: true, Effective: effective}})
	if got := invoke(t, "config", "diff", path, "--socket", socket); got.code != 0 || got.stdout != "nothing would change\n" {
		t.Errorf("exit %d: %s%s", got.code, got.stdout, got.stderr)
	}
	other := writeFile(t, "b.yaml", strings.Replace(plainShop, "v2: {", "v3: {", 1))
	if got := invoke(t, "config", "diff", other, "--socket", socket); got.code != 2 || !strings.Contains(got.stderr, "there is no variant") {
		t.Errorf("exit %d: %s%s", got.code, got.stdout, got.stderr)
	}
	if got := invoke(t, "config", "print", "--socket", socket); got.code != 0 || got.stdout != effective {
		t.Errorf("exit %d: %s", got.code, got.stderr)
	}
}
