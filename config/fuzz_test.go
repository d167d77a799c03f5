package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParse looks for files that crash the parser, and for files that are accepted and then refused when their own
// effective form is read back.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "../examples/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			src, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	f.Add([]byte("version: 1\nsegments: {a: {not: {percent: 0.5%, of: {client_address: true}}}}" + small))
	f.Add([]byte("version: 1\nx-a: &a {connect: ${NONE:-1s}}\ntimeouts: {<<: [*a, *a]}" + small))
	name := filepath.Join(f.TempDir(), "haldane.yaml")
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := Parse(name, src, environment)
		if (c == nil) == (err == nil) {
			t.Fatalf("neither one nor the other: %v, %v", c, err)
		}
		if err != nil {
			checkProblems(t, err, src)
			return
		}
		text, err := c.Dump()
		if err != nil {
			t.Fatal(err)
		}
		// A dollar in the effective form is only a dollar.
		again, err := Parse(name, bytes.ReplaceAll(text, []byte("$"), []byte("$$")), nil)
		if err != nil {
			t.Fatalf("its own effective form is refused:\n%v\n%s", err, text)
		}
		if c.Admin.Token != "" {
			again.Admin.Token = c.Admin.Token
		}
		if diff := diffConfig(c, again); diff != "" {
			t.Fatalf("its own effective form means something else:\n%s\n%s", diff, text)
		}
	})
}

// checkProblems holds that every problem is one line that points into the file.
func checkProblems(t *testing.T, err error, src []byte) {
	t.Helper()
	var problems Problems
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Fatalf("not Problems: %v", err)
	}
	// A YAML line also ends at these.
	lines := strings.Count(strings.NewReplacer("\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(string(src)), "\n") + 1
	for _, p := range problems {
		if p.Line < 1 || p.Line > lines+1 || p.Column < 1 || p.Message == "" {
			t.Fatalf("%+v does not point into %d lines", p, lines)
		}
		if strings.ContainsAny(p.String(), "\n\r") {
			t.Fatalf("more than one line: %q", p)
		}
	}
}
