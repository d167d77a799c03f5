package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/zap"

	"haldane/app"
)

const (
	request  = "GET /some/path?q=1 HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: bench\r\nAccept: */*\r\nCookie: uid=0123456789abcdef\r\n\r\n"
	bodySize = 100
)

// BenchmarkGet is one keep-alive GET with a 100-byte answer, on one connection: straight to the upstream, through a bare relay
// of bytes, and through Haldane with a running rollout, a pin rule and a sticky cookie.
func BenchmarkGet(b *testing.B) {
	upstream := serveUpstream(b)
	b.Run("direct", func(b *testing.B) { exchange(b, upstream) })
	b.Run("relay", func(b *testing.B) { exchange(b, serveRelay(b, upstream)) })
	b.Run("haldane", func(b *testing.B) { exchange(b, serveHaldane(b, upstream)) })
}

// exchange sends one request after the other on one connection.
func exchange(b *testing.B, address string) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.WriteString(conn, request); err != nil {
			b.Fatal(err)
		}
		if err := readAnswer(reader); err != nil {
			b.Fatal(err)
		}
	}
}

// readAnswer reads one head and its fixed body.
func readAnswer(reader *bufio.Reader) error {
	for first := true; ; first = false {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
			return fmt.Errorf("answer %q", line)
		}
		if len(line) == 2 {
			_, err := reader.Discard(bodySize)
			return err
		}
	}
}

// accept serves every connection of a new listener until the benchmark ends.
func accept(b *testing.B, serve func(net.Conn)) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return listener.Addr().String()
}

// serveUpstream answers every head with the same 100 bytes.
func serveUpstream(b *testing.B) string {
	answer := []byte(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", bodySize, bytes.Repeat([]byte("x"), bodySize)))
	return accept(b, func(conn net.Conn) {
		defer conn.Close()
		reader := bufio.NewReader(conn)
		for {
			line, err := reader.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) == 2 {
				if _, err := conn.Write(answer); err != nil {
					return
				}
			}
		}
	})
}

// serveRelay copies bytes both ways and knows nothing of HTTP: the floor.
func serveRelay(b *testing.B, upstream string) string {
	return accept(b, func(client net.Conn) {
		defer client.Close()
		server, err := net.Dial("tcp", upstream)
		if err != nil {
			return
		}
		defer server.Close()
		go func() { _, _ = copyBytes(server, client) }()
		_, _ = copyBytes(client, server)
	})
}

// copyBytes copies without the kernel's help, as a proxy that reads heads must.
func copyBytes(to io.Writer, from io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 32<<10))
}

// serveHaldane runs the real thing.
func serveHaldane(b *testing.B, upstream string) string {
	dir := b.TempDir()
	path := filepath.Join(dir, "haldane.yaml")
	text := fmt.Sprintf(`
version: 1
listen: {address: "127.0.0.1:0"}
admin: {address: "off", socket: "off"}
state: {store: memory, directory: %q}
services:
  shop:
    match: [{host: shop.example.com}]
    variants:
      v1: {endpoints: [%s]}
      v2: {endpoints: [%s], revision: "2"}
    stable: v1
    canary: v2
    sticky: {cookie: uid, issue: true}
    pins: [{header: X-Version}]
`, dir, upstream, upstream)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	a, err := app.New(app.Options{ConfigPath: path, Logger: zap.NewNop()})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	return a.Address().String()
}
