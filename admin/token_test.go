package admin

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"haldane/config"
)

func TestTokenIsMadeOnFirstStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "admin.token")
	first, err := loadToken(config.Admin{TokenFile: path})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o", info.Mode().Perm())
	}
	if folder, err := os.Stat(filepath.Dir(path)); err != nil || folder.Mode().Perm() != 0o700 {
		t.Errorf("folder %v, %v", folder.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(text)); len(got) != 64 || strings.Trim(got, "0123456789abcdef") != "" || !first.matches(got) {
		t.Errorf("the file holds %q", text)
	}
	second, err := loadToken(config.Admin{TokenFile: path})
	if err != nil || second != first {
		t.Errorf("the second start has another token (%v)", err)
	}
	leftovers, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".admin-token-*"))
	if err != nil || len(leftovers) != 0 {
		t.Errorf("drafts are left: %v %v", leftovers, err)
	}
}

// Processes that start together end up with one token.
func TestTokenIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.token")
	tokens := make([]token, 16)
	var group sync.WaitGroup
	for i := range tokens {
		group.Go(func() {
			var err error
			if tokens[i], err = loadToken(config.Admin{TokenFile: path}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for i := range tokens {
		if tokens[i] != tokens[0] {
			t.Fatal("two tokens were made")
		}
	}
}

func TestTokenFileThatIsRefused(t *testing.T) {
	const good = "0123456789abcdef"
	for _, c := range []struct {
		name, text string
		mode       fs.FileMode
		want       string // part of the message; "" is accepted
	}{
		{"owner alone", good, 0o600, ""},
		{"owner reads alone", good, 0o400, ""},
		{"its group reads", good, 0o640, ""},
		{"everybody reads", good, 0o644, "is open to others (mode 0644): run chmod 600"},
		{"others read", good, 0o604, "is open to others"},
		{"its group writes", good, 0o660, "is open to others"},
		{"others write", good, 0o602, "is open to others"},
		{"empty", "\n", 0o600, "is empty"},
		{"short", good[1:], 0o600, "it has 15 characters, at least 16 are needed"},
		{"with white space around", "  " + good + "\r\n", 0o600, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			got, err := loadToken(config.Admin{TokenFile: path})
			if c.want == "" {
				if err != nil || !got.matches(good) {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), good[1:]) {
				t.Error("the message shows the token")
			}
		})
	}
	if _, err := loadToken(config.Admin{TokenFile: t.TempDir()}); err == nil {
		t.Error("a folder is a token file")
	}
	if _, err := loadToken(config.Admin{}); err == nil {
		t.Error("no token is a token")
	}
	if _, err := ReadTokenFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestInlineToken(t *testing.T) {
	got, err := loadToken(config.Admin{Token: secret, TokenFile: "/nowhere/at/all"})
	if err != nil || !got.matches(secret) || got.matches("") || got.matches(secret+" ") {
		t.Errorf("%v", err)
	}
}
