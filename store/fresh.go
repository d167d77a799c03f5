package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// freshMark is behind the name of a file that is being made.
const freshMark = ".new-"

// makeFresh makes an empty file beside path, which says what of an earlier one is lost, and returns its name. A new file gets its
// name only when it is whole: a process that is killed while it makes one leaves what was there before, and not a file that
// looks damaged.
func makeFresh(path string, damage error) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+freshMark+"*") // mode 0600
	if err != nil {
		return "", err
	}
	name = f.Name()
	defer func() {
		if err != nil {
			_ = os.Remove(name) //nolint:gosec // the operator says where the state is
		}
	}()
	if err := f.Close(); err != nil {
		return "", err
	}
	db, err := bbolt.Open(name, 0o600, &bbolt.Options{Timeout: lockTimeout, NoSync: true}) // once, at the end
	if err != nil {
		return "", err
	}
	_, err = prepare(db, damage)
	return name, errors.Join(err, db.Sync(), db.Close())
}

// create makes the file at path when there is none.
func create(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) { //nolint:gosec // as above
		return nil // whatever is there is looked at when it is opened
	}
	name, err := makeFresh(path, nil)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	if err := os.Link(name, path); err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
		// No second names on this file system. What another process makes at this very moment is empty, too.
		if err := os.Rename(name, path); err != nil { //nolint:gosec // as above
			return err
		}
	}
	return syncFolder(path)
}

// setAside puts an empty file in the place of a damaged one, which keeps another name for those who want to know. It returns what
// is to be said of it. Where files can have two names, there is one at
// path at every moment.
func setAside(path string, damage error) (said, err error) {
	aside := path + ".damaged-" + time.Now().UTC().Format("20060102T150405.000000000")
	said = fmt.Errorf("%w, and was moved to %s", damage, aside)
	fail := func(err error) (error, error) {
		return nil, fmt.Errorf("move the damaged file aside: %w", errors.Join(err, damage))
	}
	name, err := makeFresh(path, said)
	if err != nil {
		return fail(err)
	}
	if err := os.Link(path, aside); err != nil { // no second names on this file system
		if err := os.Rename(path, aside); err != nil { //nolint:gosec // as above
			return fail(errors.Join(err, os.Remove(name))) //nolint:gosec // as above
		}
	}
	if err := os.Rename(name, path); err != nil { //nolint:gosec // as above
		return fail(errors.Join(err, os.Remove(name))) //nolint:gosec // as above
	}
	return said, syncFolder(path)
}

// sweep takes away what processes have left behind that were killed while they made a file. It is for who has the file open:
// whoever is making one now finds out that there is one.
func sweep(path string) {
	left, _ := filepath.Glob(path + freshMark + "*") // the pattern is ours, or nothing matches
	for _, name := range left {
		_ = os.Remove(name) //nolint:gosec // as above
	}
}

// syncFolder makes the names in the folder of path outlive a loss of power.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path)) //nolint:gosec // as above
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
