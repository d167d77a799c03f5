//go:build race || 386 || s390x

package socket

import "syscall"

// The calls of calls_linux.go by way of package syscall: it tells the race detector that what was done before a write is known after
// the read, and knows machines that have other numbers for them.

// Read reads what there is on a socket, without waiting.
func Read(fd uintptr, p []byte) (int, syscall.Errno) {
	return again(func() (int, error) { return syscall.Read(int(fd), p) })
}

// Write writes as much as a socket has room for, without waiting.
func Write(fd uintptr, p []byte) (int, syscall.Errno) {
	return again(func() (int, error) { return syscall.Write(int(fd), p) })
}

// Peek looks at the first octet that could be read, without taking it.
func Peek(fd uintptr) (int, syscall.Errno) {
	var one [1]byte
	return again(func() (int, error) {
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return n, err
	})
}

// again makes a call again as long as a signal interrupts it.
func again(call func() (int, error)) (int, syscall.Errno) {
	n, err := call()
	for err == syscall.EINTR {
		n, err = call()
	}
	errno, _ := err.(syscall.Errno) // these calls have no other errors
	return max(n, 0), errno
}
