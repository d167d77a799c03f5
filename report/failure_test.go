package report

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
)

// failed is a request that failed.
func failed() Failure {
	f := Failure{
		Time: moment(700), Took: config.Duration(120 * time.Millisecond), Method: "POST", URL: "https://shop.test/cart?item=7;token=***",
		Fields: []Field{{"Accept", "text/html"}, {"X-Empty", ""}, {"X-Quote", "it's"}}, Body: 1200, Outcome: "server_error", Status: 500,
		Endpoint: "192.0.2.3:80", RequestID: "r-1",
	}
	f.Curl = f.Repeat()
	return f
}

// The command is for a shell: what it takes out of it is what was asked for, whatever that says.
func TestRepeatIsQuoted(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	for _, nasty := range []string{"plain", "it's", "$(touch x)`id`", `a"b\c`, "'; rm -rf / #", "*?[a]{b}~!", "\\'", "a b\tc", "--output", "@/etc/passwd"} {
		f := Failure{Method: "PURGE", URL: "http://shop.test/" + nasty, Fields: []Field{{"X-A", nasty}}}
		// The command is asked what its words are by giving the name curl to a function.
		out, err := exec.Command(shell, "-c", "curl() { printf '%s\\n' \"$@\"; }\n"+f.Repeat()).Output()
		if err != nil {
			t.Errorf("%s: %v", f.Repeat(), err)
		}
		nasty = strings.ReplaceAll(nasty, "\t", " ") // see plain
		want := "--silent\n--show-error\n--include\n--path-as-is\n--globoff\n--request\nPURGE\n--header\nX-A: " + nasty + "\n--url\nhttp://shop.test/" + nasty + "\n"
		if diff := cmp.Diff(want, string(out)); diff != "" {
			t.Errorf("%s: %s", f.Repeat(), diff)
		}
	}
}

func TestRepeatMethods(t *testing.T) {
	for method, want := range map[string]string{"GET": "--globoff --url", "HEAD": "--globoff --head --url", "PUT": "--globoff --request 'PUT' --url"} {
		f := Failure{Method: method, URL: "http://a/"}
		if got := f.Repeat(); !strings.Contains(got, want) {
			t.Errorf("%s: %s", method, got)
		}
	}
}

// A hostile request is text in the report.
func TestHostileFailure(t *testing.T) {
	clean, bad := shop(), shop()
	f := &bad.Failures[0]
	f.URL, f.Method, f.Endpoint, f.RequestID, f.Outcome = hostile, hostile, hostile, hostile, hostile
	f.Fields = []Field{{"X", hostile}}
	f.Curl = f.Repeat()
	if want, got := elements(t, clean.HTML()), elements(t, bad.HTML()); want != got {
		t.Errorf("foreign text made elements:\n%s\ninstead of\n%s", got, want)
	}
	want, got := strings.Split(string(clean.Markdown()), "\n"), strings.Split(string(bad.Markdown()), "\n")
	if len(want) != len(got) {
		t.Fatalf("foreign text made %d lines of %d", len(got), len(want))
	}
	for i := range want {
		if strings.HasPrefix(want[i], "    ") != strings.HasPrefix(got[i], "    ") {
			t.Errorf("line %d: %q instead of %q", i, got[i], want[i])
		}
	}
	if strings.ContainsAny(string(bad.Markdown()), "\x1b\u202e\r") {
		t.Error("a control character is left")
	}
}
