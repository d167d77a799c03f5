// Package examples holds runnable configurations. It owns nothing but their tests and those of what the documents show, and has no
// concurrency.
package examples

import (
	"encoding"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"haldane/config"
)

func noVariables(string) (string, bool) { return "", false }

func TestExamplesLoad(t *testing.T) {
	paths, err := filepath.Glob("*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"early-users.yaml", "edge.yaml", "full.yaml", "gates.yaml", "header-pinning.yaml", "metrics.yaml", "minimal.yaml", "sidecar.yaml", "staged.yaml", "together.yaml"}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("examples (-want +got):\n%s", diff)
	}
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			c, err := config.Load(path, noVariables)
			if err != nil {
				t.Fatalf("does not load:\n%v", err)
			}
			if problems := c.CheckAdmin(); len(problems) > 0 {
				t.Error(problems)
			}
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			about, ok := strings.CutPrefix(string(src), "# yaml-language-server: $schema=../schema/haldane.schema.json\n")
			if !ok {
				t.Error("does not begin with the schema that editors check it with")
			}
			if !strings.HasPrefix(about, "# ") {
				t.Error("does not say at its beginning what it is for")
			}
			for i, line := range strings.Split(string(src), "\n") {
				if len(line) > 125 {
					t.Errorf("line %d is long", i+1)
				}
			}
		})
	}
}

func TestMinimalIsMinimal(t *testing.T) {
	src, err := os.ReadFile("minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(src), "\n"); lines > 12 {
		t.Errorf("the minimal example has %d lines", lines)
	}
}

// TestTutorialsStayAtHome holds that what people try out first is not open to their network.
func TestTutorialsStayAtHome(t *testing.T) {
	for _, path := range []string{"header-pinning.yaml", "minimal.yaml", "staged.yaml", "together.yaml"} {
		c, err := config.Load(path, noVariables)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Listen.Address; got != "127.0.0.1:8080" {
			t.Errorf("%s listens on %s", path, got)
		}
	}
}

// TestEdge looks at what the edge needs beside its file.
func TestEdge(t *testing.T) {
	c, err := config.Load("edge.yaml", noVariables)
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"tls/help.key", "tls/help.pem", "tls/internal.pem", "tls/shop.key", "tls/shop.pem"}
	for i := range want {
		want[i] = filepath.Join(here, want[i])
	}
	if diff := cmp.Diff(want, c.TLSFiles()); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if got := len(c.CheckFiles()); got != len(want) {
		t.Errorf("of %d files that are not there %d are missed", len(want), got)
	}
	v2 := c.Services["shop"].Variants["v2"]
	if v2.TLS == nil || v2.Health == nil || v2.Health.Path != "/healthz" || v2.Endpoints[0] != "shop-v2.internal.example:8443" {
		t.Errorf("v2 is %+v", v2)
	}
}

// TestSidecarReleases loads the sidecar as its comments say.
func TestSidecarReleases(t *testing.T) {
	c, err := config.Load("sidecar.yaml", func(name string) (string, bool) {
		value, ok := map[string]string{"CANARY": "next", "NEXT_REVISION": "b7", "PORT": "80"}[name]
		return value, ok
	})
	if err != nil {
		t.Fatal(err)
	}
	app := c.Services["app"]
	if c.Listen.Address != ":80" || app.Canary != "next" || app.Variants["next"].Revision != "b7" {
		t.Errorf("got %+v, %+v", c.Listen, app)
	}
}

// TestFullHasEveryKey walks the file and the types side by side: every key of every section is written somewhere. That
// none is too many is Parse's own rule.
func TestFullHasEveryKey(t *testing.T) {
	src, err := os.ReadFile("full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Load(src, &document); err != nil {
		t.Fatal(err)
	}
	w := walker{known: make(map[string]bool), written: make(map[string]bool)}
	w.types(reflect.TypeFor[config.Config]())
	w.node(document.Content[0], reflect.TypeFor[config.Config]())
	// The keys that another one excludes.
	for _, key := range []string{"Admin.token", "Admin.read_token", "NotificationTarget.secret", "Hook.secret"} {
		if _, name, _ := strings.Cut(key, "."); !strings.Contains(string(src), "# "+name+": ") {
			t.Errorf("full.yaml does not mention %s", key)
		}
		w.written[key] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(w.known)), slices.Sorted(maps.Keys(w.written))); diff != "" {
		t.Errorf("keys of full.yaml (-there is +written):\n%s", diff)
	}
}

// walker gathers keys as "Section.key".
type walker struct{ known, written map[string]bool }

// keys is the fields of a section by key.
func keys(t reflect.Type) map[string]reflect.StructField {
	fields := make(map[string]reflect.StructField)
	for _, f := range reflect.VisibleFields(t) {
		key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if f.IsExported() && key != "-" && !strings.Contains(options, "inline") {
			fields[key] = f
		}
	}
	return fields
}

// inside is the section that a type leads to, if any.
func inside(t reflect.Type) (reflect.Type, bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t, t.Kind() == reflect.Struct && !t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}

func (w *walker) types(t reflect.Type) {
	for key, f := range keys(t) {
		name := t.Name() + "." + key
		if section, ok := inside(f.Type); ok && !w.known[name] {
			w.known[name] = true
			w.types(section)
		}
		w.known[name] = true
	}
}

func (w *walker) node(n *yaml.Node, t reflect.Type) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	section, ok := inside(t)
	switch {
	case !ok:
	case t.Kind() == reflect.Pointer:
		w.node(n, t.Elem())
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			w.node(item, t.Elem())
		}
	case t.Kind() == reflect.Map:
		for i := 1; i < len(n.Content); i += 2 {
			w.node(n.Content[i], t.Elem())
		}
	case n.Kind == yaml.MappingNode:
		fields := keys(section)
		for i := 0; i < len(n.Content); i += 2 {
			if f, ok := fields[n.Content[i].Value]; ok {
				w.written[section.Name()+"."+n.Content[i].Value] = true
				w.node(n.Content[i+1], f.Type)
			}
		}
	}
}

// sectionsWithDefaults has the sections that are not there by default, with what they need and no more.
const sectionsWithDefaults = `
version: 1
listen: {tls: {certificates: [{cert_file: c, key_file: k}], client_ca_file: a}}
notifications: {targets: {room: {type: slack, url_file: u}}}
policies: {careful: {steps: [1%], checks: {events: {throttled: {statuses: [429]}}}}, by-itself: {ramp: {}}}
services: {shop: {variants: {v1: {endpoints: ["127.0.0.1:9001"], health: {}}}, rescue: {}}}
`

// TestFullShowsTheDefaults compares what full.yaml calls defaults with what they are.
func TestFullShowsTheDefaults(t *testing.T) {
	c, err := config.Load("full.yaml", noVariables)
	if err != nil {
		t.Fatal(err)
	}
	d := config.Default()
	sections, err := config.Parse("sections.yaml", []byte(sectionsWithDefaults), noVariables)
	if err != nil {
		t.Fatal(err)
	}
	f := func(name string, want, got any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-default +shown):\n%s", name, diff)
		}
	}
	f("listen.address", d.Listen.Address, c.Listen.Address)
	tls := *c.Listen.TLS
	tls.Certificates, tls.ClientCAFile = sections.Listen.TLS.Certificates, sections.Listen.TLS.ClientCAFile
	f("listen.tls", *sections.Listen.TLS, tls)
	f("listen.reuse_port", d.Listen.ReusePort, c.Listen.ReusePort)
	f("admin.address", d.Admin.Address, c.Admin.Address)
	f("state", d.State, c.State)
	f("log", d.Log, c.Log)
	f("limits", d.Limits, c.Limits)
	f("timeouts", d.Timeouts, c.Timeouts)
	f("notifications.hold_after", d.Notifications.HoldAfter, c.Notifications.HoldAfter)
	target := sections.Notifications.Targets["room"]
	target.Type, target.URLFile = "slack", "/etc/haldane/slack.url"
	f("notifications.targets", target, c.Notifications.Targets["releases"])
	shown := c.Notifications.Targets["pipeline"]
	f("notifications.targets.pipeline", []any{target.When, target.Timeout, target.GiveUp}, []any{shown.When, shown.Timeout, shown.GiveUp})
	f("careful", config.Careful(), c.Policies["careful"])
	hook := c.Policies["testers-first"].Hooks.ConfirmRollout[0]
	plain := c.Policies["testers-first"].Hooks.Event[0]
	f("hooks", []any{plain.Timeout, plain.Retries, plain.Every, plain.Failures}, []any{hook.Timeout, hook.Retries, hook.Every, hook.Failures})
	f("link_lifetime", d.Admin.LinkLifetime, c.Admin.LinkLifetime)
	shop := c.Services["shop"]
	f("variant timeouts", config.DefaultVariant().Timeouts, shop.Variants["v1"].Timeouts)
	f("max_connections", config.DefaultVariant().MaxConnections, shop.Variants["v1"].MaxConnections)
	v, s := config.DefaultVariant(), config.DefaultService()
	written := sections.Services["shop"]
	health := *shop.Variants["v1"].Health
	health.Path, health.Host = "", ""
	f("health", *written.Variants["v1"].Health, health)
	f("rescue", written.Rescue, shop.Rescue)
	event := c.Policies["testers-first"].Checks.Events["throttled"]
	event.Statuses, event.Outcomes = []config.StatusRange{{Low: 429, High: 429}}, nil
	f("ramp", sections.Policies["by-itself"].Ramp, c.Policies["by-itself"].Ramp)
	f("event", sections.Policies["careful"].Checks.Events["throttled"], event)
	f("queue", v.Queue, shop.Variants["v1"].Queue)
	f("resolve", v.Resolve, shop.Variants["v1"].Resolve)
	f("ejection", v.Ejection, shop.Variants["v1"].Ejection)
	f("start", s.Start, shop.Start)
	f("request_id_field", s.RequestIDField, shop.RequestIDField)
	f("stall_timeout", s.StallTimeout, shop.StallTimeout)
	f("retries", s.Retries, shop.Retries)
	f("limits", s.Limits, shop.Limits)
	f("tunnels", s.Tunnels, shop.Tunnels)
	f("ttl", config.DefaultSticky().TTL, shop.Sticky.TTL)
}
