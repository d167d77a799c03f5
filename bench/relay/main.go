// Command relay copies bytes both ways between two addresses and knows nothing of HTTP: what any proxy in Go has to do at
// least. It is the floor of the measurements. "relay LISTEN TO"; it runs until it is killed.
//
// Concurrency: two goroutines for each connection, which end with it.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "relay LISTEN TO")
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, "relay:", serve(os.Args[1], os.Args[2]))
	os.Exit(1)
}

// serve returns only when it can go on no longer.
func serve(address, upstream string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go relay(client, upstream)
	}
}

// relay serves one client over a connection of its own.
func relay(client net.Conn, upstream string) {
	defer client.Close()
	server, err := net.DialTimeout("tcp", upstream, 5*time.Second) //nolint:gosec // the caller names it
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		forward(server, client)
	}()
	forward(client, server)
	<-done
}

// forward copies without the kernel's help, as a proxy that reads heads must, and ends the connection's other half with it.
func forward(to, from net.Conn) {
	_, _ = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 32<<10)) // either side may go at any time
	_ = to.Close()
	_ = from.Close()
}
