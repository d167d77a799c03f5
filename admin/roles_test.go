package admin

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// readSecret is the read token of the servers that have one.
const readSecret = "fedcba9876543210fedcba9876543210"

const readBearer = "Authorization: Bearer " + readSecret

// withReadToken is a server with both tokens.
func withReadToken(t *testing.T) (*running, *fake) {
	f := newFake()
	o := options(f)
	o.Config.ReadToken = readSecret
	return serve(t, o), f
}

// The read token reads everything and changes nothing, the token does both, and nobody else gets more than metrics and health.
func TestRoles(t *testing.T) {
	for _, c := range []struct {
		method, path string
		none         int // the status without a token
		read         int
		operate      int
	}{
		{"GET", "/metrics", 200, 200, 200},
		{"GET", "/healthz", 200, 200, 200},
		{"GET", "/readyz", 200, 200, 200},
		{"GET", "/api/v1/rollouts", 401, 200, 200},
		{"HEAD", "/api/v1/rollouts", 401, 200, 200},
		{"GET", "/api/v1/config", 401, 200, 200},
		{"GET", "/nothing", 401, 404, 404},
		{"GET", "/metrics/", 401, 404, 404},
		{"GET", "//metrics", 401, 200, 200}, // redirected to where it is guarded or not
		{"GET", "/healthz/../api/v1/config", 401, 200, 200},
		{"POST", "/api/v1/rollouts/shop/pause", 401, 403, 200},
		{"POST", "/api/v1/rollouts/abort", 401, 403, 200},
		{"POST", "/-/reload", 401, 403, 501},
		{"POST", "/metrics", 401, 403, 405},
		{"PUT", "/api/v1/rollouts/shop/pause", 401, 403, 405},
		{"OPTIONS", "/api/v1/rollouts/shop/pause", 401, 403, 405},
	} {
		s, f := withReadToken(t) // one for each: wrong tokens run out
		for _, by := range []struct {
			name  string
			field []string
			want  int
		}{
			{"nobody", nil, c.none},
			{"a reader", []string{readBearer}, c.read},
			{"an operator", []string{bearer}, c.operate},
			{"a guesser", []string{"Authorization: Bearer " + readSecret[1:] + "f"}, c.none},
		} {
			before := len(f.commands)
			got := s.do(c.method, c.path, "", by.field...)
			if got.status != by.want {
				t.Errorf("%s %s by %s: %d, want %d", c.method, c.path, by.name, got.status, by.want)
			}
			if got.status >= 400 && c.method != http.MethodHead {
				got.problem(t)
			}
			if (len(f.commands) > before) != (got.status == 200 && c.method == "POST") {
				t.Errorf("%s %s by %s: %d, obeyed: %v", c.method, c.path, by.name, got.status, len(f.commands) > before)
			}
			for name := range got.header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s %s by %s: %s", c.method, c.path, by.name, name)
				}
			}
		}
	}
	s, _ := withReadToken(t)
	if p := s.do("POST", "/api/v1/rollouts/shop/pause", `{}`, readBearer).problem(t); !strings.Contains(p.Detail, "change nothing") {
		t.Errorf("%+v", p)
	}
}

// Beyond loopback the metrics need a token as well, and the read token will do.
func TestReadTokenElsewhere(t *testing.T) {
	o := options(newFake())
	o.Config.Address, o.Exposure, o.Config.ReadToken = "0.0.0.0:0", Insecure, readSecret
	s := serve(t, o)
	s.base = "http://127.0.0.1" + s.base[strings.LastIndex(s.base, ":"):]
	for _, c := range []struct {
		path          string
		without, with int
	}{{"/metrics", 401, 200}, {"/api/v1/rollouts", 401, 200}, {"/readyz", 200, 200}} {
		if got := s.get(c.path); got.status != c.without {
			t.Errorf("%s without: %d", c.path, got.status)
		}
		if got := s.do("GET", c.path, "", readBearer); got.status != c.with {
			t.Errorf("%s with: %d", c.path, got.status)
		}
	}
}

func TestReadTokensThatAreRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{readSecret + "\n", ""},
		{secret + "\n", "the same as the token"},
		{"short", "it has 5 characters, at least 16 are needed"},
		{"", "is empty"},
	} {
		path := filepath.Join(t.TempDir(), "read.token")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		o := options(newFake())
		o.Config.ReadTokenFile = path
		unlock, err := loadKeys(o.Config)
		if c.want != "" {
			wantError(t, err, "read token", c.want)
			if err != nil && c.text != "" && strings.Contains(err.Error(), strings.TrimSpace(c.text)) {
				t.Errorf("the message shows it: %v", err)
			}
			continue
		}
		if err != nil || unlock.of(readSecret) != roleRead || unlock.of(secret) != roleOperate || unlock.of("") != roleNone {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	o := options(newFake())
	o.Config.ReadTokenFile = filepath.Join(t.TempDir(), "none") // is not made
	_, err := open(t, o)
	wantError(t, err, "admin read token", "no such file")
}

// The names that the operator adds are taken with any port and in any spelling; nothing that only looks like them is.
func TestConfiguredHosts(t *testing.T) {
	o := options(newFake())
	o.Config.Hosts = []string{"Ops.Example", "192.0.2.7", "[2001:db8::7]"}
	s := serve(t, o)
	port := s.base[strings.LastIndex(s.base, ":"):]
	for host, want := range map[string]int{
		"ops.example" + port: 200, "ops.example": 200, "OPS.example.": 200, "ops.example:443": 200,
		"192.0.2.7": 200, "192.0.2.7" + port: 200, "[2001:db8::7]:1": 200, "[2001:db8::7]": 200,
		"ops.example.evil.example": 421, "evil-ops.example": 421, "192.0.2.8": 421, "[2001:db8::8]": 421, "": 421, ":": 421,
		"ops.example:443:1": 421, "user@ops.example": 400, "localhost": 421, "localhost" + port: 200,
	} {
		if got := s.rawHost(host); got != want {
			t.Errorf("Host %q: %d, want %d", host, got, want)
		}
	}
}
