// Package systemd speaks to the service manager that started the process: it takes over the sockets that were opened for it
// (sd_listen_fds(3)) and says how it is doing (sd_notify(3)).
//
// It owns the two protocols and nothing else: what the sockets are for and when the process is ready, app decides.
// Without a service manager everything here does nothing.
//
// Concurrency: a Notifier may be used by several goroutines; Sockets is called once.
package systemd

import (
	"fmt"
	"net"
	"strings"

	"golang.org/x/sys/unix"
)

// Notifier tells the service manager what the process is doing.
type Notifier struct{ address string }

// NewNotifier finds out from the environment whom to tell. Without NOTIFY_SOCKET it tells nobody.
func NewNotifier(getenv func(string) (string, bool)) Notifier {
	address, _ := getenv("NOTIFY_SOCKET")
	if name, abstract := strings.CutPrefix(address, "@"); abstract {
		address = "\x00" + name // unix(7): an abstract address begins with a zero
	}
	return Notifier{address}
}

// Ready says that the process serves, at its start and after a reload. status is for people.
func (n Notifier) Ready(status string) error { return n.send("READY=1", "STATUS="+status) }

// Reloading says that the configuration is being read again. Ready ends it. The time is how systemd tells this reload from
// others (Type=notify-reload).
func (n Notifier) Reloading() error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("tell the service manager: read the clock: %w", err)
	}
	return n.send("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/1000))
}

// Stopping says that the process ends.
func (n Notifier) Stopping(status string) error { return n.send("STOPPING=1", "STATUS="+status) }

// MainPID says that another process goes on in the place of this one.
func (n Notifier) MainPID(pid int) error { return n.send(fmt.Sprintf("MAINPID=%d", pid)) }

// send sends one datagram of assignments.
func (n Notifier) send(lines ...string) error {
	if n.address == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.address, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	defer func() { _ = conn.Close() }() // a datagram has gone when Write returns
	if _, err := conn.Write([]byte(strings.Join(lines, "\n"))); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}
