package listen

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// header2 is a header of version 2.
func header2(command, family byte, payload ...byte) string {
	head := append([]byte(signature), command, family)
	head = binary.BigEndian.AppendUint16(head, uint16(len(payload)))
	return string(append(head, payload...))
}

// from4 and from6 are the addresses of a header: client, balancer, ports.
func from4() []byte { return []byte{192, 0, 2, 7, 10, 0, 0, 1, 0x1f, 0x90, 0, 80} }

func from6() []byte {
	a, b := netip.MustParseAddr("2001:db8::7").As16(), netip.MustParseAddr("2001:db8::1").As16()
	return append(append(append([]byte{}, a[:]...), b[:]...), 0x1f, 0x90, 0, 80)
}

func TestParseHeader(t *testing.T) {
	extensions := append(from4(), 0x03, 0, 4, 1, 2, 3, 4)
	for _, c := range []struct {
		in, client string
		err        error
	}{
		{"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\r\n", "192.0.2.7", nil},
		{"PROXY TCP6 2001:db8::7 2001:db8::1 8080 80\r\n", "2001:db8::7", nil},
		{"PROXY TCP6 ::ffff:192.0.2.7 ::1 0 65535\r\n", "192.0.2.7", nil},
		{"PROXY UNKNOWN\r\n", "", nil},
		{"PROXY UNKNOWN whatever it  says\r\n", "", nil},
		{"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", "", nil},
		{header2(0x21, 0x11, from4()...), "192.0.2.7", nil},
		{header2(0x21, 0x21, from6()...), "2001:db8::7", nil},
		{header2(0x21, 0x11, extensions...), "192.0.2.7", nil},
		{header2(0x20, 0x00), "", nil},                            // LOCAL
		{header2(0x20, 0x11, from4()...), "", nil},                // LOCAL with addresses that count for nothing
		{header2(0x20, 0x11), "", nil},                            // and without
		{header2(0x21, 0x00, 1, 2, 3), "", nil},                   // UNSPEC
		{header2(0x21, 0x12, from4()...), "", nil},                // UDP
		{header2(0x21, 0x31, make([]byte, unixSize)...), "", nil}, // a unix socket
		{header2(0x21, 0x11, make([]byte, binaryLongest)...), "0.0.0.0", nil},

		{"GET / HTTP/1.1\r\n", "", ErrNoHeader},
		{"PROXY\r\n", "", ErrNoHeader},
		{"PROXY  TCP4 192.0.2.7 10.0.0.1 8080 80\r\n", "", ErrNoHeader},
		{"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\n\r\n", "", ErrNoHeader},
		{"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\rX", "", ErrNoHeader},
		{"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80 \r\n", "", ErrNoHeader},
		{"PROXY TCP4 192.0.2.7 10.0.0.1 8080\r\n", "", ErrNoHeader},
		{"PROXY TCP4 192.0.2.07 10.0.0.1 8080 80\r\n", "", ErrNoHeader},
		{"PROXY TCP4 192.0.2.7 10.0.0.1 08080 80\r\n", "", ErrNoHeader},
		{"PROXY TCP4 192.0.2.7 10.0.0.1 65536 80\r\n", "", ErrNoHeader},
		{"PROXY TCP4 192.0.2.7 10.0.0.1 +80 80\r\n", "", ErrNoHeader},
		{"PROXY TCP4 2001:db8::7 2001:db8::1 8080 80\r\n", "", ErrNoHeader},
		{"PROXY TCP6 192.0.2.7 10.0.0.1 8080 80\r\n", "", ErrNoHeader},
		{"PROXY TCP6 fe80::1%eth0 ::1 8080 80\r\n", "", ErrNoHeader},
		{"PROXY tcp4 192.0.2.7 10.0.0.1 8080 80\r\n", "", ErrNoHeader},
		{"PROXY UDP4 192.0.2.7 10.0.0.1 8080 80\r\n", "", ErrNoHeader},
		{"PROXY UNKNOWN " + strings.Repeat("x", textLongest), "", ErrNoHeader},
		{header2(0x11, 0x11, from4()...), "", ErrNoHeader},
		{header2(0x22, 0x11, from4()...), "", ErrNoHeader},
		{header2(0x21, 0x41, from4()...), "", ErrNoHeader},
		{header2(0x21, 0x13, from4()...), "", ErrNoHeader},
		{header2(0x21, 0x11, from4()[:11]...), "", ErrNoHeader},
		{header2(0x21, 0x21, from4()...), "", ErrNoHeader},
		{header2(0x21, 0x11, make([]byte, binaryLongest+1)...), "", ErrLongHeader},
	} {
		const behind = "GET / HTTP/1.1\r\n"
		header, n, err := ParseHeader([]byte(c.in + behind))
		if c.err != nil {
			if err != c.err {
				t.Errorf("%q: got %v, want %v", c.in, err, c.err)
			}
			continue
		}
		if err != nil || n != len(c.in) {
			t.Errorf("%q: got length %d, %v, want %d", c.in, n, err, len(c.in))
			continue
		}
		if got := header.Client; got.IsValid() != (c.client != "") || got.IsValid() && got.String() != c.client {
			t.Errorf("%q: got %v, want %q", c.in, got, c.client)
		}
		for cut := range len(c.in) {
			if _, _, err := ParseHeader([]byte(c.in[:cut])); err != ErrIncomplete {
				t.Errorf("%q: got %v, want to be asked for more", c.in[:cut], err)
			}
		}
	}
}

// However a header is cut into packets, it is read the same, and so is every byte behind it.
func TestReadHeaderInPieces(t *testing.T) {
	for _, in := range []string{
		"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\r\n",
		header2(0x21, 0x11, append(from4(), make([]byte, 2000)...)...),
	} {
		for _, piece := range []int{1, 7, 16, 17, 1024, 5000} {
			ours, theirs := net.Pipe()
			const behind = "the first request"
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				defer theirs.Close()
				for rest := in + behind; len(rest) > 0; {
					n := min(piece, len(rest))
					if _, err := io.WriteString(theirs, rest[:n]); err != nil {
						return
					}
					rest = rest[n:]
				}
			}()
			_ = ours.SetDeadline(time.Now().Add(10 * time.Second))
			header, conn, err := ReadHeader(ours)
			if err != nil || header.Client.String() != "192.0.2.7" {
				t.Fatalf("in pieces of %d: %v, %v", piece, header, err)
			}
			if got, err := io.ReadAll(conn); err != nil || string(got) != behind {
				t.Errorf("in pieces of %d: behind the header %q, %v", piece, got, err)
			}
			ours.Close()
			<-sent
		}
	}
}

func TestReadHeaderThatEnds(t *testing.T) {
	for in, want := range map[string]error{"": ErrSilent, "PROXY TCP4 ": io.EOF, "GET / HTTP/1.1\r\n\r\n": ErrNoHeader} {
		ours, theirs := net.Pipe()
		go func() { _, _ = io.WriteString(theirs, in); theirs.Close() }()
		if _, _, err := ReadHeader(ours); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", in, err, want)
		}
		ours.Close()
	}
}

// What is accepted is a header when it is looked at on its own, a shorter piece of it is incomplete, and what follows changes
// nothing.
func FuzzParseHeader(f *testing.F) {
	for _, in := range []string{
		"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\r\nGET /", "PROXY TCP6 ::1 ::1 1 2\r\n", "PROXY UNKNOWN\r\n",
		header2(0x21, 0x11, from4()...), header2(0x21, 0x21, from6()...), header2(0x20, 0), "GET / HTTP/1.1\r\n\r\n",
	} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		header, n, err := ParseHeader(in)
		if err != nil {
			return
		}
		if n < 15 || n > len(in) || n > binaryFixed+binaryLongest {
			t.Fatalf("%q: length %d", in, n)
		}
		if client := header.Client; client.IsValid() && (client.Is4In6() || client.Zone() != "") {
			t.Fatalf("%q: the client is %v", in, client)
		}
		for _, variation := range [][]byte{in[:n], append(bytes.Clone(in[:n]), "\r\nPROXY "...)} {
			again, m, err := ParseHeader(variation)
			if again != header || m != n || err != nil {
				t.Fatalf("%q: %v %d, then %v %d %v", in, header, n, again, m, err)
			}
		}
		if _, _, err := ParseHeader(in[:n-1]); err != ErrIncomplete {
			t.Fatalf("%q: cut short it is %v", in, err)
		}
		if in[0] == 'P' && !bytes.HasSuffix(in[:n], []byte("\r\n")) {
			t.Fatalf("%q ends in the middle", in[:n])
		}
	})
}

func TestNetworks(t *testing.T) {
	n, err := ParseNetworks([]string{"10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::ffff:198.51.100.0/120", "::1"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"10.255.0.1": true, "11.0.0.1": false, "192.0.2.1": true, "192.0.2.2": false, "2001:db8:1::": true, "2001:db9::": false,
		"198.51.100.9": true, "198.51.101.9": false, "::1": true, "::2": false,
	} {
		if got := n.Contains(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
	for _, bad := range []string{"", "10.0.0.0/33", "host", "10.0.0.1-10.0.0.9"} {
		if _, err := ParseNetworks([]string{bad}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", bad)) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if !(Networks{}).Empty() || n.Empty() || (Networks{}).Contains(netip.Addr{}) {
		t.Error("the zero value is not empty")
	}
}
