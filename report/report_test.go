package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const onePercent = config.Whole / 100

func moment(seconds int) time.Time {
	return time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

// shop is a rollout that was rolled back on its second step.
func shop() *Report {
	return &Report{
		Summary: Summary{
			ID: "ab12cd34ef56.2", Service: "shop", Stable: "v1", Canary: "v2", Identity: "build 77", Policy: "careful", Attempt: 2,
			Result: RolledBack, Rule: "the check errors failed: canary 2.31 % of 4,120 failed, stable 0.40 %",
			Started: moment(10), Ended: moment(730),
		},
		Version: Version, Trigger: "check", PolicyHash: "0123456789abcdef", Created: moment(0),
		Verdict: "canary 2.31 % of 4,120 failed", Class: "fail",
		Checks: []Check{
			{
				Name: "errors", Class: "fail", Critical: true, CanaryBad: 95, CanaryTotal: 4120, StableBad: 148, StableTotal: 37080,
				CanaryRate: 0.0231, StableRate: 0.004, Allowed: 0.0054, Evidence: 372, Needed: 200, FailedAt: moment(730),
				Sentence: "canary 2.31 % of 4,120 failed, stable 0.40 %",
			},
			{Name: "p99 max", Class: "no_data", Score: 50, Alone: true, Muted: true, Allowed: 0.01, Evidence: 1, Needed: 200},
		},
		Budget: Budget{Limit: 100, Spent: 97},
		Variants: []Variant{
			{Name: "v1", Role: "stable", Requests: 39001, Failed: 150}, {Name: "v2", Role: "canary", Requests: 4301, Failed: 97},
		},
		Configuration: "fedcba9876543210",
		Endpoints: []Endpoint{
			{Variant: "v1", Role: "stable", Name: "shop-1.test:80", Address: "192.0.2.1:80", Requests: 39001, Failed: 150},
			{Variant: "v2", Role: "canary", Name: "shop-2.test:80", Address: "192.0.2.2:80", Requests: 4300, Failed: 2},
			{Variant: "v2", Role: "canary", Name: "shop-2.test:80", Address: "192.0.2.3:80", Requests: 95, Failed: 95},
		},
		Failures: []Failure{failed()},
		Steps: []Step{
			{Name: "1%", Weight: onePercent, Entered: moment(10), Left: moment(310)},
			{Name: "10%", Weight: 10 * onePercent, Entered: moment(310), Left: moment(730)},
		},
		Waits: []Wait{
			{Kind: "hold", Reason: "no canary traffic for 30s", From: moment(60), To: moment(90)},
			{Kind: "pause", Reason: "lunch", From: moment(400), To: moment(500)},
		},
		Orders: []Order{{Time: moment(10), Actor: "ann@desk", What: "retried", Why: "fixed", Step: "1%", Weight: onePercent}},
		Moments: []Moment{
			{Time: moment(10), Kind: "retried", Step: "1%", Weight: onePercent, Reason: "fixed", Actor: "ann@desk"},
			{Time: moment(310), Kind: "step", Step: "10%", Weight: 10 * onePercent, Reason: "1% is done", Numbers: "canary 0.1 % failed"},
			{Time: moment(730), Kind: "rolled_back", Reason: "the check errors failed", Numbers: "canary 2.31 % of 4,120 failed"},
		},
	}
}

// empty is a rollout that ended before it began.
func empty() *Report {
	return &Report{
		Summary: Summary{ID: "ab", Service: "shop", Stable: "v1", Canary: "v2", Policy: "careful", Attempt: 1, Result: Superseded, Rule: "gone", Ended: moment(5)},
		Version: Version, Created: moment(0), Checks: []Check{}, Variants: []Variant{}, Steps: []Step{}, Waits: []Wait{},
		Orders: []Order{}, Moments: []Moment{},
	}
}

func TestForms(t *testing.T) {
	for name, r := range map[string]*Report{"rolled_back": shop(), "never_began": empty()} {
		text, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, text, "", "  "); err != nil {
			t.Fatal(err)
		}
		for form, got := range map[string][]byte{"json": indented.Bytes(), "md": r.Markdown(), "html": r.HTML()} {
			path := filepath.Join("testdata", name+"."+form)
			if *update {
				if err := os.WriteFile(path, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (run with -update if this is right): %s", path, diff)
			}
		}
	}
}

func TestJSONIsReadAgain(t *testing.T) {
	text, err := shop().JSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shop(), &got); diff != "" {
		t.Error(diff)
	}
	later := shop()
	later.Version++
	if text, err = later.JSON(); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(text); err == nil {
		t.Error("a later version was read")
	}
	if _, err := Parse([]byte("{")); err == nil {
		t.Error("half a report was read")
	}
}

// hostile is text that is code somewhere.
const hostile = "<script>alert('x')</script> \"' onload=\"y\" </style></title> & [a](javascript:b) `c` **d** | e \\ # f \n# g\r\n" +
	"- h\x1b[2J \u202e https://evil.example www.evil.example ![i](j) <k@l> $m$ ~~n~~"

// infected is a report with that in every text that others write.
func infected() *Report {
	r := shop()
	for _, text := range []*string{
		&r.ID, &r.Service, &r.Stable, &r.Canary, &r.Identity, &r.Policy, &r.Rule, &r.Verdict, &r.Checks[0].Name, &r.Checks[0].Sentence,
		&r.Variants[0].Name, &r.Steps[0].Name, &r.Waits[0].Reason, &r.Orders[0].Actor, &r.Orders[0].Why, &r.Moments[0].Step,
		&r.Moments[0].Reason, &r.Moments[0].Numbers, &r.Moments[0].Actor, &r.PolicyHash,
	} {
		*text = hostile
	}
	return r
}

func TestForeignTextIsTextInHTML(t *testing.T) {
	clean, page := shop().HTML(), infected().HTML()
	if want, got := elements(t, clean), elements(t, page); want != got {
		t.Errorf("foreign text made elements:\n%s\ninstead of\n%s", got, want)
	}
	if i := bytes.IndexFunc(page, func(r rune) bool { return r == 0x1b || r == 0x202e }); i >= 0 {
		t.Error("a control character is left")
	}
	for _, bad := range []string{"<script", "javascript:b)\"", "onload=\"", "src=", "url(", "@import"} {
		if bytes.Contains(page, []byte(bad)) {
			t.Errorf("the page has %q", bad)
		}
	}
	policy := ContentSecurityPolicy()
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %s", policy)
	}
}

// elements are the names of the elements of a page and of their attributes, in order.
func elements(t *testing.T, page []byte) string {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(page))
	decoder.Strict, decoder.AutoClose, decoder.Entity = false, []string{"meta"}, xml.HTMLEntity
	var out strings.Builder
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if element, is := token.(xml.StartElement); is {
			out.WriteString("<" + element.Name.Local)
			for _, a := range element.Attr {
				out.WriteString(" " + a.Name.Local)
			}
		}
	}
}

func TestForeignTextIsTextInMarkdown(t *testing.T) {
	clean, page := string(shop().Markdown()), string(infected().Markdown())
	shape := func(text string) string { // what begins each line
		var out strings.Builder
		for _, line := range strings.Split(text, "\n") {
			out.WriteString(line[:min(2, len(line))] + strings.Repeat("|", bars(line)) + "\n")
		}
		return out.String()
	}
	if diff := cmp.Diff(shape(clean), shape(page)); diff != "" {
		t.Errorf("foreign text made structure: %s", diff)
	}
	for at, r := range page {
		if strings.ContainsRune("<>[`~$!&", r) && page[at-1] != '\\' {
			t.Fatalf("%q is not escaped in %q", r, page[max(0, at-20):at+10])
		}
	}
}

// bars counts what ends cells of a table.
func bars(line string) int { return strings.Count(line, "|") - strings.Count(line, `\|`) }

func TestMarked(t *testing.T) {
	for text, want := range map[string]string{
		"1. list": `1\. list`, "12) list": `12\) list`, "1.5 s": "1.5 s", "3.": `3\.`, "- list": `\- list`, "a-b": "a-b", "  # x": `\# x`,
		"http://x": `http:\//x`, "www.x": `www\.x`, "careful": "careful", "v1.2": "v1.2", "": "", "a\nb": "a b",
	} {
		if got := marked(text); got != want {
			t.Errorf("%q is written %q, want %q", text, got, want)
		}
	}
}

// The drawing keeps inside its frame, whatever the clock did.
func TestDrawingKeepsInside(t *testing.T) {
	r := shop()
	r.Moments[1].Time, r.Waits[0].From = moment(-1000), moment(5000)
	page := string(r.HTML())
	if !strings.Contains(page, "<svg") || strings.Contains(page, "NaN") || strings.Contains(page, "Inf") || strings.Contains(page, `"-`) {
		t.Error("the drawing has numbers outside of it")
	}
	r.Ended = r.Started
	if strings.Contains(string(r.HTML()), "<svg") {
		t.Error("there is a drawing of no time")
	}
}
