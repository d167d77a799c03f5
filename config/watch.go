package config

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long the files must be left alone before they are compared: saving a file is several events.
	quiet = 200 * time.Millisecond
	// patience bounds the wait for quiet in a folder that never is.
	patience = 2 * time.Second
)

// Watcher notices when a file of a configuration has other content than what was loaded. It watches folders, because
// editors and Kubernetes put a new file in the place of the old one, and compares contents, because most of what happens
// in a folder is no change.
//
// Concurrency: Follow and FollowFiles may be called at any time and from any goroutine, the callback of Run among them. Run is called
// once; it starts nothing that outlives it.
type Watcher struct {
	followed chan struct{}     // has an element when Follow brought something new
	compared func(change bool) // told of every comparison; for tests, nil otherwise

	mu      sync.Mutex
	content map[string]digest // of each watched file, as last loaded or reported
}

// NewWatcher watches files. What they hold now counts as loaded, so it is to be made before they are loaded: a change in
// between is then reported and not lost.
func NewWatcher(paths ...string) *Watcher {
	w := &Watcher{followed: make(chan struct{}, 1)}
	w.hold(paths)
	return w
}

// FollowFiles makes the watcher watch these files instead of those before. It remembers what it knows of a file that it
// watched already, and takes what a new one holds now as loaded: like NewWatcher it is to be called before they are loaded.
// It is for files beside the configuration (TLSFiles), which have a watcher of their own.
func (w *Watcher) FollowFiles(paths ...string) {
	w.hold(paths)
	w.note()
}

// hold takes files in the place of those before.
func (w *Watcher) hold(paths []string) {
	content := make(map[string]digest, len(paths))
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, path := range paths {
		known, ok := w.content[path]
		if !ok {
			known = digestOf(path)
		}
		content[path] = known
	}
	w.content = content
}

// Follow makes the watcher watch the files of a configuration that was loaded, instead of those before. A file that has
// changed since it was loaded is reported.
func (w *Watcher) Follow(c *Config) {
	content := make(map[string]digest, len(c.sources))
	for _, s := range c.sources {
		content[s.path] = s.content
	}
	w.mu.Lock()
	w.content = content
	w.mu.Unlock()
	w.note()
}

// note tells Run that there are other files to watch.
func (w *Watcher) note() {
	select {
	case w.followed <- struct{}{}:
	default:
	}
}

// Run calls onChange after each change of a watched file, once the folder has been quiet for 200 ms, until ctx is done. A
// file that is gone or cannot be read has changed, too. onChange runs on Run's goroutine: what happens during it is seen
// afterwards. The error is that of the operating system when it cannot watch; a done ctx is none.
func (w *Watcher) Run(ctx context.Context, onChange func()) error {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the configuration: %w", err)
	}
	stirred, drained := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(drained)
		drain(events, stirred)
	}()
	defer func() {
		_ = events.Close() // nothing is lost with it; it ends drain
		<-drained
	}()
	folders := folders{events: events, watched: make(map[string]bool)}
	var wait debounce
	defer wait.stop()
	for {
		// Subscribe first, compare second: a change in between is an event.
		if err := folders.watch(w.paths()); err != nil {
			return fmt.Errorf("watch the configuration: %w", err)
		}
		if w.changed() {
			onChange()
		}
		if !w.sleep(ctx, stirred, &wait) {
			return nil
		}
	}
}

// drain takes events as they come, so that the library never waits for us while we wait for it, and leaves one note of
// them. An error is mostly an overflow: events were lost, and what they were must be found out by looking.
func drain(events *fsnotify.Watcher, stirred chan<- struct{}) {
	for open := true; open; {
		select {
		case _, open = <-events.Events:
		case _, open = <-events.Errors:
		}
		select {
		case stirred <- struct{}{}:
		default:
		}
	}
}

// sleep returns true when the files are to be compared, and false when ctx is done.
func (w *Watcher) sleep(ctx context.Context, stirred <-chan struct{}, wait *debounce) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-wait.done():
			wait.stop()
			return true
		case <-stirred:
			wait.event(time.Now())
		case <-w.followed:
			wait.event(time.Now())
		}
	}
}

// paths is the files to watch.
func (w *Watcher) paths() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return names(w.content)
}

// changed compares every file with what it held and remembers what it holds now.
func (w *Watcher) changed() bool {
	w.mu.Lock()
	change := false
	for path, before := range w.content {
		now := digestOf(path)
		change = change || now != before
		w.content[path] = now
	}
	w.mu.Unlock()
	if w.compared != nil {
		w.compared(change)
	}
	return change
}

// digestOf is the fingerprint of a file; one that cannot be read has the zero digest.
func digestOf(path string) digest {
	src, err := readFile(path)
	if err != nil {
		return digest{}
	}
	return sha256.Sum256(src)
}

// debounce waits for quiet after events. The zero value waits for nothing.
type debounce struct {
	timer *time.Timer
	first time.Time // the first event that is waited for
}

func (d *debounce) event(now time.Time) {
	if d.timer == nil {
		d.first = now
		d.timer = time.NewTimer(quiet)
		return
	}
	d.timer.Reset(min(quiet, max(0, patience-now.Sub(d.first))))
}

// done has an element when the wait is over; without a wait it never has.
func (d *debounce) done() <-chan time.Time {
	if d.timer == nil {
		return nil
	}
	return d.timer.C
}

func (d *debounce) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

// folders keeps the operating system's list of watched folders in step with the files.
type folders struct {
	events  *fsnotify.Watcher
	watched map[string]bool
}

// watch watches the folders that can change what the paths hold, and no others.
func (f *folders) watch(paths []string) error {
	needed := make(map[string]bool)
	for _, path := range paths {
		watchFolders(path, needed)
	}
	for folder := range f.watched {
		if !needed[folder] {
			// It may be gone already, and its watch with it.
			_ = f.events.Remove(folder)
		}
	}
	for folder := range needed {
		// Also when it is watched: another folder may have taken its name.
		if err := f.events.Add(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	f.watched = needed
	return nil
}
