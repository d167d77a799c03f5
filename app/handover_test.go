package app_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haldane/app/handover"
	product "haldane/bench/process"
	"haldane/store"
)

// takeOver starts a second process on the configuration of the first, and waits until the first has ended.
func (p *process) takeOver(t *testing.T, binary, config string) *process {
	t.Helper()
	next := p.begin(t, exec.Command(binary, "run", "--config", config, "--take-over"))
	ended := make(chan error, 1)
	go func() { ended <- p.command.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("the old process ended with %v", err)
		}
	case <-time.After(40 * time.Second):
		t.Fatal("the old process does not end")
	}
	return next
}

// begin starts another process for the same addresses.
func (p *process) begin(t *testing.T, command *exec.Cmd) *process {
	t.Helper()
	next := &process{command: command, address: p.address, admin: p.admin}
	log := &safe{}
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		next.kill()
		if t.Failed() {
			t.Logf("log of process %d:\n%s", command.Process.Pid, log)
		}
	})
	return next
}

// Under load, one process after the other takes over: no request fails, and the rollout goes on where it was.
func TestHandOver(t *testing.T) {
	t.Parallel()
	binary := build(t)
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	path, address, admin := writeRelease(t, quickRelease(stable, canary), "60s")
	current := spawn(t, binary, path, address, admin)
	load := newTraffic(t, address, 8, 8)
	product.Until(t, "some evidence", func() bool { return exposed(current.rollout(t, "shop")) > 20 })
	for range 3 {
		before := current.rollout(t, "shop")
		good := load.good.Load()
		current = current.takeOver(t, binary, path)
		after := current.rollout(t, "shop")
		for _, what := range []string{"id", "phase", "step", "weight"} {
			if fmt.Sprint(before[what]) != fmt.Sprint(after[what]) {
				t.Errorf("%s was %v, is %v", what, before[what], after[what])
			}
		}
		if exposed(after) < exposed(before) {
			t.Errorf("the evidence was %v requests, is %v", exposed(before), exposed(after))
		}
		product.Until(t, "the new process serves", func() bool { return load.good.Load() > good+100 })
	}
	load.end()
	if load.failed.Load() > 0 {
		t.Errorf("%d of %d requests failed", load.failed.Load(), load.failed.Load()+load.good.Load())
	}
	t.Logf("%d requests, of which %d told to close", load.good.Load(), load.closed.Load())
}

// A request that takes long is finished by the process that began it, while the new one already has everything else.
func TestHandOverInMidRequest(t *testing.T) {
	t.Parallel()
	binary := build(t)
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	path, address, admin := writeRelease(t, quickRelease(stable, canary), "4s")
	first := spawn(t, binary, path, address, admin)
	arrived, finish := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-finish
		fmt.Fprintln(w, "finished")
	})
	stable.handle.Store(&slow)
	canary.handle.Store(&slow)
	answered := make(chan answer, 1)
	go func() { answered <- fetch(newClient(t), "http://"+address+"/", nil) }()
	<-arrived
	second := first.begin(t, exec.Command(binary, "run", "--config", path, "--take-over"))
	log := second.command.Stderr.(*safe)
	product.Until(t, "the new process has taken over", func() bool { return strings.Contains(log.String(), "took over") })
	socket := filepath.Join(filepath.Dir(path), "state", "haldane.sock")
	product.Until(t, "the old process has left the socket", func() bool {
		_, problem := post(socket, "pause")
		return problem == ""
	})
	for range 20 {
		for _, order := range []string{"resume", "pause"} {
			if _, problem := post(socket, order); problem != "" {
				t.Fatalf("%s: %s", order, problem)
			}
		}
	}
	close(finish)
	if got := <-answered; got.status != http.StatusOK || got.body != "finished" {
		t.Errorf("the long request got %+v", got)
	}
	if err := first.command.Wait(); err != nil {
		t.Errorf("the old process ended with %v", err)
	}
}

// exposed is how many requests of this step the judge has seen.
func exposed(view map[string]any) float64 {
	stage, _ := view["stage"].(map[string]any)
	n, _ := stage["judged"].(float64)
	return n
}

// A new process that fails on its way, or is killed, changes nothing: the old one goes on, judges, and can be taken over later.
func TestHandOverThatFails(t *testing.T) {
	t.Parallel()
	binary := build(t)
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	path, address, admin := writeRelease(t, quickRelease(stable, canary), "60s")
	first := spawn(t, binary, path, address, admin)
	load := newTraffic(t, address, 4, 4)

	// A configuration that cannot be run: its other address is taken. The file of the first process stays as it is.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bad := filepath.Join(filepath.Dir(path), "bad.yaml")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(good)
	writeConfig(t, bad, strings.Replace(text, fmt.Sprintf("listen: {address: %q}", address), fmt.Sprintf("listen: {address: %q}", taken.Addr()), 1))
	if out, err := exec.Command(binary, "run", "--config", bad, "--take-over").CombinedOutput(); err == nil || !strings.Contains(string(out), "listen for clients") {
		t.Errorf("a process without an address: %v\n%s", err, out)
	}
	// The same, but found out only after the store was let go of.
	writeConfig(t, bad, strings.Replace(text, fmt.Sprintf("admin: {address: %q}", admin), fmt.Sprintf("admin: {address: %q}", taken.Addr()), 1))
	if out, err := exec.Command(binary, "run", "--config", bad, "--take-over").CombinedOutput(); err == nil || !strings.Contains(string(out), "already listens") {
		t.Errorf("a process without an admin address: %v\n%s", err, out)
	}
	// It judges again: an order is carried out and stored, and goes along with the next hand-over.
	socket := filepath.Join(filepath.Dir(path), "state", "haldane.sock")
	if out, err := exec.Command(binary, "pause", "shop", "--socket", socket).CombinedOutput(); err != nil {
		t.Errorf("an order after the hand-overs that failed: %v\n%s", err, out)
	}
	next := first.takeOver(t, binary, path)
	if view := next.rollout(t, "shop"); view["phase"] != "paused" {
		t.Errorf("after the hand-over it is %v", view["phase"])
	}
	load.end()
	if load.failed.Load() > 0 {
		t.Errorf("%d of %d requests failed", load.failed.Load(), load.failed.Load()+load.good.Load())
	}
}

// A new process that leaves at any point of the conversation changes nothing: the old one serves, takes orders and reloads,
// and is let go of the store only in between.
func TestHandOverThatBreaksOff(t *testing.T) {
	t.Parallel()
	i := launch(t, quickRelease(newBackend(t, "v1"), newBackend(t, "v2")))
	socket := filepath.Join(filepath.Dir(i.config), "state", "haldane.sock")
	client := newClient(t)
	for step := range 3 {
		claim, err := handover.Ask(context.Background(), socket)
		if err != nil {
			t.Fatal(err)
		}
		if step >= 1 {
			if err := claim.Prepared(); err != nil {
				t.Fatal(err)
			}
			if _, err := i.order("pause"); !strings.Contains(err, "another process is taking over") {
				t.Errorf("an order in between: %q", err)
			}
			if err := i.Reload(); err == nil {
				t.Error("a reload in between")
			}
			states, err := store.OpenFile(filepath.Join(filepath.Dir(i.config), "state", "haldane.db"))
			if err != nil {
				t.Fatalf("the store is not free: %v", err)
			}
			if records, err := states.Load(); err != nil || len(records) != 1 {
				t.Errorf("the store holds %v, %v", records, err)
			}
			states.Close()
		}
		if got := i.get(client, nil); got.status != http.StatusOK {
			t.Errorf("step %d: got %+v", step, got)
		}
		if err := claim.Close(); err != nil {
			t.Error(err)
		}
		product.Until(t, "it is its own master again", func() bool { return i.Reload() == nil })
		product.Until(t, "orders are taken again", func() bool {
			_, bad := i.order("pause")
			if bad == "" {
				_, bad = i.order("resume")
			}
			return bad == ""
		})
	}
}

// order posts an order and gives back the answer, or what is wrong.
func (i *instance) order(command string) (answer, problem string) {
	return post(filepath.Join(filepath.Dir(i.config), "state", "haldane.sock"), command)
}

// post posts an order for the rollout over a new connection to a socket.
func post(socket, command string) (answer, problem string) {
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", socket) }}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Post("http://localhost/api/v1/rollouts/shop/"+command, "application/json", strings.NewReader("{}"))
	if err != nil {
		return "", err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return "", string(text) + fmt.Sprint(err)
	}
	return string(text), ""
}
