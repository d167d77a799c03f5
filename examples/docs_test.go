package examples

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"haldane/config"
)

// base is what a block that is marked as a fragment is laid over.
const base = `
version: 1
policies: {careful: {steps: [1%, 10%, 50%]}}
services:
  shop: &service {variants: {v1: {endpoints: ["127.0.0.1:9001"]}, v2: {endpoints: ["127.0.0.1:9002"]}}, stable: v1}
  cart: {<<: *service, match: [{host: cart.example.com}]}
  ledger: {<<: *service, match: [{host: ledger.example.com}]}
`

// marks are the words that a block may have behind "yaml", and the keys above it that it leaves out. A block without one is a
// complete file. "other" is YAML of another program, which only has to be YAML.
var marks = map[string][]string{
	"":         nil,
	"fragment": {},
	"policy":   {"policies", "careful"},
	"service":  {"services", "shop"},
}

var errMark = errors.New("an unknown mark")

// block is a piece of YAML in a document.
type block struct {
	mark, text string
	line       int
}

// TestDocumentsLoad loads every block of YAML that the documents show: whole files as they are, fragments laid over a base.
func TestDocumentsLoad(t *testing.T) {
	var paths []string
	err := filepath.WalkDir("../docs", func(path string, _ os.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for _, path := range append(paths, "../README.md", "../CONTRIBUTING.md") {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks(string(src)) {
			known++
			t.Run(fmt.Sprintf("%s:%d", filepath.Base(path), b.line), func(t *testing.T) {
				if err := b.load(t.TempDir()); err != nil {
					t.Errorf("%s:%d: %v\n%s", path, b.line, err, b.text)
				}
			})
		}
	}
	if known < 24 {
		t.Errorf("%d blocks were found", known)
	}
}

// TestBadBlocksAreFound holds that the test above can fail.
func TestBadBlocksAreFound(t *testing.T) {
	const fence = "```"
	for name, text := range map[string]string{
		"a file that is none":       fence + "yaml\nservices: {}\n" + fence,
		"a fragment with a mistake": fence + "yaml fragment\nfreeze: []\n" + fence,
		"another program's, broken": fence + "yaml other\na: [\n" + fence,
		"an unknown mark":           fence + "yaml example\nversion: 1\n" + fence,
		"a list item's block":       "- like this:\n  " + fence + "yml\n  version: 2\n  " + fence,
	} {
		if found := blocks(text); len(found) != 1 || found[0].load(t.TempDir()) == nil {
			t.Errorf("%s: %+v", name, found)
		}
	}
	good := block{mark: "policy", text: "budget: {failed_requests: 3}\n"}
	if err := good.load(t.TempDir()); err != nil {
		t.Error(err)
	}
}

// blocks are the fenced blocks of a document that say they are YAML, or look like it.
func blocks(document string) []block {
	var found []block
	var b *block
	for i, line := range strings.Split(document, "\n") {
		fence, is := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case !is && b != nil:
			b.text += line + "\n"
		case is && b == nil:
			kind, mark, _ := strings.Cut(fence, " ")
			b = &block{mark: mark, line: i + 1}
			if kind != "yaml" && kind != "yml" {
				b.mark = "not yaml"
			}
		case is:
			if b.mark != "not yaml" || strings.HasPrefix(b.text, "version: 1\n") {
				found = append(found, *b)
			}
			b = nil
		}
	}
	return found
}

func (b *block) load(folder string) error {
	text := []byte(b.text)
	if b.mark == "other" {
		loader, err := yaml.NewLoader(strings.NewReader(b.text))
		for err == nil {
			var document map[string]any
			err = loader.Load(&document)
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return err
	}
	above, ok := marks[b.mark]
	if !ok {
		return fmt.Errorf("%w: %q", errMark, b.mark)
	}
	if above != nil {
		var err error
		if text, err = b.complete(above); err != nil {
			return err
		}
	}
	path := filepath.Join(folder, "haldane.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	_, err := config.Load(path, noVariables)
	return err
}

// complete lays a fragment over the base: mappings are merged, anything else replaces.
func (b *block) complete(above []string) ([]byte, error) {
	var under, over map[string]any
	if err := yaml.Load([]byte(base), &under); err != nil {
		return nil, err
	}
	if err := yaml.Load([]byte(b.text), &over); err != nil {
		return nil, err
	}
	for _, key := range slices.Backward(above) {
		over = map[string]any{key: over}
	}
	return yaml.Dump(lay(under, over))
}

func lay(under, over map[string]any) map[string]any {
	for key, value := range over {
		if inner, ok := value.(map[string]any); ok {
			if below, ok := under[key].(map[string]any); ok {
				value = lay(below, inner)
			}
		}
		under[key] = value
	}
	return under
}
