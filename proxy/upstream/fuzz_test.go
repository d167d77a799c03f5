package upstream

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// tape is a connection that plays what it has, in pieces, and then ends.
type tape struct {
	net.Conn
	left  []byte
	piece int
}

func (t *tape) Read(p []byte) (int, error) {
	if len(t.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(t.piece, len(p))], t.left)
	t.left = t.left[n:]
	return n, nil
}

func (t *tape) Write(p []byte) (int, error)      { return len(p), nil }
func (t *tape) Close() error                     { return nil }
func (t *tape) SetReadDeadline(time.Time) error  { return nil }
func (t *tape) SetWriteDeadline(time.Time) error { return nil }

// play does one exchange on what is on the tape, and reports whether the connection would be used again.
func play(in []byte, piece int, isHead bool, read func(*Response) ([]byte, error)) (status int, body []byte, kept bool, err error) {
	e := NewEndpoint(Options{Address: "tape", Timeouts: Timeouts{KeepAlive: time.Hour}})
	c := &conn{endpoint: e, net: &tape{left: in, piece: piece}}
	e.pool.open++
	c.begin(&Exchange{})
	r := get()
	if isHead {
		r.Method = []byte("HEAD")
	}
	if failure := c.exchange(r); failure != nil {
		return 0, nil, false, failure
	}
	resp := &c.response
	status = resp.Status
	body, err = read(resp)
	resp.Close()
	_, idle := e.Connections()
	return status, body, idle == 1, err
}

func FuzzExchange(f *testing.F) {
	for _, seed := range []string{
		okText, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "HTTP/1.0 200 OK\r\n\r\nuntil-close", okText + okText,
		"HTTP/1.1 100 Continue\r\n\r\n" + okText, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: v1\r\n\r\n",
	} {
		f.Add([]byte(seed), uint8(7), false)
		f.Add([]byte(seed), uint8(255), true)
	}
	f.Fuzz(func(t *testing.T, in []byte, piece uint8, isHead bool) {
		ways := readers()
		status, body, kept, err := play(in, 1+int(piece), isHead, ways["Next"])
		for name, read := range ways {
			otherStatus, otherBody, otherKept, otherErr := play(in, 1<<20, isHead, read)
			if status != otherStatus || !bytes.Equal(body, otherBody) && err == nil || (err == nil) != (otherErr == nil) {
				t.Fatalf("by %s: %d %q %v, by Next in pieces: %d %q %v", name, otherStatus, otherBody, otherErr, status, body, err)
			}
			if otherKept && !kept && err == nil && piece == 255 {
				t.Fatalf("by %s the connection is kept, in pieces it is not", name)
			}
		}
		if err != nil {
			if kept {
				t.Fatal("kept after", err)
			}
			return
		}
		checkAgainstStandardLibrary(t, in, isHead, status, body)
	})
}

// checkAgainstStandardLibrary checks that what we take for whole is whole, and the same, for another reader.
func checkAgainstStandardLibrary(t *testing.T, in []byte, isHead bool, status int, body []byte) {
	r := bufio.NewReader(bytes.NewReader(in))
	req := &http.Request{Method: "GET"}
	if isHead {
		req.Method = "HEAD"
	}
	for {
		resp, err := http.ReadResponse(r, req)
		if err != nil {
			return // it is stricter in places; what matters is below
		}
		if resp.StatusCode >= 100 && resp.StatusCode < 200 {
			continue
		}
		other, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != status || err == nil && !bytes.Equal(other, body) || err == io.ErrUnexpectedEOF {
			t.Fatalf("%d %q; net/http: %d %q %v", status, body, resp.StatusCode, other, err)
		}
		return
	}
}
