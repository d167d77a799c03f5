package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWatchFolders(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "a/b"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "a/b/f"), "")
	link(t, "a", filepath.Join(root, "l"))
	link(t, "../../l/b/f", filepath.Join(root, "a/b/g"))
	link(t, "circle", filepath.Join(root, "circle"))
	f := func(path string, want ...string) {
		t.Helper()
		got := make(map[string]bool)
		watchFolders(filepath.Join(root, path), got)
		for i := range want {
			want[i] = filepath.Join(root, want[i])
		}
		if diff := cmp.Diff(want, names(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	f("a/b/f", "a/b")
	f("l/b/f", "", "a/b")
	f("a/b/g", "", "a/b")
	f("l/b/none", "", "a/b")
	f("a/none/f", "a")
	f("none/at/all", "")
	f("circle", "")
}

// TestWatchLinkedElsewhere changes the file behind a link, and the link in the middle of a path.
func TestWatchLinkedElsewhere(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, dir := range []string{"etc", "opt/1", "opt/2"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "opt/1/h.yaml"), "a")
	write(t, filepath.Join(root, "opt/2/h.yaml"), "b")
	link(t, "1", filepath.Join(root, "opt/current"))
	link(t, filepath.Join(root, "opt/current/h.yaml"), filepath.Join(root, "etc/h.yaml"))
	w := startWatching(t, filepath.Join(root, "etc/h.yaml"), nil)
	write(t, filepath.Join(root, "opt/1/h.yaml"), "a2")
	w.comparison(true)
	link(t, "2", filepath.Join(root, "opt/next"))
	if err := os.Rename(filepath.Join(root, "opt/next"), filepath.Join(root, "opt/current")); err != nil {
		t.Fatal(err)
	}
	w.comparison(true)
	write(t, filepath.Join(root, "opt/2/h.yaml"), "b2")
	w.comparison(true)
}
