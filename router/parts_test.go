package router

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"haldane/config"
)

// dumbPart is the part of a request, by the words of the documentation: of all templates that match, the one that has the more
// specific segment at the first place in which they differ; else the first segment of the list.
func dumbPart(p *config.Partial, r *request) string {
	best, order := "", ""
	for name, template := range p.Templates {
		if ranks, ok := dumbTemplate(template, string(r.path)); ok && (best == "" || ranks < order) {
			best, order = name, ranks
		}
	}
	if best != "" {
		return best
	}
	for _, segment := range p.Segments {
		if value, _ := r.Field("X-" + segment); string(value) == "yes" {
			return segment
		}
	}
	return ""
}

// dumbTemplate holds a path against a template, and says how each segment matched: as text, as any, as the rest.
func dumbTemplate(template, path string) (ranks string, ok bool) {
	if !strings.HasPrefix(path, "/") {
		return "", false
	}
	want, got := strings.Split(template[1:], "/"), strings.Split(path[1:], "/")
	for i, w := range want {
		switch {
		case w == "*":
			return ranks + "3", true
		case i >= len(got):
			return "", false
		case w == got[i]:
			ranks += "1"
		case strings.HasPrefix(w, "{") && got[i] != "":
			ranks += "2"
		default:
			return "", false
		}
	}
	return ranks, len(want) == len(got)
}

// randomPartial is some parts over few words, so that they often overlap.
func randomPartial(rng *rand.Rand) *config.Partial {
	p := &config.Partial{Templates: map[string]string{}, Segments: []string{"eu", "app"}[:rng.IntN(3)]}
	taken := map[string]bool{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"}[:rng.IntN(7)] {
		text := ""
		for range 1 + rng.IntN(3) {
			text += "/" + []string{"cart", "item", "{x}"}[rng.IntN(3)]
		}
		if rng.IntN(2) == 0 {
			text = []string{text, ""}[rng.IntN(2)] + "/*"
		}
		if !taken[text] { // which config refuses
			taken[text] = true
			p.Templates[name] = text
		}
	}
	return p
}

func randomPartRequest(rng *rand.Rand) *request {
	path := ""
	for range rng.IntN(5) {
		path += "/" + []string{"cart", "item", "7", ""}[rng.IntN(4)]
	}
	r := get("shop.example.com", []string{path, path + "/", path}[rng.IntN(3)])
	for _, segment := range []string{"eu", "app"} {
		if rng.IntN(2) == 0 {
			r.field("X-"+segment, "yes")
		}
	}
	switch rng.IntN(5) {
	case 0:
		r.field("X-Variant", "v2")
	case 1:
		r.field("X-Staff", "yes")
	case 2:
		r.cookie("uid", string(rune('a'+rng.IntN(26))))
	}
	return r
}

// Each request belongs to the part that the documentation says, and a part that is gone never gets the canary: not by the draw, a
// segment, a sticky user or a pin, and not with an assignment that was made before.
func TestPartsAgainstDumb(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 77))
	seen := map[string]int{}
	for range 400 {
		partial := randomPartial(rng)
		list := partial.Parts()
		back := Parts(rng.Uint32())
		before := partTable(t, partial, 0)
		after := partTable(t, partial, back)
		for range 100 {
			r, random := randomPartRequest(rng), rng.Uint64()
			a := before.Assign(r, random)
			if name := nameOf(list, a.Part); name != dumbPart(partial, r) {
				t.Fatalf("%s of %v is in part %q, want %q", r.path, partial, name, dumbPart(partial, r))
			}
			switch got := after.Assign(r, random); {
			case back.has(a.Part) && (got.Variant != got.Split.Stable || got.Stratum != StratumNone):
				t.Fatalf("%s of a part that is gone: %+v", r.path, got)
			case back.has(a.Part) && got.Refused != (a.Reason == ReasonPin):
				t.Fatalf("%s: refused is %v", r.path, got.Refused)
			case !back.has(a.Part) && (got.Variant != a.Variant || got.Stratum != a.Stratum || got.Refused):
				t.Fatalf("%s of a part that stays: %+v, was %+v", r.path, got, a)
			}
			canary := a.Variant != a.Split.Stable
			a.Split.Revocation.RevokeParts(back)
			if a.Revoked() != (canary && back.has(a.Part)) {
				t.Fatalf("%s: revoked is %v", r.path, a.Revoked())
			}
			if again := before.Assign(r, random); back.has(a.Part) && again.Variant != again.Split.Stable {
				t.Fatalf("%s under the split before, after the switch: %+v", r.path, again)
			}
			*a.Split.Revocation = Revocation{}
			seen[a.Reason.String()]++
			if a.Part != 0 {
				seen["part"]++
			}
		}
	}
	for _, word := range []string{"part", "pin", "segment", "sticky", "split"} {
		if seen[word] < 1000 {
			t.Errorf("only %d requests by %s", seen[word], word)
		}
	}
}

func nameOf(list []config.Part, number uint8) string {
	if number == 0 {
		return ""
	}
	return list[number-1].Name
}

// partTable is a service with parts, of which some are gone.
func partTable(t testing.TB, partial *config.Partial, back Parts) *Service {
	t.Helper()
	settings := shop()
	settings.Pins = []config.Pin{{Header: "X-Variant"}}
	table := build(t, Options{
		Services: map[string]config.Service{"shop": settings},
		Segments: map[string]config.Predicate{
			"staff": {Header: "X-Staff", Exact: "yes"}, "eu": {Header: "X-eu", Exact: "yes"}, "app": {Header: "X-app", Exact: "yes"},
		},
		Splits: map[string]SplitSpec{"shop": {
			Rollout: "r1", Stable: "v1", Canary: "v2", Weight: 50 * percentUnit, Segment: "staff", Strength: 50 * percentUnit,
			Revocation: &Revocation{}, Partial: partial, Back: back,
		}},
	})
	return table.Services()[0]
}

// An override is an order for all requests, and a rollback is one for all parts.
func TestPartsAndOrders(t *testing.T) {
	partial := &config.Partial{Templates: map[string]string{"cart": "/cart/*"}, Segments: []string{"gone"}}
	s := partTable(t, partial, 1)
	cart, pinned := get("shop", "/cart/1"), get("shop", "/item").field("X-Variant", "v2")
	if a := s.Assign(cart, 0); a.Variant != a.Split.Stable {
		t.Errorf("the cart is gone: %+v", a)
	}
	if a := s.Assign(pinned, 0); a.Variant != a.Split.Canary || a.Refused {
		t.Errorf("the rest is not: %+v", a)
	}
	s.Split().Revocation.Revoke()
	if a := s.Assign(pinned, 0); a.Variant != a.Split.Stable || !a.Refused {
		t.Errorf("all is rolled back: %+v", a)
	}
	if !s.Split().Revocation.Revoked() || s.Split().Revocation.Revoke() {
		t.Error("it was revoked once")
	}
	spec := s.spec
	spec.Override, spec.Segment, spec.Strength = "v2", "", 0
	ordered, err := s.with(spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := ordered.Assign(cart, 0); a.Variant != a.Split.Canary || a.Reason != ReasonOverride {
		t.Errorf("an override is an explicit order: %+v", a)
	}
}

// A template of many segments is held against paths of any length and form.
func FuzzTemplates(f *testing.F) {
	f.Add("/a/{x}/*", "/a/b/c/d")
	f.Add("/{x}", "//")
	f.Add("/*", "")
	f.Fuzz(func(t *testing.T, template, path string) {
		words := strings.Split(template, "/")
		if !strings.HasPrefix(template, "/") || slices.Contains(words[:len(words)-1], "*") || strings.Contains(template, "{}") {
			t.Skip()
		}
		for _, word := range words {
			if strings.HasPrefix(word, "{") != strings.HasSuffix(word, "}") {
				t.Skip()
			}
		}
		p := newParts([]config.Part{{Name: "a", Template: template}}, nil)[0]
		if _, want := dumbTemplate(template, path); p.matches([]byte(path)) != want {
			t.Errorf("%q matches %q: %v, want %v", template, path, !want, want)
		}
	})
}
