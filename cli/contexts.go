package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// contexts are the named connections of a user.
type contexts struct {
	// Current is the one that is used when none is named; empty for none.
	Current string `yaml:"current,omitempty" json:"current"`
	// Contexts are all of them.
	Contexts map[string]target `yaml:"contexts" json:"contexts"`

	path string // of the file; empty when there is no place for one
}

// target is where a Haldane is found. Files may be relative to the file that names them.
type target struct {
	// Socket is its unix socket, Address its admin address; one of them is given.
	Socket  string `yaml:"socket,omitempty" json:"socket,omitempty"`
	Address string `yaml:"address,omitempty" json:"address,omitempty"`
	// TokenFile holds the token, CAFile the authorities that the certificate of the address is verified with; empty for those of the
	// system.
	TokenFile string `yaml:"token_file,omitempty" json:"token_file,omitempty"`
	CAFile    string `yaml:"ca_file,omitempty" json:"ca_file,omitempty"`
}

// contextsPath is where the file is: HALDANE_CONTEXTS, or in the user's folder for configurations.
func contextsPath(e env) string {
	folder := e.lookup("XDG_CONFIG_HOME", "")
	if home := e.lookup("HOME", ""); folder == "" && home != "" {
		folder = filepath.Join(home, ".config")
	}
	if folder != "" {
		folder = filepath.Join(folder, "haldane", "contexts.yaml")
	}
	return e.lookup("HALDANE_CONTEXTS", folder)
}

// readContexts reads the file. There need be none.
func readContexts(e env) (*contexts, error) {
	all := &contexts{path: contextsPath(e)}
	if all.path == "" {
		return all, nil
	}
	src, err := os.ReadFile(all.path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the contexts: %w", err)
	}
	if err := yaml.Load(src, all, yaml.WithKnownFields()); err != nil {
		return nil, fmt.Errorf("read the contexts of %s: %w", all.path, err)
	}
	for _, name := range all.names() {
		t := all.Contexts[name]
		if (t.Socket == "") == (t.Address == "") {
			return nil, fmt.Errorf("%s: the context %s needs either a socket or an address", all.path, name)
		}
		for _, file := range []*string{&t.Socket, &t.TokenFile, &t.CAFile} {
			if *file != "" && !filepath.IsAbs(*file) {
				*file = filepath.Join(filepath.Dir(all.path), *file)
			}
		}
		all.Contexts[name] = t
	}
	return all, nil
}

func (a *contexts) names() []string { return slices.Sorted(maps.Keys(a.Contexts)) }

// find is the context of a name.
func (a *contexts) find(name string) (target, error) {
	t, ok := a.Contexts[name]
	switch {
	case ok:
		return t, nil
	case len(a.Contexts) == 0:
		return t, wrongUsage("there is no context %q: %s has none; write it there", name, a.place())
	}
	return t, wrongUsage("there is no context %q; there is %s", name, strings.Join(a.names(), ", "))
}

func (a *contexts) place() string {
	if a.path == "" {
		return "$HALDANE_CONTEXTS"
	}
	return a.path
}

// use makes a context the current one. What else is in the file stays as it is, comments included.
func (a *contexts) use(name string) error {
	if _, err := a.find(name); err != nil {
		return err
	}
	src, err := os.ReadFile(a.path)
	if err != nil {
		return fmt.Errorf("read the contexts: %w", err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(src, &document); err != nil {
		return fmt.Errorf("read the contexts of %s: %w", a.path, err)
	}
	root := document.Content[0]
	i := slices.IndexFunc(root.Content, func(n *yaml.Node) bool { return n.Value == "current" })
	if i < 0 {
		key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "current"}
		root.Content = slices.Insert(root.Content, 0, key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str"})
		i = 0
	}
	root.Content[i+1].Value = name
	text, err := yaml.Dump(&document)
	if err != nil {
		return fmt.Errorf("write the contexts: %w", err)
	}
	return replaceFile(a.path, text)
}

// replaceFile writes a file under another name first, so that nobody finds half of it.
func replaceFile(path string, text []byte) error {
	fresh := path + ".new"
	if err := os.WriteFile(fresh, text, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
