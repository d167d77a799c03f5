package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each policy of docs/POLICIES.md is followed by what check says of it, word for word.
func TestPoliciesAreCheckedAsTheDocumentSays(t *testing.T) {
	const path, file, said = "../docs/POLICIES.md", "```yaml\n", "```text\n$ haldane "
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir() + string(filepath.Separator)
	parts := strings.Split(string(src), file)
	want := []string{parts[0]}
	for _, part := range parts[1:] {
		text, _, _ := strings.Cut(part, "```")
		before, after, found := strings.Cut(part, said)
		if !found {
			t.Fatalf("nothing is said of\n%s", text)
		}
		shown, rest, _ := strings.Cut(after, "```")
		command, _, _ := strings.Cut(shown, "\n")
		args := strings.Fields(command)
		name := args[len(args)-1]
		args[len(args)-1] = folder + name
		if err := os.WriteFile(folder+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := invoke(t, args...)
		if got.code != 0 {
			t.Errorf("%s: %s%s", name, got.stdout, got.stderr)
		}
		want = append(want, before+said+command+"\n"+strings.ReplaceAll(got.stdout, folder, "")+"```"+rest)
	}
	document := strings.Join(want, file)
	if *update {
		if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(document, string(src)); diff != "" || len(parts) < 6 {
		t.Errorf("%d files; %s (run with -update if this is right): %s", len(parts)-1, path, diff)
	}
}
