package peers

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// Reload makes Haldane read its file again, and returns when the new configuration is in force.
func (r *Running) Reload(ctx context.Context) error {
	token, err := os.ReadFile(filepath.Join(r.Dir, "admin.token"))
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.Admin.String()+"/-/reload", nil)
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 500)) // it failed anyway
		return fmt.Errorf("reload: %s: %s", response.Status, text)
	}
	return nil
}

// RolledBack is how many rollouts Haldane has rolled back, of which there should be none: the variants are alike.
func (r *Running) RolledBack(ctx context.Context) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.Admin.String()+"/metrics", nil)
	if err != nil {
		return 0, fmt.Errorf("look for rollbacks: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("look for rollbacks: %w", err)
	}
	defer response.Body.Close()
	n := 0
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "haldane_rollout_phase{") && strings.Contains(line, `phase="rolled_back"`) && strings.HasSuffix(line, " 1") {
			n++
		}
	}
	return n, lines.Err()
}
