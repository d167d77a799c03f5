package cli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asItself makes the binary of the tests be the program.
const asItself = "HALDANE_TEST_AS_ITSELF"

// runLimit is for the blocks of one document. It is wide: the machine may be busy.
const runLimit = 3 * time.Minute

// The blocks of a document that are marked "sh run" are one script. It runs in a copy of examples and deploy, with this program in the
// path and free ports in the place of the usual ones; what a block of text below one of them shows has to be printed, with … for what
// varies.
func TestDocumentsRun(t *testing.T) {
	if os.Getenv("HALDANE_RACED") != "" {
		t.Skip("done in the pass with the race detector")
	}
	ran := 0
	for _, d := range documents(t) {
		blocks := runnable(d.text)
		if len(blocks) == 0 {
			continue
		}
		ran++
		t.Run(strings.ReplaceAll(d.path, "/", "."), func(t *testing.T) {
			t.Parallel()
			for _, problem := range runBlocks(t, blocks) {
				t.Errorf("%s:%s", d.path, problem)
			}
		})
	}
	if ran == 0 {
		t.Error("no document has blocks that are run")
	}
}

// runBlock is a block that is run, and what it is to print.
type runBlock struct {
	fence
	shown string
}

// runnable are the blocks of a document that are run.
func runnable(text string) []runBlock {
	var found []runBlock
	before := ""
	for _, f := range fences(text) {
		switch {
		case f.kind == "sh run":
			found = append(found, runBlock{fence: f})
		case f.kind == "text" && f.below && before == "sh run":
			found[len(found)-1].shown = f.text
		}
		before = f.kind
	}
	return found
}

// runBlocks runs them and returns what went wrong, each with its line.
func runBlocks(t *testing.T, blocks []runBlock) []string {
	t.Helper()
	bash, err := exec.LookPath("bash")
	_, noCurl := exec.LookPath("curl")
	if err != nil || noCurl != nil {
		if os.Getenv("HALDANE_REQUIRE_TOOLS") != "" {
			t.Fatal("bash and curl are needed")
		}
		t.Skip("SKIP: ===== no bash or no curl: the commands of the documents are not run =====")
	}
	folder, err := os.MkdirTemp("", "hd") // t.TempDir can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	ports := freePorts(t)
	furnish(t, folder, ports)
	script := "set -euo pipefail\nexport PATH=" + filepath.Join(folder, "bin") + ":$PATH\n"
	for i, b := range blocks {
		script += fmt.Sprintf("echo '@@ %d'\n%s", i, elsewhere(b.text, ports))
	}
	said, err := runScript(t.Context(), bash, folder, script+"echo '@@ end'\n")
	var problems []string
	if err != nil {
		problems = append(problems, fmt.Sprintf("%d: %v\n%s", blocks[strings.Count(said, "\n@@ ")].line, err, said))
		return problems
	}
	for i, b := range blocks {
		_, part, _ := strings.Cut("\n"+said, fmt.Sprintf("\n@@ %d\n", i))
		if missing := shows(part, elsewhere(b.shown, ports)); missing != "" {
			problems = append(problems, fmt.Sprintf("%d: %q is not in what was printed:\n%s", b.line, missing, part))
		}
	}
	return problems
}

// runScript runs a script, ends whatever it has left behind, and returns what was printed.
func runScript(ctx context.Context, bash, folder, script string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	// A file, and no pipe: who stays in the background would hold it open.
	output, err := os.Create(filepath.Join(folder, "output"))
	if err != nil {
		return "", err
	}
	defer output.Close()
	command := exec.CommandContext(ctx, bash, "-c", script)
	command.Dir, command.Stdout, command.Stderr = folder, output, output
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	everybody := func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.Cancel = everybody
	command.Env = append(os.Environ(), "HOME="+folder, "TERM=dumb")
	failed := command.Run()
	if command.Process != nil {
		_ = everybody()
	}
	said, err := os.ReadFile(output.Name())
	if failed != nil {
		err = failed
	}
	return string(said), err
}

// furnish makes a folder look like the top of the repository, as far as commands are concerned.
func furnish(t *testing.T, folder string, ports map[string]string) {
	t.Helper()
	for _, name := range []string{"examples", "deploy"} {
		if err := os.CopyFS(filepath.Join(folder, name), os.DirFS(filepath.Join(repository, name))); err != nil {
			t.Fatal(err)
		}
		err := filepath.WalkDir(filepath.Join(folder, name), func(path string, entry os.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".yaml" || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, []byte(elsewhere(string(text), ports)), 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"haldane":     "#!/bin/sh\n" + asItself + "=1 exec " + self + " \"$@\"\n",
		"bin/haldane": "#!/bin/sh\n" + asItself + "=1 exec " + self + " \"$@\"\n",
		"bin/make":    "#!/bin/sh\n[ \"$*\" = build ] # it is built already\n",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// freePorts are ports to use in the place of those that documents name. They are below the range that the system takes ports of
// connections from, so that nobody gets one of them by chance before the script does.
func freePorts(t *testing.T) map[string]string {
	t.Helper()
	ports := map[string]string{}
	for _, usual := range []string{"8080", "8081", "8082", "9000", "9001", "9002", "9003", "9901"} {
		for tries := 0; ports[usual] == ""; tries++ {
			port := strconv.Itoa(20000 + rand.IntN(12000))
			listener, err := net.Listen("tcp", "127.0.0.1:"+port)
			if err != nil && tries < 100 {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close() // when all are found, so that they differ
			ports[usual] = port
		}
	}
	return ports
}

// elsewhere puts other ports into a text. A configuration that does not say where operators are gets that, too.
func elsewhere(text string, ports map[string]string) string {
	if strings.Contains(text, "version: 1\n") && !strings.Contains(text, "\nadmin:") {
		text = strings.Replace(text, "version: 1\n", "version: 1\nadmin: {address: \"127.0.0.1:9901\"}\n", 1)
	}
	return regexp.MustCompile(`\b\d{4}\b`).ReplaceAllStringFunc(text, func(port string) string {
		if free, known := ports[port]; known {
			return free
		}
		return port
	})
}

// shows returns the first line that was to be printed and was not; the lines may have others between them.
func shows(said, shown string) string {
	for line := range strings.SplitSeq(strings.TrimSpace(shown), "\n") {
		if strings.TrimSpace(line) == "" || strings.TrimSpace(line) == "…" {
			continue
		}
		pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(line)), "…", `[^\n]*`)
		pattern = regexp.MustCompile(` +`).ReplaceAllString(pattern, " +")
		at := regexp.MustCompile(`(?m)^ *` + pattern + ` *$`).FindStringIndex(said)
		if at == nil {
			return line
		}
		said = said[at[1]:]
	}
	return ""
}

// Blocks that fail, or print something else, or leave something behind.
func TestBadRunsAreFound(t *testing.T) {
	run := func(text string) []string { return runBlocks(t, runnable(text)) }
	const block, end = "```sh run\n", "```\n"
	for name, text := range map[string]string{
		"a command that fails":          block + "false\n" + end,
		"a second block that fails":     block + "true\n" + end + block + "haldane chekc\n" + end,
		"the beginning of a pipe":       block + "false | cat\n" + end,
		"a variable that is not set":    block + "echo $NOPE\n" + end,
		"something else is printed":     block + "haldane version\n" + end + "\n```text\nversion of haldane\n" + end,
		"another order":                 block + "echo b; echo a\n" + end + "```text\na\nb\n" + end,
		"printed by the block before":   block + "echo a\n" + end + block + "echo b\n" + end + "```text\na\n" + end,
		"a file with a mistake":         block + "cat > x.yaml <<'EOF'\nversion: 2\nEOF\nhaldane check x.yaml\n" + end,
		"a target that builds no thing": block + "make test\n" + end,
	} {
		if problems := run(text); len(problems) != 1 {
			t.Errorf("%s: %q", name, problems)
		}
	}
	good := block + "make build\n./haldane version\nhaldane check examples/minimal.yaml\n(sleep 1000; touch late) &\necho 127.0.0.1:9001\n" + end +
		"\n```text\nhaldane …\n…\n127.0.0.1:9001\n" + end
	if problems := run(good); len(problems) > 0 {
		t.Errorf("%q", problems)
	}
}
