package lint

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"sigs.k8s.io/yaml"
)

// The compose file is valid under the schema of Compose, and every file that it mounts is there.
func TestCompose(t *testing.T) {
	path, err := filepath.Abs("../compose/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  filepath.Dir(path),
		ConfigFiles: []types.ConfigFile{{Filename: path}},
	}, func(o *loader.Options) { o.SetProjectName("haldane-demo", true) })
	if err != nil {
		t.Fatal(err)
	}
	for name, service := range project.Services {
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				t.Errorf("%s mounts what is not there: %v", name, err)
			}
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s is published on %q, with the tokens of a demo", name, port.HostIP)
			}
		}
	}
	if len(project.Services) != 6 {
		t.Errorf("%d services", len(project.Services))
	}
}

// The rules that Prometheus is told to load are in the folder that it mounts.
func TestComposeRules(t *testing.T) {
	text, err := os.ReadFile("../compose/prometheus.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var settings struct {
		Rules []string `json:"rule_files"`
	}
	if err := yaml.Unmarshal(text, &settings); err != nil || len(settings.Rules) == 0 {
		t.Fatalf("%v: %v", settings.Rules, err)
	}
	for _, path := range settings.Rules {
		name, mounted := strings.CutPrefix(path, "/etc/prometheus/haldane/")
		if _, err := os.Stat(filepath.Join("../../observability", name)); !mounted || err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// The Dockerfile parses, without warnings, and ends in an image that is not root's.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed.Warnings) > 0 {
		t.Errorf("%v", parsed.Warnings)
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		t.Fatal(err)
	}
	last := stages[len(stages)-1]
	user := ""
	for _, command := range last.Commands {
		if u, ok := command.(*instructions.UserCommand); ok {
			user = u.User
		}
	}
	if len(stages) != 2 || user != "65532:65532" || !strings.Contains(last.BaseName, "distroless") {
		t.Errorf("%d stages; the last is from %s and runs as %q", len(stages), last.BaseName, user)
	}
}

// release is what .goreleaser.yaml may hold: the keys of goreleaser's second version that are used, and no others.
type release struct {
	Version     int    `json:"version"`
	ProjectName string `json:"project_name"`
	Before      struct {
		Hooks []string `json:"hooks"`
	} `json:"before"`
	Builds []struct {
		Main         string   `json:"main"`
		Binary       string   `json:"binary"`
		Env          []string `json:"env"`
		OS           []string `json:"goos"`
		Architecture []string `json:"goarch"`
		Flags        []string `json:"flags"`
		Tags         []string `json:"tags"`
		LDFlags      []string `json:"ldflags"`
		ModTimestamp string   `json:"mod_timestamp"`
	} `json:"builds"`
	Archives []struct {
		Formats []string `json:"formats"`
		Files   []string `json:"files"`
	} `json:"archives"`
	Packages []struct {
		PackageName string   `json:"package_name"`
		Vendor      string   `json:"vendor"`
		Maintainer  string   `json:"maintainer"`
		Description string   `json:"description"`
		License     string   `json:"license"`
		Formats     []string `json:"formats"`
		Bindir      string   `json:"bindir"`
		Contents    []struct {
			Source      string `json:"src"`
			Destination string `json:"dst"`
			Type        string `json:"type"`
		} `json:"contents"`
	} `json:"nfpms"`
	Checksum struct {
		NameTemplate string `json:"name_template"`
	} `json:"checksum"`
	SBOMs []struct {
		ID        string `json:"id"`
		Artifacts string `json:"artifacts"`
	} `json:"sboms"`
	Changelog struct {
		Disable bool `json:"disable"`
	} `json:"changelog"`
}

// The release file has no unknown key, builds as the Makefile does, and what it packs is there.
func TestGoreleaser(t *testing.T) {
	text, err := os.ReadFile("../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var r release
	if err := yaml.UnmarshalStrict(text, &r); err != nil {
		t.Fatal(err)
	}
	if r.Version != 2 || !slices.Contains(r.Builds[0].Tags, "grpcnotrace") || len(r.SBOMs) == 0 || r.Checksum.NameTemplate == "" {
		t.Errorf("%+v", r)
	}
	for _, packed := range r.Packages[0].Contents {
		if found, err := filepath.Glob(filepath.Join("../..", packed.Source)); err != nil || len(found) == 0 {
			t.Errorf("%s is not there: %v", packed.Source, err)
		}
	}
}

// systemd takes the units as they are, and finds the service hardened.
func TestUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("HALDANE_REQUIRE_TOOLS") != "" {
			t.Fatal("systemd-analyze is needed")
		}
		t.Skip("SKIP: ===== no systemd-analyze: the units are not checked =====")
	}
	// What the service starts must be there to be verified.
	folder := t.TempDir()
	for _, name := range []string{"haldane.service", "haldane.socket"} {
		text, err := os.ReadFile(filepath.Join("../systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte("/usr/bin/haldane"), []byte("/bin/true"))
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	unit := filepath.Join(folder, "haldane.service")
	for _, arguments := range [][]string{
		{"verify", "--man=no", unit, filepath.Join(folder, "haldane.socket")},
		{"security", "--no-pager", "--offline=true", "--threshold=20", unit},
	} {
		said, err := exec.CommandContext(t.Context(), analyze, arguments...).CombinedOutput()
		if err != nil || arguments[0] == "verify" && len(said) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", arguments[0], err, said)
		}
	}
}
