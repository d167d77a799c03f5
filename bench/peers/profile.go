package peers

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"
)

// profileSocket is where Haldane serves its profiles, in its folder.
const profileSocket = "admin.sock"

// Profile takes a profile of Haldane's processor time, as package pprof writes it. Work.Profiles must have been said.
func (r *Running) Profile(ctx context.Context, time time.Duration) ([]byte, error) {
	var dialer net.Dialer
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "unix", filepath.Join(r.Dir, profileSocket))
	}}
	defer transport.CloseIdleConnections()
	address := fmt.Sprintf("http://localhost/debug/pprof/profile?seconds=%.0f", time.Seconds())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	defer response.Body.Close()
	profile, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("profile: %s: %s", response.Status, profile)
	}
	return profile, nil
}
