// Package socket reads and writes TCP connections at the least price: a system call that never waits is made without telling the
// scheduler, which would cost a good part of what a small call costs itself.
//
// It owns those calls, and the one use of package unsafe of the project (calls_linux.go). It does not own connections, their time
// limits or what is said on them: waiting is the runtime's, as with any connection of package net.
//
// A Conn may be read by one goroutine and written by another at a time; all else may be called by any.
package socket
