//go:build race

package socket

import "syscall"

// Under the race detector the calls are those of package syscall, which tell it that what was done before a write is known after
// the read. The calls without it are in calls_linux.go.

// Read reads what there is on a socket, without waiting.
func Read(fd uintptr, p []byte) (int, error) {
	return again(func() (int, error) { return syscall.Read(int(fd), p) })
}

// Write writes as much as a socket has room for, without waiting.
func Write(fd uintptr, p []byte) (int, error) {
	return again(func() (int, error) { return syscall.Write(int(fd), p) })
}

// Peek looks at the first octet that could be read, without taking it.
func Peek(fd uintptr) (int, error) {
	var one [1]byte
	return again(func() (int, error) {
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return n, err
	})
}

// again makes a call again as long as a signal interrupts it.
func again(call func() (int, error)) (n int, err error) {
	for n, err = call(); err == syscall.EINTR; n, err = call() {
	}
	return max(n, 0), err
}
