package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// socketMode lets only the owner connect.
	socketMode = 0o600
	// probeTimeout bounds the look whether a socket is alive. The other side need not answer, only accept.
	probeTimeout = time.Second
	// socketPathLongest is what the kernel takes (sun_path of unix(7) with its final zero).
	socketPathLongest = 107
	// draftLongest is what the draft name adds to the folder: "/.s", a random number, "/s".
	draftLongest = 15
)

// errInUse is what a second process gets.
func errInUse(address string) error {
	return fmt.Errorf("another Haldane (or other program) already listens on %s: stop it or choose another address", address)
}

// listenTCP opens the TCP listener on an address that has been resolved.
func listenTCP(address *net.TCPAddr) (net.Listener, error) {
	listener, err := net.ListenTCP("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, errInUse(address.String())
	}
	if err != nil {
		return nil, fmt.Errorf("listen on admin address %s: %w", address, err)
	}
	return listener, nil
}

// resolve turns the configured address into the one that is opened, so that what is checked is what is used.
func resolve(address string) (*net.TCPAddr, error) {
	resolved, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("admin address %q: %w", address, err)
	}
	return resolved, nil
}

// socket is the unix socket under its final name.
type socket struct {
	net.Listener
	path string
	self os.FileInfo // of the name this process made

	abandoned atomic.Bool // the name belongs to somebody else
}

// adoptSocket is a socket that somebody else opened and named; nil for none.
func adoptSocket(listener net.Listener) *socket {
	if listener == nil {
		return nil
	}
	s := &socket{Listener: listener}
	s.abandoned.Store(true)
	return s
}

// Close closes the listener, and removes the name if it is still ours.
func (s *socket) Close() error {
	err := s.Listener.Close()
	if s.abandoned.Load() {
		return err
	}
	if now, statErr := os.Lstat(s.path); statErr == nil && os.SameFile(now, s.self) {
		err = errors.Join(err, os.Remove(s.path))
	}
	return err
}

// listenSocket opens the unix socket. It is bound inside a folder that only the owner can enter, given its mode, and only
// then moved to its name: there is no moment in which others could connect.
func listenSocket(path string) (*socket, error) {
	directory := filepath.Dir(path)
	if longest := max(len(path), len(directory)+draftLongest); longest > socketPathLongest {
		return nil, fmt.Errorf("admin socket %s: the system takes paths of %d bytes, this needs %d", path, socketPathLongest, longest)
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("create the folder of the admin socket: %w", err)
	}
	if err := checkVacant(path); err != nil {
		return nil, err
	}
	private, err := os.MkdirTemp(directory, ".s")
	if err != nil {
		return nil, fmt.Errorf("prepare the admin socket %s: %w", path, err)
	}
	defer os.RemoveAll(private)
	s, err := bindSocket(filepath.Join(private, "s"), path)
	if err != nil {
		return nil, fmt.Errorf("open the admin socket %s: %w", path, err)
	}
	return s, nil
}

// bindSocket binds to the draft name and moves it to the final one.
func bindSocket(draft, path string) (*socket, error) {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: draft, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false) // it would look for the draft name
	info, err := finishSocket(draft, path)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return &socket{Listener: listener, path: path, self: info}, nil
}

// finishSocket gives the bound socket its mode and its name.
func finishSocket(draft, path string) (os.FileInfo, error) {
	if err := os.Chmod(draft, socketMode); err != nil {
		return nil, err
	}
	info, err := os.Lstat(draft)
	if err != nil {
		return nil, err
	}
	return info, os.Rename(draft, path)
}

// checkVacant finds out whether the name may be taken: there is nothing, or a socket that nobody listens on any more.
func checkVacant(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at the admin socket: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("admin socket %s: there is something else of that name; remove it or choose another path", path)
	}
	peer, err := net.DialTimeout("unix", path, probeTimeout)
	if err == nil {
		_ = peer.Close()
		return errInUse(path)
	}
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist) {
		return nil // left behind by a process that was killed; the rename replaces it
	}
	return fmt.Errorf("admin socket %s: cannot tell whether it is in use: %w", path, err)
}
