package config

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
)

// Places find what was planted, however many there are beside it, and lead to it in the words of the file.
func TestPlaces(t *testing.T) {
	type planting struct {
		at   place
		path string
	}
	all := []planting{{place{at: position{1, 1}}.plant(), ""}}
	rng := rand.New(rand.NewPCG(7, 8))
	for i := 1; i < 2000; i++ {
		from := rng.IntN(min(len(all), 40))
		at, path := all[from].at, all[from].path
		switch {
		case from%3 == 2: // a list, whose other items are left empty
			at, path = at.item(i), path+"["+strconv.Itoa(i)+"]"
		case i%2 == 0:
			name := fmt.Sprintf("a.%d", i)
			at, path = at.key(name), path+"["+strconv.Quote(name)+"]"
		case path == "":
			path = fmt.Sprintf("k%d", i)
			at = at.key(path)
		default:
			name := fmt.Sprintf("k%d", i)
			at, path = at.key(name), path+"."+name
		}
		if at.written() {
			t.Fatalf("%s is there before it was planted", path)
		}
		all = append(all, planting{at.moved(position{i, 1}).plant(), path})
	}
	for _, p := range all[1:] {
		again := place{here: p.at.up}.next(p.at.step)
		if got := again.path(); got != p.path || again.at != p.at.at || !again.written() {
			t.Fatalf("%s at %v, written %v; planted %s at %v", got, again.at, again.written(), p.path, p.at.at)
		}
		missing := again.key("missing").item(3).key("x y")
		if got, want := missing.path(), p.path+`.missing[3]["x y"]`; got != want || missing.written() || missing.at != again.at {
			t.Fatalf("%s at %v, written %v; want %s at %v", got, missing.at, missing.written(), want, again.at)
		}
	}
}

// What is laid over a policy keeps the places of the rest of it, but not of the items of a list that it replaces.
func TestPlacesAreInherited(t *testing.T) {
	top := place{at: position{1, 1}}.plant()
	put := func(p place, line int) place { return p.moved(position{line, 1}).plant() }
	policy := put(top.key("policy"), 2)
	steps := put(policy.key("steps"), 3)
	put(put(steps.item(0), 4).key("weight"), 5)
	put(steps.item(1), 6)
	put(put(put(policy.key("checks"), 7).key("latency"), 8).key("p99"), 9)
	over := put(top.key("over"), 20)
	put(put(over.key("steps"), 21).item(0), 22)
	put(over.key("checks"), 23)
	over.here.inherit(policy.here)
	for _, c := range []struct {
		at      place
		line    int
		written bool
	}{
		{over.key("steps"), 21, true},
		{over.key("steps").item(0), 22, true},
		{over.key("steps").item(0).key("weight"), 22, false},
		{over.key("steps").item(1), 21, false},
		{over.key("checks"), 23, true},
		{over.key("checks").key("latency").key("p99"), 9, true},
	} {
		if c.at.at.line != c.line || c.at.written() != c.written {
			t.Errorf("%s: line %d, written %v; want %d, %v", c.at.path(), c.at.at.line, c.at.written(), c.line, c.written)
		}
	}
	if got := over.key("checks").key("latency").key("p99").path(); got != "over.checks.latency.p99" {
		t.Error(got)
	}
}
