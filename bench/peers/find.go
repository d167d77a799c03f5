package peers

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Paths says where the proxies are. What is empty is looked for in Tools, and then in PATH.
type Paths struct {
	Haldane, Old, Relay            string
	HAProxy, Nginx, Caddy, Traefik string
	// Tools is a folder into which packages were unpacked.
	Tools string
}

// Missing is a proxy that is not there.
type Missing struct{ Name, Why string }

// Find says which proxies there are, and which not. Haldane, as two peers, and the relay must be there.
func Find(ctx context.Context, paths Paths) ([]Peer, []Missing) {
	all := []Peer{
		{Name: "haldane", Path: paths.Haldane, prepare: prepareHaldane, Releases: true},
		{Name: "haldane, plain", Path: paths.Haldane, prepare: preparePlain, Can: single, Only: true},
		{Name: "haldane, old", Path: paths.Old, prepare: prepareHaldane, Releases: true},
		{Name: "relay", Path: paths.Relay, prepare: prepareRelay, Bytes: true, Can: cleartext},
		{Name: "haproxy", Path: find(paths.HAProxy, "haproxy", paths.Tools), prepare: prepareHAProxy, Can: single},
		{Name: "nginx", Path: find(paths.Nginx, "nginx", paths.Tools), prepare: prepareNginx, Can: single},
		{Name: "caddy", Path: find(paths.Caddy, "caddy", paths.Tools), prepare: prepareCaddy, Can: single},
		{Name: "traefik", Path: find(paths.Traefik, "traefik", paths.Tools), prepare: prepareTraefik, Can: single},
	}
	var found []Peer
	var missing []Missing
	for _, p := range all {
		if p.Path == "" {
			if p.Name != "haldane, old" {
				missing = append(missing, Missing{p.Name, "not installed"})
			}
			continue
		}
		version, err := versionOf(ctx, p)
		if err != nil {
			missing = append(missing, Missing{p.Name, err.Error()})
			continue
		}
		p.Version = version
		found = append(found, p)
	}
	return found, missing
}

// single is a work without many services.
func single(w Work) bool { return w.Services == 0 }

// cleartext is a work of one service without TLS.
func cleartext(w Work) bool { return w.Services == 0 && w.Certificate == "" }

func find(path, name, tools string) string {
	if path != "" {
		return path
	}
	for _, folder := range []string{"usr/sbin", "usr/bin", "bin", ""} {
		candidate := filepath.Join(tools, folder, name)
		if info, err := os.Stat(candidate); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return candidate
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

// environment is that of a peer: libraries may have been unpacked beside it.
func environment(path string) []string {
	set := os.Environ()
	if at := strings.Index(path, "/usr/"); at >= 0 {
		if libraries, err := filepath.Glob(path[:at] + "/usr/lib/*-linux-gnu"); err == nil && len(libraries) > 0 {
			set = append(set, "LD_LIBRARY_PATH="+strings.Join(libraries, ":"))
		}
	}
	return set
}

// versionOf asks a binary what it is.
func versionOf(ctx context.Context, p Peer) (string, error) {
	if p.Bytes {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	flag := "version"
	if p.Name == "haproxy" || p.Name == "nginx" {
		flag = "-v"
	}
	command := exec.CommandContext(ctx, p.Path, flag) //nolint:gosec // the operator names the proxies
	command.Env = environment(p.Path)
	out, err := command.CombinedOutput()
	line, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n"))
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w: %s", p.Path, err, line)
	}
	return string(line), nil
}
