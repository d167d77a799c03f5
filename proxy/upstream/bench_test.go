package upstream

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"haldane/proxy/http1"
)

// benchEndpoint makes an endpoint whose server answers every read with the same octets.
func benchEndpoint(b *testing.B, serve func(net.Conn)) *Endpoint {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	e := NewEndpoint(Options{Address: listener.Addr().String(), Timeouts: Timeouts{ResponseHeader: patience, Idle: patience, KeepAlive: patience}})
	b.Cleanup(func() {
		e.Close()
		listener.Close()
	})
	return e
}

func replying(text string) func(net.Conn) {
	return func(c net.Conn) {
		buf, out := make([]byte, 4096), []byte(text)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
			if _, err := c.Write(out); err != nil {
				return
			}
		}
	}
}

// BenchmarkGet is one keep-alive GET over loopback.
func BenchmarkGet(b *testing.B) {
	e := benchEndpoint(b, replying("HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"))
	r := get()
	b.ReportAllocs()
	for b.Loop() {
		resp, err := e.RoundTrip(r, Exchange{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := resp.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
		resp.Close()
	}
}

// BenchmarkRelay is the floor under BenchmarkGet: the same octets without HTTP.
func BenchmarkRelay(b *testing.B) {
	e := benchEndpoint(b, replying("HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"))
	c, err := net.Dial("tcp", e.Address())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	out, in := http1.AppendRequestHead(nil, get()), make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(out); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Read(in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUpload is one chunked POST of 1 MiB.
func BenchmarkUpload(b *testing.B) {
	e := benchEndpoint(b, func(c net.Conn) {
		var in http1.Buffer
		in.Reset(c, make([]byte, 32<<10))
		var chunks http1.ChunkedReader
		for {
			for from, ready := 0, false; !ready; {
				if in.Fill() != nil {
					return
				}
				if from, ready = http1.HeadReady(in.Bytes(), from); ready {
					in.Discard(from + 1)
				}
			}
			chunks.Reset(&in)
			for {
				if _, err := chunks.Next(); err == io.EOF {
					break
				} else if err != nil {
					return
				}
			}
			in.Reset(c, make([]byte, 32<<10))
			if _, err := io.WriteString(c, okText); err != nil {
				return
			}
		}
	})
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := fetch(e, post(-1, io.LimitReader(zeros{}, 1<<20)), Exchange{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDownload is one GET of 1 MiB.
func BenchmarkDownload(b *testing.B) {
	e := benchEndpoint(b, replying("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n"+string(make([]byte, 1<<20))))
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		resp, err := e.RoundTrip(get(), Exchange{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := resp.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
		resp.Close()
	}
}

// BenchmarkDownloadChunks is one GET of 4 MiB in chunks of one size, read the way of a proxy: from one buffer, without the head.
func BenchmarkDownloadChunks(b *testing.B) {
	const size = 4 << 20
	for _, chunk := range []int{64, 4 << 10, 32 << 10, 1 << 20} {
		piece := fmt.Sprintf("%x\r\n%s\r\n", chunk, make([]byte, chunk))
		e := benchEndpoint(b, replying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+strings.Repeat(piece, size/chunk)+"0\r\n\r\n"))
		p := make([]byte, 16<<10)
		b.Run(strconv.Itoa(chunk), func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				resp, err := e.RoundTrip(get(), Exchange{})
				if err != nil {
					b.Fatal(err)
				}
				resp.DropHead()
				for err == nil {
					resp.Ready()
					_, err = resp.Read(p)
				}
				if err != io.EOF {
					b.Fatal(err)
				}
				resp.Close()
			}
		})
	}
}
