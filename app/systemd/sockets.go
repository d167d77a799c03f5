package systemd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// firstDescriptor is where the sockets begin (SD_LISTEN_FDS_START).
const firstDescriptor = 3

// mostSockets bounds what is believed of the environment.
const mostSockets = 64

// Socket is a listening socket that was opened for this process.
type Socket struct {
	// Name is the FileDescriptorName of the socket unit.
	Name string
	// Listener listens on it. It belongs to the caller.
	Listener net.Listener
}

// Sockets takes over the sockets that were opened for the process with this id, or none. names are those that the process
// knows; another one is an error, and so is a socket that does not listen on a stream.
func Sockets(getenv func(string) (string, bool), pid int, names ...string) ([]Socket, error) {
	owner, _ := getenv("LISTEN_PID")
	if owner == "" || owner != strconv.Itoa(pid) {
		return nil, nil // they are for somebody else, who has passed on the environment
	}
	text, _ := getenv("LISTEN_FDS")
	count, err := strconv.Atoi(text)
	if err != nil || count < 0 || count > mostSockets {
		return nil, fmt.Errorf("sockets from the service manager: LISTEN_FDS=%q is not a number of sockets", text)
	}
	given, _ := getenv("LISTEN_FDNAMES")
	labels := strings.Split(given, ":")
	all := make([]Socket, 0, count)
	for i := range count {
		label := ""
		if i < len(labels) {
			label = labels[i]
		}
		socket, err := take(firstDescriptor+i, label, names)
		if err != nil {
			for _, s := range all {
				err = errors.Join(err, s.Listener.Close())
			}
			return nil, fmt.Errorf("sockets from the service manager: %w", err)
		}
		all = append(all, socket)
	}
	return all, nil
}

// take makes a listener of one descriptor.
func take(descriptor int, label string, names []string) (Socket, error) {
	syscall.CloseOnExec(descriptor)
	file := os.NewFile(uintptr(descriptor), label)
	if file == nil {
		return Socket{}, fmt.Errorf("descriptor %d is not open", descriptor)
	}
	defer file.Close() // the listener has a copy
	for _, name := range names {
		if name != label {
			continue
		}
		listener, err := net.FileListener(file)
		if err != nil {
			return Socket{}, fmt.Errorf("%s: %w", label, err)
		}
		return Socket{label, listener}, nil
	}
	return Socket{}, fmt.Errorf("a socket is called %q: set FileDescriptorName= in its unit to one of %s",
		label, strings.Join(names, ", "))
}
