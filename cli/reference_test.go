package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const (
	manualPath = "../docs/CLI.md"
	pagesPath  = "../man"
	// referenceMark ends the part of the document that people write.
	referenceMark = "<!-- Below this line the text comes from the commands: go test ./cli -run TestReference -update -->\n"
)

// described are all commands that are described, the one without a name first. Completion scripts and help are cobra's, and described
// by people.
func described() (list []*cobra.Command) {
	root := newRoot(env{getenv: func(string) (string, bool) { return "", false }})
	var walk func(*cobra.Command)
	walk = func(command *cobra.Command) {
		command.InitDefaultHelpFlag()
		list = append(list, command)
		for _, inner := range command.Commands() {
			if inner.Name() != "completion" && inner.Name() != "help" {
				walk(inner)
			}
		}
	}
	walk(root)
	return list
}

// about is what is said of a command.
func about(command *cobra.Command) string {
	if command.Long != "" {
		return command.Long
	}
	return command.Short + "."
}

// TestReference holds that docs/CLI.md says what the commands say of themselves.
func TestReference(t *testing.T) {
	src, err := os.ReadFile(manualPath)
	if err != nil {
		t.Fatal(err)
	}
	introduction, _, found := strings.Cut(string(src), referenceMark)
	if !found {
		t.Fatalf("%s has lost the line %q", manualPath, referenceMark)
	}
	var text strings.Builder
	text.WriteString(introduction + referenceMark)
	for _, command := range described() {
		fmt.Fprintf(&text, "\n## %s\n\n", command.CommandPath())
		fmt.Fprintf(&text, "```text\n%s\n\n%s\n", command.UseLine(), about(command))
		if flags := command.LocalFlags().FlagUsages(); flags != "" {
			fmt.Fprintf(&text, "\nFlags:\n%s", flags)
		}
		text.WriteString("```\n")
	}
	hold(t, manualPath, text.String())
}

// hold compares a generated file with what it should be.
func hold(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not up to date, run with -update (-want +got):\n%s", path, diff)
	}
}

// TestManualPages holds that there is a page for each command, as it describes itself, and no other.
func TestManualPages(t *testing.T) {
	var names []string
	all := described()
	for _, command := range all {
		name := strings.ReplaceAll(command.CommandPath(), " ", "-") + ".1"
		names = append(names, name)
		hold(t, filepath.Join(pagesPath, name), page(command, all))
	}
	found, err := filepath.Glob(pagesPath + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		if !slices.Contains(names, filepath.Base(path)) {
			t.Errorf("%s is about no command", path)
		}
	}
}

// page is a command in the macros of man(7).
func page(command *cobra.Command, all []*cobra.Command) string {
	var text strings.Builder
	name := strings.ReplaceAll(command.CommandPath(), " ", "-")
	fmt.Fprintf(&text, ".TH %s 1 \"\" Haldane \"Haldane manual\"\n.SH NAME\n%s \\- %s\n", roff(strings.ToUpper(name)), roff(name), roff(command.Short))
	fmt.Fprintf(&text, ".SH SYNOPSIS\n.B %s\n.SH DESCRIPTION\n", roff(command.UseLine()))
	for i, paragraph := range strings.Split(about(command), "\n\n") {
		if i > 0 {
			text.WriteString(".PP\n")
		}
		indented := strings.Contains(paragraph, "\n  ") || strings.HasPrefix(paragraph, "  ")
		if indented {
			text.WriteString(".nf\n")
		}
		text.WriteString(roff(paragraph) + "\n")
		if indented {
			text.WriteString(".fi\n")
		}
	}
	options(&text, "OPTIONS", command.NonInheritedFlags())
	options(&text, "OPTIONS OF ALL COMMANDS", command.InheritedFlags())
	text.WriteString(".SH EXIT STATUS\n0 when it is done, 1 when it did not work, 2 when the command line is wrong.\n.SH SEE ALSO\n")
	var others []string
	for _, other := range all {
		if other != command && (other.Parent() == command || command.Parent() == other) {
			others = append(others, ".BR "+roff(strings.ReplaceAll(other.CommandPath(), " ", "-"))+" (1)")
		}
	}
	text.WriteString(strings.Join(others, "\n") + "\n")
	return text.String()
}

func options(text *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(text, ".SH %s\n", title)
	flags.VisitAll(func(f *pflag.Flag) {
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if value != "" {
			value = " \\fI" + roff(value) + "\\fR"
		}
		fmt.Fprintf(text, ".TP\n\\fB%s\\fR%s\n%s\n", roff(name), value, roff(usage))
	})
}

// roff is text in which nothing is taken for a request.
func roff(text string) string {
	lines := strings.Split(strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
