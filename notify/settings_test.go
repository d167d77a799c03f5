package notify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"haldane/config"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	address, key := file("url", " https://hooks.example/hunter2\n"), file("key", "abcdefghijklmnop\n")
	f := func(target config.NotificationTarget, problem string) {
		t.Helper()
		s, err := Read(&config.Notifications{Targets: map[string]config.NotificationTarget{"room": target}})
		switch {
		case problem == "" && err != nil:
			t.Error(err)
		case problem == "":
			if got := s.targets["room"]; got.url != "https://hooks.example/hunter2" || got.secret != "abcdefghijklmnop" {
				t.Errorf("got %+v", got)
			}
		case err == nil || !strings.Contains(err.Error(), problem) || strings.Contains(err.Error(), "hunter2"):
			t.Errorf("got %v, want %q", err, problem)
		}
	}
	f(config.NotificationTarget{URLFile: address, SecretFile: key}, "")
	f(config.NotificationTarget{URL: "https://hooks.example/hunter2", Secret: "abcdefghijklmnop"}, "")
	f(config.NotificationTarget{URLFile: filepath.Join(dir, "none")}, "no such file")
	f(config.NotificationTarget{URLFile: dir}, "not a regular file")
	f(config.NotificationTarget{URLFile: file("empty", "\n")}, "there is no URL in")
	f(config.NotificationTarget{URLFile: file("bad", "hunter2")}, "there is no URL in")
	f(config.NotificationTarget{URLFile: file("long", strings.Repeat("hunter2", 10_000))}, "too long")
	f(config.NotificationTarget{URLFile: address, SecretFile: file("short", "hunter2")}, "at least 16 characters, that in")
}
