package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// programs are the ones that documents may name beside haldane: what is not here is a slip of the pen, or has to be thought about.
func programs() []string {
	return []string{
		"apt", "awk", "bash", "cat", "cd", "cp", "curl", "df", "dig", "docker", "du", "echo", "exit", "export", "git", "go", "grep", "haldane", "haproxy", "head", "install",
		"jobs", "jq", "journalctl", "kill", "kubectl", "kustomize", "ln", "ls", "make", "man", "mkdir", "mv", "nginx", "openssl", "printf", "promtool",
		"python3", "rm", "sed", "seq", "set", "sleep", "sort", "source", "sudo", "systemctl", "systemd-analyze", "tail", "tee", "test", "touch", "true",
		"wait", "watch", "[", "[[", ".", ":", "xdg-open",
	}
}

// words looks at simple commands.
func (l *linter) words(commands [][]string) []error {
	var problems []error
	for _, words := range commands {
		words = bare(words)
		if len(words) == 0 {
			continue
		}
		if body, is := l.functions[words[0]]; is {
			problems = append(problems, l.words(called(body, words[1:]))...)
			continue
		}
		if err := l.command(words); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", strings.Join(words, " "), err))
		}
		for _, word := range words {
			if err := isThere(word); err != nil {
				problems = append(problems, err)
			}
		}
	}
	return problems
}

// called are the commands of a function with the arguments of a call.
func called(body string, args []string) [][]string {
	commands := commandsOf(body)
	for i, words := range commands {
		if at := slices.Index(words, "$@"); at >= 0 {
			commands[i] = slices.Replace(words, at, at+1, args...)
		}
	}
	return commands
}

// bare takes off what stands in front of a command: variables, words of the shell, sudo.
func bare(words []string) []string {
	for len(words) > 0 {
		switch words[0] {
		case "if", "then", "while", "until", "do", "else", "elif", "done", "fi", "time", "!", "{", "}", "sudo", "exec", "env":
			words = words[1:]
			continue
		case "for", "case", "esac":
			return nil
		}
		if !regexp.MustCompile(`^[A-Za-z_][A-Za-z_0-9]*=`).MatchString(words[0]) {
			return words
		}
		words = words[1:]
	}
	return words
}

// command looks at one.
func (l *linter) command(words []string) error {
	switch name := words[0]; {
	case name == "haldane" || strings.HasSuffix(name, "/haldane"):
		return l.haldane(words[1:])
	case name == "go" && len(words) > 2 && words[1] == "run":
		args := words[2:]
		for len(args) > 1 && strings.HasPrefix(args[0], "-") {
			args = args[1:] // -tags is followed by its value
		}
		if i := slices.Index(args, "."); i >= 0 {
			return l.haldane(args[i+1:])
		}
		return nil
	case name == "make":
		for _, target := range words[1:] {
			if !strings.Contains(target, "=") && !slices.Contains(l.targets, target) {
				return fmt.Errorf("the Makefile has no target %q", target)
			}
		}
		return nil
	case name == "curl":
		return l.request(words[1:])
	case name == "docker" || name == "kubectl":
		// What is run in a container begins behind the name of the service, or behind two dashes.
		for i, word := range words[1:] {
			if word == "haldane" && i > 0 && (words[i] == "--" || words[i] == "haldane") || strings.HasSuffix(word, "/haldane") && words[i] == "--" {
				return l.haldane(words[i+2:])
			}
		}
		return nil
	case !slices.Contains(programs(), name):
		return fmt.Errorf("there is no program %q", name)
	}
	return nil
}

// isThere holds that a file of the repository that is named exists; what a run leaves behind is not looked for.
func isThere(word string) error {
	path := strings.TrimPrefix(word, "./")
	folder, _, _ := strings.Cut(path, "/")
	named := []string{"examples", "deploy", "docs", "bench", "observability", "man", "schema", "config", "cli", "rollout"}
	if !slices.Contains(named, folder) || !strings.Contains(path, "/") || strings.Contains(path, "/state/") || strings.ContainsAny(path, "*$:") {
		return nil
	}
	if _, err := os.Stat(filepath.Join(repository, strings.TrimSuffix(path, "/..."))); err != nil {
		return fmt.Errorf("%s is not there", word)
	}
	return nil
}

// Each of these has to be found, or the tests above hold nothing.
func TestBadCommandsAreFound(t *testing.T) {
	l := newLinter(t)
	for name, f := range map[string]fence{
		"a command that is none":          {kind: "sh", text: "haldane statsu"},
		"a command behind another":        {kind: "sh", text: "cd x && ./haldane watcch shop"},
		"a flag that is none":             {kind: "sh", text: "haldane run --conf x"},
		"a missing argument":              {kind: "sh", text: "haldane pause"},
		"an argument too many":            {kind: "sh", text: "haldane pause shop now"},
		"a subcommand that is none":       {kind: "sh", text: "haldane demo backand"},
		"go run":                          {kind: "sh", text: "go run . dmeo"},
		"go run with flags":               {kind: "sh", text: "go run -tags grpcnotrace . dmeo"},
		"in a substitution":               {kind: "sh", text: "export X=$(haldane reprot shop)"},
		"behind a pipe":                   {kind: "sh", text: "cat x | haldane chekc"},
		"in a loop":                       {kind: "sh", text: "until haldane status --nope; do sleep 1; done"},
		"over two lines":                  {kind: "sh", text: "haldane check \\\n  --nope x"},
		"in a container":                  {kind: "sh", text: "docker compose exec haldane haldane statsu"},
		"in a pod":                        {kind: "sh", text: "kubectl exec haldane-0 -- haldane pause"},
		"a target that is none":           {kind: "sh", text: "make biuld"},
		"a program that is none":          {kind: "sh", text: "haldan status"},
		"a file that is not there":        {kind: "sh", text: "haldane check examples/minimum.yaml"},
		"a path that is none":             {kind: "sh", text: "curl 127.0.0.1:9901/metric"},
		"a method that is none":           {kind: "sh", text: "curl -X DELETE http://127.0.0.1:9901/metrics"},
		"a path that is none, by socket":  {kind: "sh", text: "curl --unix-socket x http://localhost/api/v2"},
		"a body that is no JSON":          {kind: "sh", text: "curl --unix-socket x http://localhost/api/v1/rollouts/shop/pause -d '{reason: x}'"},
		"a fault of a sample, misspelt":   {kind: "sh", text: "curl -d errors=1% 127.0.0.1:9002/-/faults"},
		"a function's path":               {kind: "sh", text: "api() { curl --unix-socket x \"$@\"; }\napi http://localhost/api/v2"},
		"a function's method":             {kind: "sh", text: "api() {\n  curl --unix-socket x \"$@\"\n}\napi http://localhost/metrics -d x"},
		"shell that is none":              {kind: "sh", text: "if true; the echo; fi"},
		"a mark that is none":             {kind: "sh ran", text: "true"},
		"a share that is none":            {kind: "sh", text: "haldane set-weight shop 101%"},
		"a command in an output":          {kind: "text", text: "$ haldane chekc x"},
		"JSON that is none":               {kind: "json", text: "{"},
		"a line that is none of a unit":   {kind: "ini", text: "[Service]\nExecStart"},
		"a block in a language of no one": {kind: "console", text: "$ x"},
		"a block without a language":      {kind: "", text: "x"},
	} {
		if problems := l.fence(f); len(problems) == 0 {
			t.Errorf("%s: nothing was found in %q", name, f.text)
		}
	}
	for _, text := range []string{"see `haldane statsu`", "use `haldane check --nope`"} {
		if len(l.inline(text)) == 0 {
			t.Errorf("nothing was found in %q", text)
		}
	}
	if open := fences("```sh\ntrue\n"); len(open) != 1 || len(l.fence(open[0])) == 0 {
		t.Errorf("a block without an end: %+v", open)
	}
	if found := commentCommands("#   docker compose up\n# say \"haldane chekc x\" first\n# docker is not called\n"); len(found) != 2 {
		t.Errorf("commands in comments: %q", found)
	}
}
