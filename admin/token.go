package admin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"haldane/config"
)

const (
	// tokenBytes is the entropy of a generated token: 256 bits.
	tokenBytes = 32
	// tokenShortest is the shortest token that is accepted. Guesses are slowed down for each address alone; against somebody
	// with many addresses only length helps.
	tokenShortest = 16
	// tokenLongest bounds what is read from a token file.
	tokenLongest = 4 << 10
)

// token is what is kept of a bearer token: enough to compare, and to sign sessions; a reader of memory dumps cannot log in with it anew.
type token struct {
	sum  [sha256.Size]byte
	seed [sha256.Size]byte // of what is signed on behalf of those who know it
}

// matches compares in constant time. Both sides are hashed first, so that not even the length shows.
func (t token) matches(candidate string) bool {
	sum := sha256.Sum256([]byte(candidate))
	return subtle.ConstantTimeCompare(t.sum[:], sum[:]) == 1
}

// loadToken takes the token from the configuration, else from its file, which is made when it does not exist.
func loadToken(section config.Admin) (token, error) {
	text := string(section.Token)
	if text == "" {
		if section.TokenFile == "" {
			return token{}, errors.New("admin: neither a token nor a token file is configured")
		}
		var err error
		if text, err = tokenFromFile(section.TokenFile); err != nil {
			return token{}, fmt.Errorf("admin token: %w", err)
		}
	}
	loaded, err := newToken(text)
	if err != nil {
		return token{}, fmt.Errorf("admin token: %w", err)
	}
	return loaded, nil
}

// newToken keeps what is needed of a token. No message shows it.
func newToken(text string) (token, error) {
	if len(text) < tokenShortest {
		return token{}, fmt.Errorf("it has %d characters, at least %d are needed", len(text), tokenShortest)
	}
	return token{sum: sha256.Sum256([]byte(text)), seed: sha256.Sum256([]byte("haldane seed 1 " + text))}, nil
}

// tokenFromFile reads the token file, or makes one.
func tokenFromFile(path string) (string, error) {
	text, err := ReadTokenFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	if err := createTokenFile(path); err != nil {
		return "", fmt.Errorf("create %s: %w", path, err)
	}
	// What counts is what the file holds: another process may have made it first.
	return ReadTokenFile(path)
}

// ReadTokenFile reads a bearer token from a file that nobody but its owner, and those its group lets read, can open. The
// error matches fs.ErrNotExist when there is no file.
func ReadTokenFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read the token file: %w", err)
	}
	defer file.Close()
	info, err := file.Stat() // of what was opened, not of what the name means by now
	if err != nil {
		return "", fmt.Errorf("read the token file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("token file %s is not a regular file", path)
	}
	// A group that may read is how a secret is handed to a service that does not own it.
	if mode := info.Mode().Perm(); mode&0o037 != 0 {
		return "", fmt.Errorf("token file %s is open to others (mode %04o): run chmod 600 %s", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(file, tokenLongest))
	if err != nil {
		return "", fmt.Errorf("read the token file: %w", err)
	}
	trimmed := strings.TrimSpace(string(text))
	if trimmed == "" {
		return "", fmt.Errorf("token file %s is empty", path)
	}
	return trimmed, nil
}

// createTokenFile makes a file with a random token. The name appears with its whole content or not at all, and never
// replaces a file that is there.
func createTokenFile(path string) error {
	directory := filepath.Dir(path)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	random := make([]byte, tokenBytes)
	if _, err := rand.Read(random); err != nil {
		return err
	}
	draft, err := os.CreateTemp(directory, ".admin-token-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	_, err = draft.WriteString(hex.EncodeToString(random) + "\n")
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	err = os.Link(draft.Name(), path)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		err = os.Rename(draft.Name(), path) // a file system without hard links
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDirectory(directory)
}

// syncDirectory makes a new name durable.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
