package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"haldane/app"
	"haldane/config"
	"haldane/rollout"
)

// difference is by what two configurations differ, and what follows from it.
type difference struct {
	Changes []change `json:"changes"`
	Effects []string `json:"effects"`
}

// change is one key. A nil side has no such key.
type change struct {
	Path   string `json:"path"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// released is what tells of a configuration which rollouts it asks for.
type released struct {
	Services map[string]releasedService
}

type releasedService struct {
	Stable, Canary, Policy, Start string
	Variants                      map[string]struct {
		Endpoints []string
		Revision  string
	}
}

// id is that of the rollout that a service asks for; empty without one.
func (s releasedService) id(name string) string {
	if s.Canary == "" {
		return ""
	}
	v := s.Variants[s.Canary]
	return rollout.ID(name, s.Stable, s.Canary, app.Identity(config.Variant{Endpoints: v.Endpoints, Revision: v.Revision}))
}

// parseTree reads YAML that a Haldane has written.
func parseTree(text string) (map[string]any, error) {
	tree := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
		return nil, fmt.Errorf("read the effective configuration: %w", err)
	}
	return tree, nil
}

// compareConfigurations compares two effective configurations.
func compareConfigurations(before, after string) (*difference, error) {
	d := &difference{Changes: []change{}, Effects: []string{}}
	var trees [2]map[string]any
	var asks [2]released
	for i, text := range []string{before, after} {
		tree, err := parseTree(text)
		if err != nil {
			return nil, err
		}
		trees[i] = tree
		if err := yaml.Unmarshal([]byte(text), &asks[i]); err != nil {
			return nil, fmt.Errorf("read the services of the configuration: %w", err)
		}
	}
	d.compare("", trees[0], trees[1])
	d.restarts()
	for _, name := range slices.Sorted(maps.Keys(union(asks[0].Services, asks[1].Services))) {
		d.follow(name, asks[0].Services, asks[1].Services)
	}
	return d, nil
}

func union[V any](a, b map[string]V) map[string]V {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return all
}

// compare goes through two values at a path. Lists of sections are compared one by one, other lists and plain values as a whole.
func (d *difference) compare(path string, before, after any) {
	if list, others := sections(before), sections(after); list != nil && others != nil {
		for i := range max(len(list), len(others)) {
			d.compare(fmt.Sprintf("%s[%d]", path, i), at(list, i), at(others, i))
		}
		return
	}
	was, isMap := before.(map[string]any)
	is, areMaps := after.(map[string]any)
	if !isMap || !areMaps {
		if !reflect.DeepEqual(before, after) {
			d.Changes = append(d.Changes, change{path, before, after})
		}
		return
	}
	for _, key := range slices.Sorted(maps.Keys(union(was, is))) {
		d.compare(strings.TrimPrefix(path+"."+key, "."), was[key], is[key])
	}
}

// sections are the items of a list that are all sections; nil for anything else.
func sections(value any) []any {
	list, _ := value.([]any)
	for _, item := range list {
		if _, is := item.(map[string]any); !is {
			return nil
		}
	}
	return list
}

// at is an item of a list, nil beyond its end.
func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// touches says whether anything changes at a path or below it.
func (d *difference) touches(path string) bool {
	return slices.ContainsFunc(d.Changes, func(c change) bool {
		return c.Path == path || strings.HasPrefix(c.Path, path+".") || strings.HasPrefix(c.Path, path+"[") || strings.HasPrefix(path, c.Path+".")
	})
}

// restarts names the sections that a reload does not apply.
func (d *difference) restarts() {
	for _, section := range []string{"listen", "admin", "state"} {
		if d.touches(section) {
			d.Effects = append(d.Effects, section+" needs a restart: a reload does not apply it")
		}
	}
	if d.touches("freezes") {
		d.Effects = append(d.Effects, "freezes hold at once, for rollouts that run as well")
	}
}

// follow says what becomes of one service.
func (d *difference) follow(name string, before, after map[string]releasedService) {
	was, had := before[name]
	is, has := after[name]
	say := func(format string, args ...any) {
		d.Effects = append(d.Effects, name+": "+fmt.Sprintf(format, args...))
	}
	switch {
	case !has:
		say("is not served any more")
		return
	case !had:
		say("is served, by %s", is.Stable)
	}
	old, fresh := was.id(name), is.id(name)
	switch {
	case old == fresh && fresh != "" && (d.touches("policies."+is.Policy) || was.Policy != is.Policy || d.touches("services."+name+".policy_overrides")):
		say("its rollout %s -> %s goes on; the changed policy holds from the next step", is.Stable, is.Canary)
	case old == fresh && had && was.Stable != is.Stable:
		say("all traffic goes to %s instead of %s", is.Stable, was.Stable)
	case old == fresh:
	case old != "" && fresh == "":
		say("its rollout %s -> %s is superseded if it is under way, and all traffic goes to %s", was.Stable, was.Canary, is.Stable)
	case old != "":
		say("the rollout %s -> %s is superseded if it is under way", was.Stable, was.Canary)
	}
	if fresh != "" && fresh != old {
		say("%s", beginning(name, is))
	}
}

// beginning is how a rollout begins.
func beginning(name string, s releasedService) string {
	if s.Start == config.StartManual {
		return fmt.Sprintf("a rollout %s -> %s under the policy %s waits for: haldane start %s", s.Stable, s.Canary, s.Policy, name)
	}
	return fmt.Sprintf("a rollout %s -> %s under the policy %s begins; one that has ended before stays what it was", s.Stable, s.Canary, s.Policy)
}

// show prints the changes, and then what follows.
func (d *difference) show(w io.Writer) error {
	if len(d.Changes) == 0 {
		return say(w, "nothing would change\n")
	}
	for _, c := range d.Changes {
		var err error
		switch {
		case c.Before == nil:
			err = say(w, "+ %s%s\n", c.Path, shown(c.After))
		case c.After == nil:
			err = say(w, "- %s%s\n", c.Path, shown(c.Before))
		default:
			err = say(w, "~ %s%s ->%s\n", c.Path, shown(c.Before), strings.TrimPrefix(shown(c.After), ":"))
		}
		if err != nil {
			return err
		}
	}
	if len(d.Effects) == 0 {
		return nil
	}
	if err := say(w, "\n"); err != nil {
		return err
	}
	for _, effect := range d.Effects {
		if err := say(w, "%s", wrapped(effect, "", "  ")); err != nil {
			return err
		}
	}
	return nil
}

// shown is a value behind its key. A whole section, which has many defaults, is not written out.
func shown(value any) string {
	if _, is := value.(map[string]any); is {
		return ""
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ": ?"
	}
	return ": " + string(text)
}
