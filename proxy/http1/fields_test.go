package http1

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lines shows fields as "name=value" texts.
func lines(fields Fields) []string {
	var out []string
	for _, f := range fields {
		out = append(out, string(f.Name)+"="+string(f.Value))
	}
	return out
}

// fields makes fields of "name: value" lines, without looking at them closely.
func fields(text ...string) Fields {
	var out Fields
	for _, line := range text {
		name, value, _ := strings.Cut(line, ": ")
		out = append(out, Field{Name: []byte(name), Value: []byte(value)})
	}
	return out
}

// statusOf returns the answer that an error asks for, 0 for none.
func statusOf(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	var syntax *SyntaxError
	if !errors.As(err, &syntax) {
		t.Fatalf("error %v is not a *SyntaxError", err)
	}
	return syntax.Status
}

func TestParseFieldsReadsWhatIsWellFormed(t *testing.T) {
	for _, end := range []string{"", "\r\n"} {
		block := "Host: a.test\r\nX-Empty:\r\nX-Tab:\t a\tb \t\r\nx!#$%&'*+-.^_`|~9: \x80\xff\r\n" + end
		got, err := ParseFields([]byte(block), nil, 10)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"Host=a.test", "X-Empty=", "X-Tab=a\tb", "x!#$%&'*+-.^_`|~9=\x80\xff"}
		if diff := cmp.Diff(want, lines(got)); diff != "" {
			t.Error(diff)
		}
	}
	if got, err := ParseFields(nil, nil, 0); err != nil || len(got) != 0 {
		t.Errorf("empty block: %v, %v", got, err)
	}
}

func TestParseFieldsRefusesWhatTwoReadersCouldReadDifferently(t *testing.T) {
	for name, block := range map[string]string{
		"fold":                "X-A: a\r\n b\r\n",
		"fold with tab":       "X-A: a\r\n\tb\r\n",
		"space first":         " X-A: a\r\n",
		"fold of nothing":     "Transfer-Encoding:\r\n chunked\r\n",
		"bare LF":             "X-A: a\nX-B: b\r\n",
		"bare LF at the end":  "X-A: a\n",
		"bare CR":             "X-A: a\rX-Admin: 1\r\n",
		"two CR":              "X-A: a\r\r\n",
		"space before colon":  "X-A : a\r\n",
		"tab before colon":    "Transfer-Encoding\t: chunked\r\n",
		"no colon":            "Foo\r\n",
		"empty name":          ": a\r\n",
		"NUL in value":        "X-A: a\x00b\r\n",
		"DEL in value":        "X-A: a\x7fb\r\n",
		"control in value":    "X-A: \x0bchunked\r\n",
		"control in name":     "Fo\x01o: x\r\n",
		"0x80 in name":        "Fo\x80o: x\r\n",
		"space in name":       "Foo Bar: x\r\n",
		"no line end":         "X-A: a",
		"empty line, then on": "X-A: a\r\n\r\nX-B: b\r\n",
	} {
		if _, err := ParseFields([]byte(block), nil, 10); statusOf(t, err) != 400 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseFieldsBoundsTheirNumber(t *testing.T) {
	block := []byte(strings.Repeat("X-N: y\r\n", 100))
	if got, err := ParseFields(block, nil, 100); err != nil || len(got) != 100 {
		t.Errorf("at the limit: %d, %v", len(got), err)
	}
	if _, err := ParseFields(block, nil, 99); statusOf(t, err) != 431 {
		t.Errorf("over the limit: %v", err)
	}
}

func TestFieldsAreFoundWhateverTheirSpelling(t *testing.T) {
	f := fields("a: 1", "B: x, close ,", "A: 2", "b: TOKEN")
	if v, ok := f.Get("A"); !ok || string(v) != "1" {
		t.Errorf("Get: %q, %v", v, ok)
	}
	if _, ok := f.Get("c"); ok {
		t.Error("Get found what is not there")
	}
	var all []string
	for v := range f.All("A") {
		all = append(all, string(v))
	}
	if diff := cmp.Diff([]string{"1", "2"}, all); diff != "" {
		t.Error(diff)
	}
	if f.Count("b") != 2 || !f.HasToken("b", "Close") || !f.HasToken("B", "token") || f.HasToken("b", "clos") || f.HasToken("a", "token") {
		t.Error("Count or HasToken")
	}
	if diff := cmp.Diff([]string{"B=x, close ,", "b=TOKEN"}, lines(f.Delete("a"))); diff != "" {
		t.Error(diff)
	}
}

// dumbField is RFC 9112 section 5 as a regular expression.
func dumbField() *regexp.Regexp {
	return regexp.MustCompile("^([!#$%&'*+\\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[!-~\\x80-\\xff](?:[\t -~\\x80-\\xff]*[!-~\\x80-\\xff])?)?)[ \t]*$")
}

func FuzzFieldBlock(f *testing.F) {
	for _, seed := range []string{
		"", "\r\n", "Host: a\r\n\r\n", "A:\r\n", "A: b\r\n c\r\n", "A : b\r\n", "A: b\n", "A: a\rB: c\r\n", "A: \x80\t \r\nb:c\r\n", ":\r\n",
		"Transfer-Encoding: \x0bchunked\r\n", "\r\nA: b\r\n",
	} {
		f.Add([]byte(seed))
	}
	dumb := dumbField()
	f.Fuzz(func(t *testing.T, block []byte) {
		got, err := ParseFields(block, nil, 1000)
		want, ok := dumbFields(dumb, string(block))
		if ok != (err == nil) && len(want) <= 1000 {
			t.Fatalf("%q: %v, but the dumb reader says %v", block, err, ok)
		}
		if err != nil {
			return
		}
		if diff := cmp.Diff(want, lines(got)); diff != "" {
			t.Fatal(diff)
		}
		RequestLength(got)
		RequestHost(got, 1)
		again, err := ParseFields(AppendFields(nil, RemoveHopByHop(got, nil)), nil, 1000)
		if err != nil {
			t.Fatalf("what is written is refused: %v", err)
		}
		if n := again.Count("Connection") + again.Count("Transfer-Encoding"); n != 0 {
			t.Fatalf("%d hop-by-hop fields left in %q", n, lines(again))
		}
	})
}

// dumbFields reads a block line by line, with all the time in the world.
func dumbFields(field *regexp.Regexp, block string) ([]string, bool) {
	if block == "" || block == "\r\n" {
		return nil, true
	}
	if !strings.HasSuffix(block, "\r\n") {
		return nil, false
	}
	block = strings.TrimSuffix(strings.TrimSuffix(block, "\r\n"), "\r\n")
	var out []string
	for _, line := range strings.Split(block, "\r\n") {
		m := field.FindStringSubmatch(latin1(line))
		if m == nil {
			return nil, false
		}
		out = append(out, bytesOf(m[1])+"="+bytesOf(m[2]))
	}
	return out, true
}

// latin1 makes a text with one code point for each octet, for regular expressions to see octets.
func latin1(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

func bytesOf(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// What the summary of the names says is not there is not there, whatever its spelling; and it is of use.
func TestNamesOfFields(t *testing.T) {
	known := []string{
		"Host", "User-Agent", "Accept", "Accept-Encoding", "Accept-Language", "Cookie", "Content-Length", "Content-Type", "Connection", "Referer",
		"X-Request-Id", "X-Forwarded-For", "X-Variant", "X-Role", "Traceparent", "Upgrade", "Expect", "Authorization", "_x", "~", "1",
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var absent, missed int
	for range 2000 {
		var list Fields
		for range rng.IntN(12) {
			list = append(list, Field{Name: []byte(known[rng.IntN(len(known))])})
		}
		names := list.Names()
		for _, name := range known {
			for _, spelling := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
				_, found := list.Get(spelling)
				switch may := names.May(spelling); {
				case found && !may:
					t.Fatalf("%q is among %v, and not in their summary", spelling, lines(list))
				case !found && may:
					missed++
					fallthrough
				case !found:
					absent++
				}
			}
		}
	}
	if missed > absent/4 {
		t.Errorf("%d of %d names that are not there may be there", missed, absent)
	}
	if names := (Fields{{}}).Names(); names.May("") || names.May("Host") {
		t.Error("a field without a name has one")
	}
}
