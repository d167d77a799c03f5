package router

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// A table of hosts finds what a map finds, whatever names and rules there are.
func TestHostTableIsAMap(t *testing.T) {
	d := dice{rand.New(rand.NewPCG(7, 11))}
	path := func() string {
		p := strings.Repeat("/"+pick(d, "a", "b", "cc"), d.IntN(4))
		return pick(d, p, p, p+"/", p+"x")
	}
	for range 300 {
		rules := make(map[string]*paths)
		for range d.IntN(pick(d, 2, 20, 300)) {
			p := newPaths()
			for range d.IntN(pick(d, 3, 9)) {
				if d.yes(8) {
					p.addExact(path(), d.IntN(100))
				} else {
					p.addPrefix(path(), d.IntN(100))
				}
			}
			rules[fmt.Sprint("s", d.IntN(400), pick(d, ".test", ".example.com", ""))] = &p
		}
		if d.yes(20) {
			long := newPaths()
			long.addPrefix("/"+strings.Repeat("x", 1<<16), 1)
			long.addPrefix("/a", 2)
			rules["long.test"] = &long
		}
		table := newHostTable(rules)
		for range 500 {
			name := fmt.Sprint("s", d.IntN(400), pick(d, ".test", ".example.com", ".example.comm", "", "/a"))
			name = pick(d, name, name, name, "long.test", "")
			found, want := table.find([]byte(name)), rules[name]
			if (found == nil) != (want == nil) {
				t.Fatalf("%q: found %v, want %v", name, found, want)
			}
			asked := []byte(path())
			if want != nil && found.find(asked) != want.find(asked) {
				t.Fatalf("%q %s: service %d, want %d", name, asked, found.find(asked), want.find(asked))
			}
		}
	}
}

// A name that no request can bring is an error, and not one that shadows another.
func TestEndlessHostNames(t *testing.T) {
	name := strings.Repeat("a.", longestHost)
	if _, err := newHostRules().paths(name + "test"); err == nil || !strings.Contains(err.Error(), "longer than any") {
		t.Errorf("error %v", err)
	}
}
