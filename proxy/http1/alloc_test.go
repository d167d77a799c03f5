//go:build !race

package http1

import (
	"bytes"
	"io"
	"testing"
)

func TestSteadyStateAllocatesNothing(t *testing.T) {
	block := []byte("Host: a.test\r\nUser-Agent: x\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nTE: trailers\r\nCookie: a=b\r\n\r\n")
	head := []byte("HTTP/1.1 200 OK\r\nDate: x\r\nConnection: keep-alive\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n")
	chunked := []byte("5;a\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nX-T: v\r\n\r\n")
	var in, out Fields
	var response Response
	var src bytes.Reader
	var b Buffer
	var c ChunkedReader
	mem := make([]byte, 4096)
	buf := make([]byte, 0, 4096)
	request := Request{Method: []byte("POST"), Target: []byte("/"), Length: 5}
	answer := ResponseHead{Status: 200, Reason: []byte("OK")}

	for name, run := range map[string]func(){
		"request": func() {
			in, _ = ParseFields(block, in, 100)
			RequestLength(in)
			RequestHost(in, 1)
			ParseTarget(request.Method, request.Target)
			out = RemoveHopByHop(in, out[:0])
			request.Fields = out
			buf = AppendRequestHead(buf[:0], &request)
		},
		"response": func() {
			if _, err := ParseResponseHead(head, false, &response); err != nil {
				t.Fatal(err)
			}
			out = RemoveHopByHop(response.Fields, out[:0])
			answer.Fields, answer.Length = out, response.Length
			buf = AppendResponseHead(buf[:0], &answer)
		},
		"chunked": func() {
			src.Reset(chunked)
			b.Reset(&src, mem)
			c.Reset(&b)
			buf = buf[:0]
			for {
				p, err := c.Next()
				if err == io.EOF {
					break
				}
				buf = append(AppendChunkHead(buf, len(p)), p...)
				c.Ready()
			}
			buf = AppendLastChunk(buf, c.Trailers())
		},
	} {
		run()
		if n := testing.AllocsPerRun(100, run); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkParseResponseHead(b *testing.B) {
	head := []byte("HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nConnection: keep-alive\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n")
	var response Response
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseResponseHead(head, false, &response); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseFieldsAndRemoveHopByHop(b *testing.B) {
	block := []byte("Host: a.test\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\nAccept-Encoding: gzip, br\r\nConnection: keep-alive\r\nCookie: session=0123456789abcdef\r\n\r\n")
	var in, out Fields
	b.ReportAllocs()
	for b.Loop() {
		in, _ = ParseFields(block, in, 100)
		out = RemoveHopByHop(in, out[:0])
	}
}
