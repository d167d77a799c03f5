package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// update returns whether files that hold expectations are to be rewritten: go test ./config -update. A rewrite is to
// be read before it is kept.
func update() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite the expected messages and docs/CONFIG.md")
	runWithoutLeaks(m)
}

// environment is the variables that the test files use.
func environment(name string) (string, bool) {
	value, ok := map[string]string{"PORT": "8081", "EMPTY": "", "WORD": "many", "DOLLAR": "${PORT} $$"}[name]
	return value, ok
}

// TestBadFiles holds one file for each rule. Beside it stands what is said about it, line by line.
func TestBadFiles(t *testing.T) {
	paths, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			t.Parallel()
			c, err := Load(path, environment)
			if c != nil {
				t.Error("a bad file came back as a configuration")
			}
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("the error is no Problems: %v", err)
			}
			here, _ := os.Getwd()
			got := strings.ReplaceAll(problems.Error(), here+"/", "") + "\n"
			expected := strings.TrimSuffix(path, ".yaml") + ".err"
			if update() {
				if err := os.WriteFile(expected, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(expected)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}
