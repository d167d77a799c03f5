package config

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
)

// maxFile bounds the configuration file, and each list in a text file, so that a wrong path does not fill the memory.
const maxFile = Bytes(64 << 20)

// digest is a fingerprint of a file's content.
type digest [sha256.Size]byte

// source is one file that a configuration was read from, and what was in it.
type source struct {
	path    string
	content digest
}

// Load reads and checks a configuration file. The error is Problems when the file could be read and is wrong. See Parse.
func Load(path string, getenv func(string) (string, bool)) (*Config, error) {
	src, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	return Parse(path, src, getenv)
}

// Parse checks a configuration: defaults, then strict decoding, then validation. The error is Problems and holds all that
// is wrong. name is what the problems call the file; relative paths in the file start at its folder. getenv looks up the
// variables of the file, as os.LookupEnv does; nil knows none.
func Parse(name string, src []byte, getenv func(string) (string, bool)) (*Config, error) {
	problems := newCollector(name)
	root := parse(src, problems)
	if root == nil {
		return nil, problems.err()
	}
	c := Default()
	d := decoder{
		problems: problems, getenv: getenv, shapes: make(map[reflect.Type][]field),
		budget: budgetFor(src), late: make(map[*spot]late),
	}
	top := place{at: position{1, 1}}.plant()
	d.value(root, top, reflect.ValueOf(&c).Elem())
	if d.spent {
		return nil, problems.err()
	}
	c.sources = []source{{name, sha256.Sum256(src)}}
	c.complete(filepath.Dir(name), top)
	d.override(&c, top)
	c.eachHookFile(top, func(_ place, path *string) { *path = within(filepath.Dir(name), *path) })
	c.loadLists(problems, top)
	v := validator{problems, &c}
	v.config(top)
	if err := problems.err(); err != nil {
		return nil, err
	}
	c.remember(name, top)
	return &c, nil
}

// Files is every file that the configuration was read from: itself and the lists of in_file. It is what a Watcher
// watches.
func (c *Config) Files() []string {
	paths := make([]string, len(c.sources))
	for i, s := range c.sources {
		paths[i] = s.path
	}
	return paths
}

// readFile reads a regular file. Others (a pipe, a device) might never end.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if info.Size() > int64(maxFile) {
		return nil, fmt.Errorf("%s is larger than %s", path, maxFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read from: closing it cannot lose anything
	// It may have grown since it was looked at; the buffer has the right size when it has not.
	var src bytes.Buffer
	src.Grow(int(info.Size()) + bytes.MinRead)
	if _, err := src.ReadFrom(io.LimitReader(f, int64(maxFile)+1)); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if src.Len() > int(maxFile) {
		return nil, fmt.Errorf("%s is larger than %s", path, maxFile)
	}
	return src.Bytes(), nil
}
