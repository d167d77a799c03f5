//go:build race

package socket

import "syscall"

// Under the race detector the calls are those of package syscall, which tell it that what was done before a write is known after
// the read.

// Read is read(2), again where a signal has interrupted it.
func Read(fd uintptr, p []byte) (n int, err error) {
	for n, err = syscall.Read(int(fd), p); err == syscall.EINTR; n, err = syscall.Read(int(fd), p) {
	}
	return max(n, 0), err
}

// Write is write(2), again where a signal has interrupted it.
func Write(fd uintptr, p []byte) (n int, err error) {
	for n, err = syscall.Write(int(fd), p); err == syscall.EINTR; n, err = syscall.Write(int(fd), p) {
	}
	return max(n, 0), err
}

// Peek looks at the first octet that can be read, without taking it.
func Peek(fd uintptr) (int, error) {
	var one [1]byte
	for {
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}
