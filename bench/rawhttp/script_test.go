package rawhttp

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseCases(t *testing.T) {
	trials, err := parseCases("some", `For readers.

case first
must RFC 1
why  it is
why  so
with a 1
with b 2\r
> GET /{}
> end\
>! drip 2 30ms x y
< answer
on /there
<! close
early
stale
limit 5s
expect refused 400 or forwarded
endpoint body \x00\s
then
> after
client status 200
`)
	if err != nil {
		t.Fatal(err)
	}
	want := trial{
		name: "first-b", group: "some", must: true, rule: "RFC 1", why: "it is so", limit: 5 * time.Second,
		client: []step{{send, "GET /2\r\r\n", 1, 0}, {send, "end", 1, 0}, {send, "x y", 2, 30 * time.Millisecond}},
		endpoint: script{
			steps: []step{{send, "answer\r\n", 1, 0}}, target: "/there", special: []step{{verb: hangUp, count: 1}}, early: true, stale: true,
		},
		checks:      []check{{"expect", "refused", "400 or forwarded"}, {"endpoint", "body", "\x00 "}},
		after:       []step{{send, "after\r\n", 1, 0}},
		afterChecks: []check{{"client", "status", "200"}},
	}
	if len(trials) != 2 || trials[0].name != "first-a" {
		t.Fatalf("%+v", trials)
	}
	all := cmp.AllowUnexported(trial{}, step{}, script{}, check{})
	if diff := cmp.Diff(want, trials[1], all); diff != "" {
		t.Error(diff)
	}
}

func TestParseCasesRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"unknown word":   "case a\nmust R\n> x\nexpect forwarded\nwhatever",
		"unknown action": "case a\nmust R\n>! jump\nexpect forwarded",
		"no rule":        "case a\n> x\nexpect forwarded",
		"no client":      "case a\nmust R\nexpect forwarded",
		"no checks":      "case a\nmust R\n> x",
		"lone backslash": "case a\nmust R\n> x\\q\nexpect forwarded",
		"bad duration":   "case a\nmust R\n>! pause x\nexpect forwarded",
	} {
		if trials, err := parseCases("some", text); err == nil {
			t.Errorf("%s: %+v", name, trials)
		}
	}
}

// A lane between a client and an endpoint without any proxy: what is said of good and bad exchanges.
func TestJudge(t *testing.T) {
	e, err := newEndpoint()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.stop)
	l := &lane{proxy: e.listener.Addr().String(), endpoint: e}
	const get = "case a\nmust R\n> GET /a HTTP/1.1\n> Host: a\n>\n"
	for name, test := range map[string]struct {
		text, wrong string // wrong is part of what is said; empty for nothing
	}{
		"good":               {get + "expect forwarded\nclient status 200\nclient body ok\nclient whole\nendpoint target /a\nclient open", ""},
		"status":             {get + "client status 404", "status 200"},
		"body":               {get + "client body no", `have "ok"`},
		"outcome":            {get + "expect refused 400", "1 requests reached"},
		"either":             {get + "expect refused 400 or forwarded", ""},
		"open":               {get + "limit 300ms\nclient closed", "left open"},
		"malformed request":  {"case a\nmust R\n> GET /a HTTP/1.0\n>\nclient status 400", "malformed bytes reached the endpoint"},
		"malformed response": {get + "< HTTP/1.1 2 OK\n<\nlimit 500ms\nexpect forwarded", "malformed bytes reached the client"},
		"smuggled":           {strings.Replace(get, "/a", "/smuggled", 1) + "expect forwarded", "smuggled"},
		"not cut":            {get + "limit 300ms\nclient cut", "cannot tell"},
		"cut":                {get + "< HTTP/1.1 200 OK\n< Content-Length: 9\n<\n< half\\\n<! close\nclient cut", ""},
		"too late":           {get + "<! pause 200ms\n< HTTP/1.1 200 OK\n< Content-Length: 0\n<\nclient reads 200 within 100ms", "only after"},
		"interim":            {get + "< HTTP/1.1 103 Hints\n<\n< HTTP/1.1 200 OK\n< Content-Length: 0\n<\nclient interim 103\nclient answers 200", ""},
		"unknown check":      {get + "client thinks so", "unknown check"},
	} {
		trials, err := parseCases("some", test.text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		v, err := l.play(&trials[0])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		said := strings.Join(v, "; ")
		if test.wrong == "" && said != "" || !strings.Contains(said, test.wrong) {
			t.Errorf("%s: said %q, want %q", name, said, test.wrong)
		}
	}
}
