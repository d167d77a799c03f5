package origin

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // RFC 6455 wants it
	"encoding/base64"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"haldane/bench/loop"
)

// link is a connection from a proxy.
type link struct {
	origin  *Origin
	fd      int
	in      []byte // of a head that is not whole yet
	upload  int64  // what is still to come of a body
	head    []byte // still to be written
	body    int64  // still to be written after it
	framed  bool   // it is a WebSocket now
	pending bool   // an answer has not been written whole
	broken  bool   // nobody reads any more
}

func (k *link) close() {
	k.origin.loop.Forget(k.fd)
	_ = unix.Close(k.fd)
	delete(k.origin.links, k)
}

// Ready writes what is left and reads what has come.
func (k *link) Ready() {
	if k.pending && !k.flush() {
		if k.broken {
			k.close()
		}
		return
	}
	for {
		buffer := k.origin.buffer
		n, err := unix.Read(k.fd, buffer)
		if loop.Again(err) {
			return
		}
		if err != nil || n == 0 {
			k.close()
			return
		}
		if !k.take(buffer[:n]) {
			k.close()
			return
		}
		if k.pending && !k.flush() {
			return
		}
		if n < len(buffer) {
			return // there is no more, or the kernel will tell
		}
	}
}

// take reads requests; false is what no proxy should send.
func (k *link) take(data []byte) bool {
	for len(data) > 0 {
		if k.framed {
			return k.echo(data)
		}
		if k.upload > 0 {
			part := min(k.upload, int64(len(data)))
			k.upload, data = k.upload-part, data[part:]
			if k.upload == 0 {
				k.answer(100)
			}
			continue
		}
		if len(k.in) > 0 {
			data = append(k.in, data...)
			k.in = nil
		}
		end := bytes.Index(data, []byte("\r\n\r\n"))
		if end < 0 {
			k.in = append(k.in, data...)
			return len(k.in) < 64<<10
		}
		if !k.request(data[:end+4]) {
			return false
		}
		data = data[end+4:]
	}
	return true
}

// request answers one request, or waits for its body.
func (k *link) request(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\r\n"))
	_, rest, ok := bytes.Cut(line, []byte(" "))
	path, _, ok2 := bytes.Cut(rest, []byte(" "))
	if !ok || !ok2 || len(path) == 0 || path[0] != '/' {
		return false
	}
	k.origin.Served++
	switch {
	case bytes.HasPrefix(head, []byte("POST ")):
		n, err := strconv.ParseInt(field(head, "content-length"), 10, 64)
		if err != nil {
			return false
		}
		if k.upload = n; n == 0 {
			k.answer(100)
		}
	case string(path) == "/seen":
		k.write(append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\n%s: %s\r\nContent-Length: %d\r\n\r\n", Field, k.origin.name, len(head)), head...), 0)
	case string(path) == "/socket":
		k.framed = true
		k.write(fmt.Appendf(nil, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n%s: %s\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			Field, k.origin.name, accept(field(head, "sec-websocket-key"))), 0)
	default:
		k.answer(sizeOf(string(path)))
	}
	return true
}

// field finds a field by its name in lower case.
func field(head []byte, name string) string {
	for line := range bytes.Lines(head) {
		if at := bytes.IndexByte(line, ':'); at == len(name) && bytes.EqualFold(line[:at], []byte(name)) {
			return string(bytes.TrimSpace(line[at+1:]))
		}
	}
	return ""
}

// accept is the answer to the key of an opening handshake, RFC 6455 section 4.2.2.
func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // RFC 6455 wants it
	return base64.StdEncoding.EncodeToString(sum[:])
}

// echo sends each frame back without its mask, RFC 6455 section 5.2.
func (k *link) echo(data []byte) bool {
	var out []byte
	for len(data) >= 6 {
		size := int(data[1] & 0x7f)
		if size > 125 || data[1]&0x80 == 0 || len(data) < 6+size {
			return false
		}
		out = append(out, data[0], byte(size))
		for i, b := range data[6 : 6+size] {
			out = append(out, b^data[2+i&3])
		}
		data = data[6+size:]
	}
	k.write(out, 0)
	return len(data) == 0
}

func (k *link) answer(size int64) {
	head := k.origin.answerHead(size)
	if size <= small {
		size = 0
	}
	k.write(head, size)
}

// write begins an answer. Requests come one at a time, so that nothing is under way but of a body's end.
func (k *link) write(head []byte, body int64) {
	if k.pending {
		k.head, k.body = append(append([]byte(nil), k.head...), head...), k.body+body
		return
	}
	k.head, k.body, k.pending = head, body, true
	k.flush()
}

// flush writes until all is written (true) or the kernel has no room.
func (k *link) flush() bool {
	for len(k.head) > 0 || k.body > 0 {
		data, ofHead := k.head, true
		if len(data) == 0 {
			data, ofHead = k.origin.zeros[:min(k.body, bulk)], false
		}
		n, err := unix.Write(k.fd, data)
		if err != nil {
			k.broken = !loop.Again(err)
			return false
		}
		if ofHead {
			k.head = k.head[n:]
		} else {
			k.body -= int64(n)
		}
	}
	k.pending = false
	return true
}
