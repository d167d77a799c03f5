// Package ui is the dashboard: files for browsers, ready to be sent.
//
// It owns the files, their compressed forms, how browsers may keep them and what they may do (the content security policy). It does not own
// what the pages show or do: that is the API of admin. The files need no build: modules as they are written, and in web/lib a few of
// others, which "make vendor-web" fetches.
//
// Concurrency: a handler may be called by several goroutines. Nothing starts one.
package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed web
var web embed.FS

const (
	// root is the path of the dashboard, index the name of its page.
	root  = "/ui/"
	index = "index.html"
	// hashMark stands in the page for the hash of all files, which is a part of their paths; preloadMark for links to all modules, so that a browser
	// need not find out one after the other.
	hashMark    = "%HASH%"
	preloadMark = "%PRELOAD%"
	// policy is what the page may do: run and load what comes from here, and nothing else. A string never becomes a script.
	policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
		"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)

// file is one file, ready to be sent.
type file struct {
	kind          string // of its content
	plain, zipped []byte
	keep          string // for how long browsers may keep it
	tag           string
}

// Files are the files of the dashboard.
type Files struct {
	missing   http.HandlerFunc
	takesGzip func(http.Header) bool
	load      func() (map[string]*file, error)
}

// New prepares the files; missing answers where there is none, and takesGzip says of a request's fields whether the answer may be
// compressed. The files are compressed when the first one is asked for.
func New(missing http.HandlerFunc, takesGzip func(http.Header) bool) *Files {
	return &Files{missing: missing, takesGzip: takesGzip, load: sync.OnceValues(loadAll)}
}

// ServeHTTP sends a file. The page is asked for again each time, and names all others by their hash, so that browsers keep those for ever.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	all, err := f.load()
	if err != nil { // files that we have built in
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	found := all[strings.TrimPrefix(r.URL.Path, root)]
	if found == nil {
		f.missing(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("Cache-Control", found.keep)
	header.Set("Vary", "Accept-Encoding")
	header.Set("ETag", found.tag)
	header.Set("Content-Type", found.kind)
	if r.Header.Get("If-None-Match") == found.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	text := found.plain
	if f.takesGzip(r.Header) {
		header.Set("Content-Encoding", "gzip")
		text = found.zipped
	}
	_, _ = w.Write(text) // the browser may have gone; for HEAD the server leaves the body out
}

// loadAll reads and compresses all files, by what comes after the root in their path.
func loadAll() (map[string]*file, error) {
	texts, hash, err := readAll()
	if err != nil {
		return nil, err
	}
	all := make(map[string]*file, len(texts))
	for name, text := range texts {
		one := &file{plain: text, tag: `"` + hash + `"`, kind: kindOf(name), keep: "public, max-age=31536000, immutable"}
		at := hash + "/" + name
		if name == index {
			text = bytes.ReplaceAll(text, []byte(preloadMark), preloads(texts))
			one.plain = bytes.ReplaceAll(text, []byte(hashMark), []byte(hash))
			one.keep, at = "no-cache", ""
		}
		if one.zipped, err = zip(one.plain); err != nil {
			return nil, err
		}
		all[at] = one
	}
	return all, nil
}

// readAll is every file by its name, and the hash of all of them.
func readAll() (texts map[string][]byte, hash string, err error) {
	texts = make(map[string][]byte)
	sum := sha256.New()
	err = fs.WalkDir(web, "web", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := web.ReadFile(name)
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(name, "web/")
		texts[name] = text
		fmt.Fprintf(sum, "%s %d\n", name, len(text))
		sum.Write(text)
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("read the files of the dashboard: %w", err)
	}
	return texts, hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// preloads are links to all modules.
func preloads(texts map[string][]byte) []byte {
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if name != "theme.js" && (path.Ext(name) == ".mjs" || path.Ext(name) == ".js" && path.Dir(name) == ".") {
			fmt.Fprintf(&out, "<link rel=\"modulepreload\" href=\"%s%s/%s\">\n", root, hashMark, name)
		}
	}
	return out.Bytes()
}

func zip(text []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// kindOf is the type of a file's content. The tables of the system are not asked: they differ.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "text/plain; charset=utf-8"
}
