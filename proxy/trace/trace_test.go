package trace

import (
	"encoding/hex"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"haldane/config"
)

const (
	sampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	zeros   = "00000000000000000000000000000000"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{sampled, true},
		{strings.TrimSuffix(sampled, "01") + "00", true},
		{strings.TrimSuffix(sampled, "01") + "ff", true},
		{"cc" + sampled[2:], true},                 // a version that is yet to come
		{"cc" + sampled[2:] + "-what-comes", true}, // with more in it
		{"cc" + sampled[2:] + "x", false},          // which begins with a dash
		{sampled + "-more", false},                 // version 00 has no more
		{sampled + " ", false},
		{"ff" + sampled[2:], false},
		{strings.ToUpper(sampled), false},
		{"00-" + zeros + "-00f067aa0ba902b7-01", false},
		{sampled[:36] + zeros[:16] + "-01", false},
		{strings.Replace(sampled, "-", "_", 1), false},
		{sampled[:54], false},
		{"", false},
	} {
		got, ok := Parse([]byte(c.text))
		if ok != c.ok || !ok && got != (Context{}) {
			t.Errorf("Parse(%q) = %v, %v", c.text, got, ok)
		}
	}
	got, _ := Parse([]byte(sampled))
	if got.Trace.String() != sampled[3:35] || got.Span.String() != sampled[36:52] || !got.Sampled() || string(got.Append(nil)) != sampled {
		t.Errorf("read as %v", got)
	}
}

// What is read as a context is one by the grammar of W3C Trace Context, and is written as it was read.
func FuzzParse(f *testing.F) {
	f.Add(sampled)
	f.Add("cc" + sampled[2:] + "-x")
	grammar := regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x00-\xff]*)?$`)
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := Parse([]byte(text))
		parts := grammar.FindStringSubmatch(strings.ToValidUTF8(text, "?"))
		want := parts != nil && parts[1] != "ff" && parts[2] != zeros && parts[3] != zeros[:16] && (parts[1] != "00" || parts[5] == "")
		if ok != want {
			t.Fatalf("Parse(%q): %v, want %v", text, ok, want)
		}
		if ok && string(got.Append(nil))[2:] != text[2:parentLength] {
			t.Fatalf("%q is written as %q", text, got.Append(nil))
		}
	})
}

// The share of a sampler is kept for random ids and for such that a stranger counts up; what a trusted caller says holds.
func TestSampler(t *testing.T) {
	const n = 20_000
	random := rand.New(rand.NewPCG(1, 2))
	for _, share := range []config.Percent{0, config.Whole / 100, config.Whole / 4, config.Whole} {
		s := NewSampler(share, random.Uint64())
		counted, drawn := 0, 0
		for i := range n {
			c := Context{Trace: NewID([2]uint64{0, uint64(2 * i)}), Flags: Sampled}
			first := s.Takes(&c, false)
			if first {
				counted++
			}
			if s.Takes(&c, false) != first {
				t.Fatal("two requests of a trace have not the same fate")
			}
			if s.Draws(random.Uint64()) {
				drawn++
			}
			if !s.Takes(&c, true) || s.Takes(&Context{Trace: c.Trace}, true) {
				t.Fatal("what a trusted caller has decided does not hold")
			}
		}
		want := share.Ratio() * n
		for _, got := range []int{counted, drawn} {
			if float64(got) < want-4*70 || float64(got) > want+4*70 { // four standard deviations of the widest share
				t.Errorf("share %s: %d of %d", share, got, n)
			}
		}
	}
}

func TestIDs(t *testing.T) {
	if NewID([2]uint64{}) == (ID{}) || NewSpanID(0) == (SpanID{}) {
		t.Error("an id that means none")
	}
	if got := NewSpanID(0xfe).String(); got != hex.EncodeToString([]byte{0, 0, 0, 0, 0, 0, 0, 0xff}) {
		t.Error(got)
	}
}

func TestTriesEndOnce(t *testing.T) {
	var r Request
	r.Over(time.Now(), "nothing is under way")
	r.Tries = append(r.Tries, Try{Start: time.Now()})
	end := time.Now()
	r.Over(end, "reset")
	r.Over(end.Add(time.Second), "")
	if got := r.Tries[0]; got.End != end || got.Error != "reset" || r.Current() != nil {
		t.Errorf("%+v", got)
	}
	for cause := First; cause <= Rescue; cause++ {
		if cause.String() == "unknown" {
			t.Errorf("cause %d has no name", cause)
		}
	}
}
