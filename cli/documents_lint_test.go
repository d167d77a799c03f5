package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"haldane/config"
)

// Every block of code in the documents is looked at as its language says; what is marked "sh run" is executed, too, by
// TestDocumentsRun, and YAML is loaded in the package examples.
func TestDocumentsAreRight(t *testing.T) {
	l := newLinter(t)
	shells := 0
	for _, d := range documents(t) {
		clear(l.functions)
		for _, f := range fences(d.text) {
			if strings.HasPrefix(f.kind, "sh") {
				shells++
			}
			for _, problem := range l.fence(f) {
				t.Errorf("%s:%d: %v", d.path, f.line, problem)
			}
		}
		for _, problem := range l.inline(prose(d.text)) {
			t.Errorf("%s: %v", d.path, problem)
		}
	}
	if shells < 40 || l.calls < 45 {
		t.Errorf("%d blocks of shell were found, and %d calls of haldane", shells, l.calls)
	}
}

// Commands in the comments of what is there to be copied are held to the same.
func TestCommentsAreRight(t *testing.T) {
	l := newLinter(t)
	known := 0
	for _, pattern := range []string{"examples/*.yaml", "deploy/*/*.yaml", "deploy/*/*/*.yaml", "deploy/systemd/*"} {
		paths, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, command := range commentCommands(string(text)) {
				known++
				for _, problem := range l.script(command) {
					t.Errorf("%s: %v", path, problem)
				}
			}
		}
	}
	if known < 5 {
		t.Errorf("%d commands were found", known)
	}
}

// commentCommands are the indented lines of comments that begin with a program, and what is quoted and begins with haldane.
func commentCommands(text string) []string {
	var found []string
	for line := range strings.SplitSeq(text, "\n") {
		comment, is := strings.CutPrefix(strings.TrimSpace(line), "#")
		if !is {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimSpace(comment), " ")
		if strings.HasPrefix(comment, "   ") && slices.Contains(programs(), name) {
			found = append(found, comment)
			continue
		}
		for _, quoted := range regexp.MustCompile(`"(haldane [^"]+)"`).FindAllStringSubmatch(comment, -1) {
			found = append(found, quoted[1])
		}
	}
	return found
}

// linter knows what commands may name.
type linter struct {
	admin   *http.ServeMux // the routes of the admin side
	targets []string       // of the Makefile
	calls   int            // of haldane that were looked at

	functions map[string]string // that the document has defined so far, with their bodies
}

func newLinter(t *testing.T) *linter {
	t.Helper()
	makefile, err := os.ReadFile(filepath.Join(repository, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	l := &linter{admin: http.NewServeMux(), functions: map[string]string{}}
	for _, found := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(string(makefile), -1) {
		l.targets = append(l.targets, found[1])
	}
	_, address := start(t, &fake{})
	response, err := http.Get("http://" + address + "/api/v1")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var index struct{ Routes []string }
	if err := json.NewDecoder(response.Body).Decode(&index); err != nil || len(index.Routes) < 10 {
		t.Fatalf("the index of routes: %v %v", index.Routes, err)
	}
	for _, pattern := range index.Routes {
		l.admin.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	}
	return l
}

// fence looks at one block. A language that is not known here is a problem: nothing is left out by mistake.
func (l *linter) fence(f fence) []error {
	language, mark, _ := strings.Cut(f.kind, " ")
	switch language {
	case "sh":
		if mark != "" && mark != "run" {
			return []error{fmt.Errorf("sh has no mark %q", mark)}
		}
		return l.script(f.text)
	case "text":
		var problems []error
		for line := range strings.SplitSeq(f.text, "\n") {
			if command, is := strings.CutPrefix(line, "$ "); is {
				problems = append(problems, l.words(commandsOf(command))...)
			}
		}
		return problems
	case "json":
		if !json.Valid([]byte(f.text)) {
			return []error{errors.New("this is not JSON")}
		}
	case "ini":
		return lintINI(f.text)
	case "nginx":
		if strings.Count(f.text, "{") != strings.Count(f.text, "}") {
			return []error{errors.New("braces do not fit together")}
		}
	case "python":
		return tool(f.text, "python3", "-c", "import ast, sys; ast.parse(sys.stdin.read())")
	case "yaml", "yml", "haproxy", "promql", "dockerfile": // YAML: examples; the others are not ours, and show where one comes from
	default:
		return []error{fmt.Errorf("a block of the kind %q is looked at by nobody", f.kind)}
	}
	return nil
}

// script looks at shell.
func (l *linter) script(text string) []error {
	problems := tool(text, "bash", "-n")
	definition := regexp.MustCompile(`(?ms)^([a-z]+)\(\) \{(.*?)\}$`)
	for _, found := range definition.FindAllStringSubmatch(text, -1) {
		l.functions[found[1]] = found[2]
	}
	return append(problems, l.words(commandsOf(definition.ReplaceAllString(text, "")))...)
}

// tool gives text to a program that says whether it is right, where there is that program.
func tool(text, name string, args ...string) []error {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil
	}
	command := exec.Command(path, args...)
	command.Stdin = strings.NewReader(text)
	if said, err := command.CombinedOutput(); err != nil {
		return []error{fmt.Errorf("%s: %w\n%s", name, err, said)}
	}
	return nil
}

func lintINI(text string) []error {
	var problems []error
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" && !regexp.MustCompile(`^(\[[A-Za-z]+\]|[A-Za-z]+=.*|#.*)$`).MatchString(line) {
			problems = append(problems, fmt.Errorf("%q is no line of a unit", line))
		}
	}
	return problems
}

// inline looks at what stands between single backticks and begins with haldane: the command and its flags have to be there; arguments
// may be left out, and values of flags may be capital letters.
func (l *linter) inline(text string) []error {
	var problems []error
	for _, found := range regexp.MustCompile("`(haldane [^`\n]+)`").FindAllStringSubmatch(text, -1) {
		shown := regexp.MustCompile(`(--[a-z-]+[ =])[A-Z]+\b`).ReplaceAllString(found[1], "${1}1")
		for _, words := range commandsOf(shown) {
			if _, _, err := parseHaldane(words[1:]); words[0] == "haldane" && err != nil && !strings.Contains(err.Error(), "needs an argument") {
				problems = append(problems, fmt.Errorf("%s: %w", found[1], err))
			}
		}
	}
	return problems
}

// parseHaldane finds the command of a command line and reads its flags.
func parseHaldane(args []string) (*cobra.Command, []string, error) {
	root := newRoot(env{getenv: func(string) (string, bool) { return "", false }})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	command, rest, err := root.Find(args)
	if err != nil {
		return nil, nil, err
	}
	command.InitDefaultHelpFlag()
	if err := command.ParseFlags(rest); err != nil {
		return nil, nil, err
	}
	left := command.Flags().Args()
	if command == root && len(left) > 0 {
		return nil, nil, fmt.Errorf("there is no command %q", left[0])
	}
	return command, left, nil
}

// haldane looks at one of our own command lines.
func (l *linter) haldane(args []string) error {
	l.calls++
	command, left, err := parseHaldane(args)
	if err != nil {
		return err
	}
	if help := command.Flags().Lookup("help"); help != nil && help.Changed {
		return nil
	}
	if !command.Runnable() {
		return fmt.Errorf("%s does nothing by itself", command.CommandPath())
	}
	if command.Name() == "set-weight" && len(left) == 2 {
		if _, err := config.ParsePercent(left[1]); err != nil {
			return err
		}
	}
	return command.ValidateArgs(left)
}

// request looks at a curl of the admin side, or of a sample backend.
func (l *linter) request(args []string) error {
	method, target, socket := http.MethodGet, "", false
	for i, arg := range args {
		switch {
		case (arg == "-X" || arg == "--request") && i+1 < len(args):
			method = args[i+1]
		case (arg == "-d" || arg == "--data" || strings.HasPrefix(arg, "--data-")) && method == http.MethodGet:
			method = http.MethodPost
		case strings.HasPrefix(arg, "{") && !json.Valid([]byte(arg)):
			return fmt.Errorf("%s is not JSON", arg)
		case arg == "--unix-socket":
			socket = true
		case strings.Contains(arg, "127.0.0.1:") || strings.Contains(arg, "localhost"):
			target = arg
		}
	}
	if !strings.Contains(target, "://") {
		target = "http://" + target
	}
	address, err := url.Parse(target)
	if err != nil {
		return err
	}
	request := &http.Request{Method: method, URL: address, Host: address.Host}
	if _, pattern := l.admin.Handler(request); (socket || address.Port() == "9901") && pattern == "" {
		return fmt.Errorf("nothing answers %s %s on the admin side", method, address.Path)
	}
	if port := address.Port(); strings.HasPrefix(port, "900") && strings.HasPrefix(address.Path, "/-/") && address.Path != "/-/fault" {
		return fmt.Errorf("no sample answers at %s", address.Path)
	}
	return nil
}
