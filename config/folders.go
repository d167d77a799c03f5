package config

import (
	"os"
	"path/filepath"
	"strings"
)

// maxLinks bounds the symbolic links on one path, as operating systems do.
const maxLinks = 40

// watchFolders adds the folders in which a change can change what a path leads to: the one that holds the file, and each
// that holds a symbolic link on the way. Kubernetes publishes a new configuration by replacing such a link, and nothing
// happens in the folder of the file then. Where the path leads nowhere it adds the last folder that exists, in which the
// missing part will appear.
func watchFolders(path string, into map[string]bool) {
	if !filepath.IsAbs(path) {
		here, err := os.Getwd()
		if err != nil {
			return // then nothing can be found by a relative path anyway
		}
		path = here + string(filepath.Separator) + path
	}
	folder, rest := string(filepath.Separator), steps(path)
	for links := 0; len(rest) > 0; {
		next := filepath.Join(folder, rest[0])
		info, err := os.Lstat(next)
		if err != nil || len(rest) == 1 {
			into[folder] = true
		}
		if err != nil {
			return
		}
		if info.Mode()&os.ModeSymlink == 0 {
			folder, rest = next, rest[1:]
			continue
		}
		into[folder] = true
		target, err := os.Readlink(next)
		if links++; err != nil || links > maxLinks {
			return
		}
		rest = append(steps(target), rest[1:]...)
		if filepath.IsAbs(target) {
			folder = string(filepath.Separator)
		}
	}
}

// steps is the parts of a path. A ".." stays: behind a symbolic link it is not the same as taking a part away.
func steps(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == filepath.Separator })
}
