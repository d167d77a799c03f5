package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const withSegments = "version: 1\nsegments: {mobile: {header: X-App}, eu: {header: X-Region}}\npolicies: {quick: {steps: [5%], VALUE}}" + small

func TestPartialOptions(t *testing.T) {
	const at = "partial."
	many := make([]string, 9)
	for i := range many {
		many[i] = fmt.Sprintf("p%d: /p%d", i, i)
	}
	testOptions(t, withSegments, "policies.quick.",
		good(`partial: {templates: {cart: "/cart/*", item: "/items/{id}/reviews"}, segments: [mobile, eu], on_failure: part}`),
		good(`partial: {segments: [eu]}`),
		good(`partial: {templates: {all: "/*", home: "/", one: "/{x}"}, on_failure: all}`),
		good(`partial: off`),
		bad(`partial: {}`, "partial: expected at least one of templates and segments"),
		bad(`partial: {templates: {`+strings.Join(many, ", ")+`}}`, "partial: expected at most 8 parts, got 9"),
		bad(`partial: {segments: [eu], on_failure: some}`, at+`on_failure: expected all or part, got "some"`),
		bad(`partial: {templates: {"a b": /a}}`, at+`templates["a b"]: the name of a part is made of letters, digits, ".", "_" and "-" `+
			`and begins with a letter or a digit, got "a b"`),
		bad(`partial: {templates: {a: cart}}`, at+`templates.a: expected a path that begins with "/", got "cart"`),
		bad(`partial: {templates: {a: "/a?b"}}`, at+`templates.a: expected a path without a query, a fragment and spaces, got "/a?b"`),
		bad(`partial: {templates: {a: "/a//b"}}`, at+`templates.a: expected no empty segment, got "/a//b"`),
		bad(`partial: {templates: {a: "/a/"}}`, at+`templates.a: expected no empty segment, got "/a/"`),
		bad(`partial: {templates: {a: "/a/*/b"}}`, at+`templates.a: expected "{x}" as a whole segment, and "*" as the last one, at segment 2, got "/a/*/b"`),
		bad(`partial: {templates: {a: "/x{a}"}}`, at+`templates.a: expected "{x}" as a whole segment, and "*" as the last one, at segment 1, got "/x{a}"`),
		bad(`partial: {templates: {a: "/{x}/b", b: "/{y}/b"}}`, at+`templates.b: the part "a" has the same template`),
		bad(`partial: {segments: [us]}`, at+`segments[0]: there is no segment "us"; there is eu, mobile`),
		bad(`partial: {segments: [eu, eu]}`, at+`segments[1]: another part is called "eu"`),
		bad(`partial: {templates: {eu: /eu}, segments: [eu]}`, at+`segments[0]: another part is called "eu"`),
	)
}

// Of two templates that match a path, the more specific one comes first; segments come last.
func TestPartsHaveAnOrder(t *testing.T) {
	p := &Partial{Segments: []string{"mobile", "eu"}, Templates: map[string]string{
		"all": "/*", "items": "/items/*", "item": "/items/{id}", "new": "/items/new", "reviews": "/{kind}/{id}/reviews", "list": "/items",
	}}
	var got []string
	for _, part := range p.Parts() {
		got = append(got, part.Name)
	}
	want := []string{"list", "new", "item", "items", "reviews", "all", "mobile", "eu"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if n := len((*Partial)(nil).Parts()); n != 0 {
		t.Errorf("nothing has %d parts", n)
	}
}

// What a service lays over a policy leaves the policy alone.
func TestPartialOverrides(t *testing.T) {
	text := "version: 1\npolicies: {quick: {steps: [5%], partial: {templates: {cart: /cart}}}}\n" +
		"services: {shop: {variants: {v1: {endpoints: [127.0.0.1:1]}, v2: {endpoints: [127.0.0.1:2]}}, stable: v1, canary: v2, " +
		"policy: quick, policy_overrides: {partial: {templates: {item: /item}, on_failure: part}}}}"
	c, err := Parse("haldane.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	over, _ := c.Release("shop")
	named := c.Policies["quick"].Partial
	if named.OnFailure != PartAll || len(named.Templates) != 1 {
		t.Errorf("the policy has become %+v", named)
	}
	if over.Partial.OnFailure != PartAlone || over.Partial.Templates["item"] != "/item" {
		t.Errorf("the service has %+v", over.Partial)
	}
}
