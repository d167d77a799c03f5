package examples

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNamedTestsExist holds that the tests and scenarios that the documents name are there.
func TestNamedTestsExist(t *testing.T) {
	var there strings.Builder
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		there.Write(src)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	named, scenarios := regexp.MustCompile("`(Test\\w+)"), regexp.MustCompile("`(\\w+\\.txt)`")
	known := 0
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range named.FindAllStringSubmatch(string(src), -1) {
			known++
			if !strings.Contains(there.String(), "\nfunc "+name[1]) {
				t.Errorf("%s names %s, which is not there", path, name[1])
			}
		}
		for _, name := range scenarios.FindAllStringSubmatch(string(src), -1) {
			if _, err := os.Stat(filepath.Join("../rollout/testdata", name[1])); err != nil {
				t.Errorf("%s names a scenario: %v", path, err)
			}
		}
	}
	if known < 80 {
		t.Errorf("%d names were found", known)
	}
}
