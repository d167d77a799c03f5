package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// repository is where the documents are, seen from this package.
const repository = ".."

// document is a file in Markdown.
type document struct {
	path string // from the top of the repository
	text string
}

// fence is a block of code in a document.
type fence struct {
	kind  string // what stands behind the backticks: a language, and a word for the tests
	text  string
	line  int  // of the opening backticks
	below bool // nothing but an empty line is between it and the fence before
}

// documents are all of the repository's, but for what is vendored or made by a build.
func documents(t *testing.T) []document {
	t.Helper()
	var found []document
	err := filepath.WalkDir(repository, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == "testdata" || name == "build" || name == "node_modules" || name == "vendor" ||
			strings.HasPrefix(name, ".") && path != repository) {
			return filepath.SkipDir
		}
		if filepath.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		short, err := filepath.Rel(repository, path)
		found = append(found, document{path: filepath.ToSlash(short), text: string(text)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 10 {
		t.Fatalf("%d documents were found", len(found))
	}
	return found
}

// fences are the blocks of code of a document.
func fences(text string) []fence {
	var found []fence
	open, indent, last := -1, "", -9
	var body strings.Builder
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		trimmed := strings.TrimLeft(line, " ")
		kind, is := strings.CutPrefix(trimmed, "```")
		switch {
		case is && open < 0:
			open, indent = i, line[:len(line)-len(trimmed)]
			body.Reset()
			found = append(found, fence{kind: kind, line: i + 1, below: i == last+1 || i == last+2 && lines[i-1] == ""})
		case is:
			found[len(found)-1].text = body.String()
			open, last = -1, i
		case open >= 0:
			body.WriteString(strings.TrimPrefix(line, indent) + "\n")
		}
	}
	if open >= 0 {
		found[len(found)-1].kind = "a block without an end"
	}
	return found
}

// prose is a document without its blocks of code.
func prose(text string) string {
	var kept []string
	inside := false
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(strings.TrimLeft(line, " "), "```") {
			inside, line = !inside, ""
		}
		if inside {
			line = "" // lines keep their numbers
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\n")
}
