package faults

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"haldane/bench/process"
)

// mistake is a file that must not be put in force, and a word of what is said about it.
type mistake struct{ name, text, reason string }

func mistakes() []mistake {
	second := "  again:\n    match: [{host: a.test}]\n    variants: {v1: {endpoints: [%ENDPOINTS%]}}\n"
	return []mistake{
		{"nothing", "", "empty"},
		{"no YAML", "version: [1", "yaml"},
		{"unknown key", configuration + "\nwhatever: 1\n", "whatever"},
		{"half of the file", configuration[:len(configuration)/2], "haldane.yaml:"},
		{"no endpoints", strings.Replace(configuration, "[%ENDPOINTS%]", "[]", 1), "endpoint"},
		{"the same route twice", strings.Replace(configuration, "  shop:\n", "  shop:\n    match: [{host: a.test}]\n", 1) + second, "matches exactly the same"},
		{"bytes", "\x00\xff\xfe", "haldane.yaml"},
		{"a bomb", "x-a: &a [x,x,x,x,x,x,x,x,x]\n" + bomb() + strings.Replace(configuration, "[%ENDPOINTS%]", "*k", 1), "expected text"},
		{"a hundred megabytes", configuration + strings.Repeat("# and so on, and so on, and so on, and so on, and so on\n", 100_000_000/56), "large"},
	}
}

// Files that are wrong in all kinds of ways change nothing, and are reported with the reason; a good one behind them counts, also when
// it comes as Kubernetes brings it, by a link that is swapped.
func badReloads(t *testing.T, binary string) {
	s := setUp(t, process.Options{Binary: binary, Config: configuration})
	before := s.ledger(t)
	load := startLoad(t, s.Address, rate, mixed)
	began := time.Now()
	for _, m := range mistakes() {
		s.reload(t, m.text)
		s.refused(t, m.name, m.reason)
	}
	if err := os.Remove(s.Config); err != nil {
		t.Fatal(err)
	}
	s.Signal(t, syscall.SIGHUP)
	s.refused(t, "no file", "no such file")
	s.reload(t, configuration+"\n# and well again\n")
	s.inForce(t, "X-Variant")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	// Where clients connect does not change without a restart: a port in use is found there.
	s.reload(t, strings.NewReplacer("%ADDRESS%", taken.Addr().String(), "X-Variant", "X-Port").Replace(configuration))
	s.inForce(t, "X-Port")
	s.swapLinks(t)
	r := load.stop()
	if len(r.bad()) > 0 {
		t.Errorf("clients saw %s", r.saw())
	}
	s.conclude(t, r, began)
	s.account(t, before, r)
}

// refused waits until metric and API say that the file was not put in force, and why.
func (s *setting) refused(t *testing.T, name, reason string) {
	t.Helper()
	var state struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	said := func() bool {
		if err := json.Unmarshal([]byte(s.Page(t, "/api/v1/config")), &state); err != nil {
			t.Fatal(err)
		}
		return !state.OK && strings.Contains(state.Error, reason) && s.Metric(t, "haldane_config_last_reload_successful") == 0
	}
	if !process.Within(10*time.Second, said) {
		t.Errorf("%s: ok %v, %q does not say %q", name, state.OK, state.Error, reason)
	}
}

// inForce waits until the effective configuration has a text.
func (s *setting) inForce(t *testing.T, text string) {
	t.Helper()
	process.Until(t, text+" is in force", func() bool {
		return strings.Contains(s.Page(t, "/api/v1/config"), text) && s.Metric(t, "haldane_config_last_reload_successful") == 1
	})
}

// swapLinks changes the file as Kubernetes changes a ConfigMap: the file is a link through a link to a folder, and that one is
// replaced. Nobody sends a signal.
func (s *setting) swapLinks(t *testing.T) {
	t.Helper()
	dir, name := filepath.Split(s.Config)
	text, err := os.ReadFile(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		folder, field := fmt.Sprintf("..%d", n), fmt.Sprintf("X-Link-%d", n)
		changed := strings.Replace(string(text), "X-Port", field, 1)
		must(t, os.Mkdir(dir+folder, 0o700))
		must(t, os.WriteFile(filepath.Join(dir, folder, name), []byte(changed), 0o600))
		must(t, os.Symlink(folder, dir+"..data_tmp"))
		must(t, os.Rename(dir+"..data_tmp", dir+"..data"))
		if n == 0 {
			must(t, os.Symlink(filepath.Join("..data", name), s.Config+".link"))
			must(t, os.Rename(s.Config+".link", s.Config))
		}
		s.inForce(t, field)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bomb is a small file that would be a very large one without bounds on aliases.
func bomb() string {
	var text strings.Builder
	for c := 'b'; c <= 'k'; c++ {
		fmt.Fprintf(&text, "x-%c: &%c [%s]\n", c, c, strings.Repeat(fmt.Sprintf("*%c,", c-1), 9))
	}
	return text.String()
}
