//go:build !race && !386 && !s390x

package socket

import (
	"syscall"
	"unsafe"
)

// call makes one system call that does not wait. The scheduler is not told: it would hand what this thread holds to another one,
// which is meant for calls that wait. The memory is in use for the time of the call only (rule 4 of unsafe.Pointer).
//
// recv(2) and send(2) instead of read(2) and write(2) are the shorter way to a socket: a sixth less for a pair of small ones.
func call(number, fd uintptr, p []byte, flags uintptr) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(number, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags|syscall.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(n), 0
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// Read reads what there is on a socket, without waiting and again where a signal has interrupted it. Nothing, with errno 0, is the
// end of the connection; syscall.EAGAIN says that there is nothing yet.
func Read(fd uintptr, p []byte) (int, syscall.Errno) { return call(syscall.SYS_RECVFROM, fd, p, 0) }

// Write writes as much as a socket has room for, without waiting; syscall.EAGAIN says that there is none.
func Write(fd uintptr, p []byte) (int, syscall.Errno) {
	return call(syscall.SYS_SENDTO, fd, p, syscall.MSG_NOSIGNAL)
}

// Peek looks at the first octet that could be read, without taking it.
func Peek(fd uintptr) (int, syscall.Errno) {
	var one [1]byte
	return call(syscall.SYS_RECVFROM, fd, one[:], syscall.MSG_PEEK)
}
