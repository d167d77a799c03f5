package webhook

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"haldane/config"
)

// secretLongest bounds a file that holds a URL or a secret.
const secretLongest = 16 << 10

// secretShortest is the shortest key of a signature.
const secretShortest = 16

// Target is where to send, and how to sign.
type Target struct {
	// URL is absolute. Secret is empty for no signature.
	URL, Secret string
}

// Source is a target as a configuration names it: each part is written, or in a file.
type Source struct {
	URL, Secret         config.Secret
	URLFile, SecretFile string
}

// Read reads the files. An error shows no secret.
func (s Source) Read() (Target, error) {
	address, err := Secret(s.URL, s.URLFile)
	if err != nil {
		return Target{}, fmt.Errorf("read the URL: %w", err)
	}
	if config.WebAddress(address) != nil {
		return Target{}, fmt.Errorf("there is no URL in %s", s.URLFile)
	}
	key, err := Secret(s.Secret, s.SecretFile)
	if err != nil {
		return Target{}, fmt.Errorf("read the secret: %w", err)
	}
	if s.SecretFile != "" && len(key) < secretShortest {
		return Target{}, fmt.Errorf("a secret has at least %d characters, that in %s has %d", secretShortest, s.SecretFile, len(key))
	}
	return Target{URL: address, Secret: key}, nil
}

// Secret is what was written, or what the file holds, without the space around it. No error shows it.
func Secret(written config.Secret, file string) (string, error) {
	if file == "" {
		return string(written), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", file)
	}
	text, err := io.ReadAll(io.LimitReader(f, secretLongest+1))
	if err != nil {
		return "", err
	}
	if len(text) > secretLongest {
		return "", errors.New(file + " is too long")
	}
	return strings.TrimSpace(string(text)), nil
}
