package peers

import (
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
