//go:build !race

package socket

import (
	"syscall"
	"unsafe"
)

// call makes one system call that does not wait. The scheduler is not told: it would hand what this thread holds to another one,
// which is meant for calls that wait. The memory is in use for the time of the call only (rule 4 of unsafe.Pointer).
func call(number uintptr, fd uintptr, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(number, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// Read is read(2) on a descriptor that does not block, again where a signal has interrupted it. Nothing without an error is the end.
func Read(fd uintptr, p []byte) (int, error) { return call(syscall.SYS_READ, fd, p) }

// Write is write(2) on a descriptor that does not block, again where a signal has interrupted it.
func Write(fd uintptr, p []byte) (int, error) { return call(syscall.SYS_WRITE, fd, p) }

// Peek looks at the first octet that can be read, without taking it: nothing without an error is the end of the connection,
// syscall.EAGAIN that it is open and silent.
func Peek(fd uintptr) (int, error) {
	var one [1]byte
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&one)), 1, syscall.MSG_PEEK|syscall.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
