package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// rooms says which rooms of the project each room may import. docs/ARCHITECTURE.md draws the same picture.
var rooms = map[string][]string{
	"":               {"cli"},
	"cli":            {"cli/demo", "app", "admin", "rollout", "report", "analysis", "config", "schema"},
	"cli/demo":       {"app", "admin", "rollout", "analysis", "config"},
	"app":            {"hooks", "metrics", "tracing", "proxy/trace", "app/handover", "app/systemd", "admin", "admin/live", "report", "proxy", "proxy/balance", "proxy/listen", "rollout", "router", "analysis", "notify", "stats", "store", "config"},
	"app/handover":   {},
	"app/systemd":    {},
	"admin":          {"admin/live", "admin/ui", "rollout", "report", "analysis", "config"},
	"admin/live":     {"stats"},
	"admin/ui":       {},
	"tracing":        {"proxy/trace", "config"},
	"notify":         {"webhook", "rollout", "config"},
	"hooks":          {"webhook", "rollout", "config"},
	"webhook":        {"config"},
	"metrics":        {"rollout", "config"},
	"rollout":        {"analysis", "report", "store", "stats", "config"},
	"report":         {"config"},
	"proxy":          {"proxy/trace", "proxy/http1", "proxy/listen", "proxy/socket", "proxy/upstream", "proxy/balance", "router", "stats", "config"},
	"proxy/balance":  {"proxy/http1", "proxy/upstream", "config"},
	"proxy/upstream": {"proxy/http1", "proxy/socket"},
	"proxy/socket":   {},
	"proxy/http1":    {},
	"proxy/trace":    {"config"},
	"proxy/listen":   {"config"},
	"router":         {"config"},
	"analysis":       {},
	"stats":          {},
	"store":          {},
	"config":         {},
	"examples":       {},
	"observability":  {},
	"schema":         {},
	"bench":          {"bench/load", "bench/loop", "bench/machine", "bench/origin", "bench/peers", "bench/report"},
	"bench/load":     {"bench/loop", "stats"},
	"bench/loop":     {},
	"bench/machine":  {},
	"bench/origin":   {"bench/loop"},
	"bench/peers":    {"bench/machine"}, // it runs binaries, and knows nothing of what is in them
	"bench/relay":    {},
	"deploy/lint":    {},
	"bench/report":   {},
	"bench/process":  {}, // it runs the binary, and knows nothing of what is in it
	"bench/browser":  {},
	"bench/rawhttp":  {},
	"bench/faults":   {},
	"bench/scale":    {},

	"bench/instructions": {},
	"bench/judge":        {"analysis", "rollout", "config", "stats"},
}

// outsiders says which rooms may import a module from outside; a module that is not listed may be imported by none.
var outsiders = map[string][]string{
	"github.com/valyala/fasthttp":     {"proxy"},                 // one HTTP stack among two to come: nobody else may lean on it
	"github.com/prometheus":           {"stats", "admin", "app"}, // numbers are kept without it and shown with it
	"github.com/fsnotify/fsnotify":    {"config"},
	"go.uber.org/zap":                 {"proxy", "rollout", "notify", "hooks", "metrics", "tracing", "admin", "app", "cli", "cli/demo"}, // decisions and values do not log
	"github.com/hashicorp/golang-lru": {"router", "admin"},
	"github.com/cespare/xxhash":       {"router"},
	"github.com/spf13/cobra":          {"cli"},
	"go.yaml.in/yaml":                 {"config", "cli"},
	"go.etcd.io/bbolt":                {"store"},
	"golang.org/x/sys":                {"proxy/upstream", "proxy/listen", "proxy", "app/systemd", "cli", "cli/demo", "bench/loop", "bench/load", "bench/origin", "bench/machine"},
	"golang.org/x/term":               {"cli", "cli/demo"},
	"google.golang.org/protobuf":      {"stats"},
	"go.opentelemetry.io":             {"tracing"}, // of sampled requests, and only after they are over
}

// forbidden names packages of the standard library that production code does without.
var forbidden = map[string]string{
	"text/template": "executing a template keeps every exported method in the binary: +6 MB",
	"html/template": "executing a template keeps every exported method in the binary: +6 MB",
	"unsafe":        "nothing but the system calls of proxy/socket is worth it",
}

// pure rooms compute and nothing else.
var pure = map[string][]string{
	"analysis": {"net", "os", "time.Sleep", "net/http", "sync"},
	"router":   {"net/http", "os"},
	"report":   {"net", "os", "time.Sleep", "net/http", "sync"},
}

func TestImports(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "node_modules" || entry.Name() == "build" || strings.HasPrefix(entry.Name(), ".") && path != ".") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			checkFile(t, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkFile holds one file to the rules of its room.
func checkFile(t *testing.T, path string) {
	t.Helper()
	room := filepath.ToSlash(filepath.Dir(path))
	if room == "." {
		room = ""
	}
	allowed, known := rooms[room]
	if !known {
		t.Errorf("%s: room %q is not listed: a new room needs a reason in docs/ARCHITECTURE.md and a line here", path, room)
		return
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Error(err)
			continue
		}
		checkImport(t, path, room, name, allowed)
	}
}

func checkImport(t *testing.T, path, room, name string, allowed []string) {
	t.Helper()
	if reason, bad := forbidden[name]; bad && path != "proxy/socket/calls_linux.go" {
		t.Errorf("%s imports %s: %s", path, name, reason)
	}
	for _, bad := range pure[room] {
		if name == bad {
			t.Errorf("%s imports %s: %s only computes", path, name, room)
		}
	}
	if inside, ok := strings.CutPrefix(name, "haldane/"); ok {
		if !contains(allowed, inside) {
			t.Errorf("%s imports %s: %q may import only %v", path, name, room, allowed)
		}
		return
	}
	if !strings.Contains(strings.Split(name, "/")[0], ".") {
		return // the standard library
	}
	for prefix, users := range outsiders {
		if strings.HasPrefix(name, prefix) {
			if !contains(users, room) {
				t.Errorf("%s imports %s: only %v may", path, name, users)
			}
			return
		}
	}
	t.Errorf("%s imports %s: a new dependency needs a line here and a reason in its commit", path, name)
}

func contains(list []string, want string) bool {
	for _, have := range list {
		if have == want {
			return true
		}
	}
	return false
}
