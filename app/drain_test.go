package app_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	product "haldane/bench/process"
)

// SIGTERM lets the requests in flight finish, then the process ends with 0. SIGHUP before it reads the file again.
func TestSignals(t *testing.T) {
	t.Parallel()
	binary := build(t)
	stable := newBackend(t, "v1")
	const inFlight = 20
	arrived, release := make(chan struct{}, inFlight), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-release
		fmt.Fprintln(w, "finished")
	})
	address, admin := product.FreeAddress(t), product.FreeAddress(t)
	path := filepath.Join(t.TempDir(), "haldane.yaml")
	text := fmt.Sprintf(`
version: 1
listen: {address: %q}
admin: {address: %q}
state: {store: memory, directory: "%%DIR%%/state"}
services:
  shop:
    variants: {v1: {endpoints: [%q]}}
    variant_field: X-Before
`, address, admin, stable.address)
	writeConfig(t, path, text)
	p := spawn(t, binary, path, address, admin)

	// The watcher would find the change, too; the signal must not do harm to either.
	writeConfig(t, path, strings.Replace(text, "X-Before", "X-After", 1))
	if err := p.command.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	client := newClient(t)
	reloaded := func() bool {
		response, err := client.Get("http://" + address + "/")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.Header.Get("X-After") == "v1"
	}
	product.Until(t, "the new file is in force", reloaded)

	stable.handle.Store(&slow)
	var good, bad atomic.Int64
	var group sync.WaitGroup
	for range inFlight {
		group.Go(func() {
			response, err := client.Get("http://" + address + "/")
			if err != nil || response.StatusCode != http.StatusOK {
				bad.Add(1)
				return
			}
			response.Body.Close()
			good.Add(1)
		})
	}
	for range inFlight {
		<-arrived
	}
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	product.Until(t, "readiness is gone", func() bool {
		response, err := client.Get("http://" + admin + "/-/ready")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusServiceUnavailable
	})
	close(release)
	group.Wait()
	if err := p.command.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	if good.Load() != inFlight {
		t.Errorf("%d of %d requests in flight finished, %d failed", good.Load(), inFlight, bad.Load())
	}
}
