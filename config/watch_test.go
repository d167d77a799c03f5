package config

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// watched is a running Watcher and what it did.
type watched struct {
	*Watcher
	t        *testing.T
	path     string
	changes  chan struct{}
	compared chan bool
}

// startWatching runs a watcher over a file until the test ends. reload is what the callback does besides being counted.
func startWatching(t *testing.T, path string, reload func(*Watcher)) *watched {
	w := &watched{
		Watcher: NewWatcher(path), t: t, path: path, changes: make(chan struct{}, 100), compared: make(chan bool, 100),
	}
	w.Watcher.compared = func(change bool) { w.compared <- change }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- w.Run(ctx, func() {
			if reload != nil {
				reload(w.Watcher)
			}
			w.changes <- struct{}{}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
	w.comparison(false) // the first one, after which the folder is watched
	return w
}

// comparison waits for the next comparison and checks how it came out. Before a change there may be comparisons that
// found none: a late event of something that was seen already.
func (w *watched) comparison(want bool) {
	w.t.Helper()
	for got := !want; got != want; {
		select {
		case got = <-w.compared:
			if got && !want {
				w.t.Fatal("a change was found where there is none")
			}
		case <-time.After(10 * time.Second):
			w.t.Fatal("the files were not compared")
		}
	}
	if want {
		select {
		case <-w.changes:
		case <-time.After(10 * time.Second):
			w.t.Fatal("the change was not reported")
		}
	}
	if len(w.changes) > 0 {
		w.t.Fatal("a change was reported twice")
	}
}

func TestWatchWriteInPlace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "h.yaml")
	write(t, path, "a")
	w := startWatching(t, path, nil)
	write(t, path, "b")
	w.comparison(true)
	write(t, path, "c")
	w.comparison(true)
}

func TestWatchRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "h.yaml", "a")
	w := startWatching(t, "h.yaml", nil)
	write(t, "h.yaml", "b")
	w.comparison(true)
}

// TestWatchRenameOver saves as most editors do.
func TestWatchRenameOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "h.yaml")
	write(t, path, "a")
	w := startWatching(t, path, nil)
	for _, text := range []string{"b", "c"} {
		write(t, path+".tmp", text)
		if err := os.Rename(path+".tmp", path); err != nil {
			t.Fatal(err)
		}
		w.comparison(true)
	}
}

func TestWatchSameContent(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "h.yaml")
	write(t, path, "a")
	w := startWatching(t, path, nil)
	write(t, path, "a")
	w.comparison(false)
	write(t, filepath.Join(filepath.Dir(path), "neighbour"), "b")
	w.comparison(false)
	write(t, path+".tmp", "a")
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
	w.comparison(false)
	write(t, path, "b")
	w.comparison(true)
}

func TestWatchFileGoesAndComes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "h.yaml")
	write(t, path, "a")
	w := startWatching(t, path, nil)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	w.comparison(true)
	write(t, path, "a")
	w.comparison(true)
}

// TestWatchFolderGoesAndComes replaces the whole folder, twice.
func TestWatchFolderGoesAndComes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "conf")
	path := filepath.Join(dir, "h.yaml")
	fill := func(text string) {
		t.Helper()
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
	}
	fill("a")
	w := startWatching(t, path, nil)
	for _, text := range []string{"b", "c"} {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		w.comparison(true)
		fill(text)
		w.comparison(true)
	}
}

// TestWatchKubernetes swaps the link that a mounted ConfigMap is published with: nothing happens to the file itself, nor
// in the folder that it lies in.
func TestWatchKubernetes(t *testing.T) {
	t.Parallel()
	mount := t.TempDir()
	publish := func(version, text string) {
		t.Helper()
		data := filepath.Join(mount, "..2026_"+version)
		if err := os.Mkdir(data, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(data, "h.yaml"), text)
		link(t, filepath.Base(data), filepath.Join(mount, "..data_tmp"))
		old, _ := os.Readlink(filepath.Join(mount, "..data"))
		if err := os.Rename(filepath.Join(mount, "..data_tmp"), filepath.Join(mount, "..data")); err != nil {
			t.Fatal(err)
		}
		if old != "" {
			if err := os.RemoveAll(filepath.Join(mount, old)); err != nil {
				t.Fatal(err)
			}
		}
	}
	publish("1", "a")
	path := filepath.Join(mount, "h.yaml")
	link(t, "..data/h.yaml", path)
	w := startWatching(t, path, nil)
	publish("2", "b")
	w.comparison(true)
	publish("3", "b")
	w.comparison(false)
	publish("4", "c")
	w.comparison(true)
}

// TestWatchLists follows the files of in_file, and drops them when a new configuration does not name them any more.
func TestWatchLists(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	lists := filepath.Join(root, "lists")
	if err := os.Mkdir(lists, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "h.yaml")
	with := "version: 1\nsegments: {a: {header: X, in_file: lists/a.txt}}" + small
	write(t, filepath.Join(lists, "a.txt"), "anna")
	write(t, path, with)
	reload := func(w *Watcher) {
		if c, err := Load(path, nil); err == nil {
			w.Follow(c)
		}
	}
	w := startWatching(t, path, reload)
	reload(w.Watcher)
	w.comparison(false)

	write(t, filepath.Join(lists, "a.txt"), "anna\nbert")
	w.comparison(true)
	w.comparison(false) // after Follow
	write(t, path, "version: 1"+small)
	w.comparison(true)
	w.comparison(false)
	write(t, filepath.Join(lists, "a.txt"), "nobody") // nobody watches
	write(t, path, with)
	w.comparison(true)
	w.comparison(false)
	if diff := cmp.Diff([]string{path, lists + "/a.txt"}, w.paths()); diff != "" {
		t.Error(diff)
	}
}

// TestFollowReportsWhatWasMissed changes a file between loading it and following it.
func TestFollowReportsWhatWasMissed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "h.yaml")
	write(t, path, "version: 1"+small)
	c, err := Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, "version: 1 # new"+small)
	w := startWatching(t, path, nil)
	w.Follow(c)
	w.comparison(true)
}

// TestNewWatcherReportsWhatWasMissed changes a file before Run.
func TestNewWatcherReportsWhatWasMissed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "h.yaml")
	write(t, path, "a")
	w := NewWatcher(path)
	write(t, path, "b")
	ctx, cancel := context.WithCancel(t.Context())
	if err := w.Run(ctx, cancel); err != nil {
		t.Fatal(err)
	}
}

// TestDebounce holds how long it waits: 200 ms of quiet, but no more than 2 s where it never is quiet.
func TestDebounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d debounce
		if d.done() != nil {
			t.Error("nothing to wait for, and yet it waits")
		}
		f := func(every time.Duration, want time.Duration) {
			t.Helper()
			begin := time.Now()
			events := time.NewTicker(every)
			defer events.Stop()
			d.event(begin)
			for waiting := true; waiting; {
				select {
				case now := <-events.C:
					d.event(now)
				case <-d.done():
					waiting = false
				}
			}
			if d.stop(); d.done() != nil {
				t.Error("it waits after it was stopped")
			}
			if got := time.Since(begin); got != want {
				t.Errorf("with an event every %v it waited %v; want %v", every, got, want)
			}
		}
		f(time.Hour, quiet)
		f(150*time.Millisecond, patience)
	})
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}
