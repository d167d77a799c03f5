package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every command that the documents show is one, with flags and arguments that it takes.
func TestDocumentsShowCommandsThatThereAre(t *testing.T) {
	paths := []string{"../README.md"}
	for _, pattern := range []string{"../docs/*.md", "../docs/runbooks/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, err)
		}
		paths = append(paths, found...)
	}
	shown := 0
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, args := range commandLines(string(src)) {
			shown++
			if err := understood(args); err != nil {
				t.Errorf("%s: haldane %s: %v", path, strings.Join(args, " "), err)
			}
		}
	}
	if shown < 45 {
		t.Errorf("only %d commands were found", shown)
	}
}

// commandLines are the calls of haldane in the shell blocks of a document.
func commandLines(document string) (all [][]string) {
	block := regexp.MustCompile("(?s)```sh\n(.*?)```")
	call := regexp.MustCompile(`(?m)(?:^|[|;&(] *|while +)(?:\./|/usr/bin/)?haldane +([^|;&\n>#]*)`)
	word := regexp.MustCompile(`"([^"]*)"|'([^']*)'|(\S+)`)
	for _, b := range block.FindAllStringSubmatch(document, -1) {
		for _, c := range call.FindAllStringSubmatch(b[1], -1) {
			var args []string
			for _, w := range word.FindAllStringSubmatch(c[1], -1) {
				args = append(args, w[1]+w[2]+w[3])
			}
			all = append(all, args)
		}
	}
	return all
}

// understood says whether a command line would begin.
func understood(args []string) error {
	root := newRoot(env{getenv: func(string) (string, bool) { return "", false }})
	root.InitDefaultCompletionCmd()
	command, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	command.InitDefaultHelpFlag()
	if err := command.ParseFlags(rest); err != nil {
		return err
	}
	return command.ValidateArgs(command.Flags().Args())
}

// The test above can fail.
func TestWrongCommandsAreFound(t *testing.T) {
	const fence = "```"
	for _, text := range []string{"haldane statsu", "./haldane status --wtch", "echo x | haldane pause", "haldane config show", "haldane report a b # two"} {
		found := commandLines(fence + "sh\n" + text + "\n" + fence)
		if len(found) != 1 || understood(found[0]) == nil {
			t.Errorf("%s: %v", text, found)
		}
	}
}
