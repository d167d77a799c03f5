package peers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"haldane/bench/machine"
)

// Running is a proxy at work.
type Running struct {
	Peer
	// Plain and Secure are where it listens, without and with TLS.
	Plain, Secure netip.AddrPort
	// Admin is where Haldane answers operators.
	Admin netip.AddrPort
	// Dir is its folder, with its configuration and its log.
	Dir     string
	command *exec.Cmd
	ended   chan struct{}
}

// patience is how long a proxy may take to start; ten thousand services take their time on one core.
const patience = 3 * time.Minute

// Start starts a proxy in a folder of its own under dir, and waits until it listens. Stop it.
func (p Peer) Start(ctx context.Context, w Work, dir string) (*Running, error) {
	fail := func(err error) (*Running, error) { return nil, fmt.Errorf("start %s: %w", p.Name, err) }
	dir, err := os.MkdirTemp(dir, "peer")
	if err != nil {
		return fail(err)
	}
	at := place{Work: w, dir: dir}
	for _, address := range []*netip.AddrPort{&at.plain, &at.secure, &at.admin} {
		if *address, err = free(); err != nil {
			return fail(err)
		}
	}
	r := &Running{Peer: p, Plain: at.plain, Secure: at.secure, Admin: at.admin, Dir: dir, ended: make(chan struct{})}
	if err := r.start(w, p.prepare(at, p.Path)); err != nil {
		return fail(err)
	}
	if err := r.wait(ctx); err != nil {
		r.Stop()
		return fail(fmt.Errorf("%w; its log ends with: %s", err, r.log()))
	}
	return r, nil
}

func (r *Running) start(w Work, l launch) error {
	for name, text := range l.files {
		if err := os.WriteFile(filepath.Join(r.Dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	log, err := os.Create(filepath.Join(r.Dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()                                // the process has its own
	r.command = exec.Command(r.Path, l.arguments...) //nolint:gosec,noctx // the operator names the proxies; Stop ends it, gently
	r.command.Stdout, r.command.Stderr, r.command.Dir = log, log, r.Dir
	r.command.Env = append(environment(r.Path), l.environment...)
	r.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := machine.Start(r.command, w.Cores); err != nil {
		return err
	}
	go func() { defer close(r.ended); _ = r.command.Wait() }()
	return nil
}

// wait waits until the proxy listens.
func (r *Running) wait(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for {
		if conn, err := net.DialTimeout("tcp", r.Plain.String(), time.Second); err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-r.ended:
			return errors.New("it has ended")
		case <-limit:
			return fmt.Errorf("it does not listen after %v", patience)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Pids are its processes as of now: some listen first and start their workers then.
func (r *Running) Pids() ([]int, error) { return machine.Family(r.command.Process.Pid) }

// Stop ends the proxy and all of its processes.
func (r *Running) Stop() {
	if r.command == nil || r.command.Process == nil {
		return
	}
	_ = syscall.Kill(-r.command.Process.Pid, syscall.SIGKILL)
	<-r.ended
}

// Signal sends the proxy a signal.
func (r *Running) Signal(signal syscall.Signal) error { return r.command.Process.Signal(signal) }

// Ended says whether the process has ended by itself.
func (r *Running) Ended() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// log is the end of what the proxy has said.
func (r *Running) log() string {
	text, err := os.ReadFile(filepath.Join(r.Dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// free is an address nobody listens on now, below the ports that the kernel gives to outgoing connections.
func free() (netip.AddrPort, error) {
	for range 100 {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(10_000+rand.IntN(20_000)))
		if listener, err := net.Listen("tcp", at.String()); err == nil {
			return at, listener.Close()
		}
	}
	return netip.AddrPort{}, errors.New("no port is free")
}
