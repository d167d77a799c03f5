//go:build !race && amd64

package instructions

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"haldane/bench/process"
)

const (
	// featuresTarget is how many more instructions of the process a request may take with routing, stickiness, metrics and judging than
	// in plain pass-through.
	featuresTarget = 0.05
	// shorter and longer are the requests of the two runs whose difference is counted.
	shorter, longer = 200, 1400
)

const plain = `version: 1
listen: {address: "%ADDRESS%"}
admin: {address: "%ADMIN%"}
state: {directory: "%DIR%/state", store: memory}
services:
  shop:
    variants:
      v1: {endpoints: ["ENDPOINT"]}
`

const featured = `version: 1
listen: {address: "%ADDRESS%"}
admin: {address: "%ADMIN%"}
state: {directory: "%DIR%/state", store: memory}
segments:
  staff: {header: X-Role, exact: staff}
policies:
  half: {steps: [{weight: 50%, duration: 1h, segment: staff}], budget: {failed_requests: 50}}
services:
  shop:
    match:
      - {host: shop.example.com, path_prefix: /api}
      - {host: "*.example.org"}
    variants:
      v1: {endpoints: ["ENDPOINT"]}
      v2: {endpoints: ["ENDPOINT"], revision: "2"}
    variant_field: Variant
    stable: v1
    canary: v2
    policy: half
    sticky: {cookie: user, issue: true}
    pins: [{header: X-Variant}]
`

// TestFeaturesCostLittle sends the same requests through the built binary, with everything and with nothing to decide. It takes minutes.
func TestFeaturesCostLittle(t *testing.T) {
	if os.Getenv("HALDANE_COUNT_WHOLE") == "" {
		t.Skip("SKIP: ===== what the features cost the built binary is only counted with HALDANE_COUNT_WHOLE=1 =====")
	}
	valgrind(t)
	w := whole{t: t, binary: binary(t), endpoint: origin(t)}
	bare, full := w.perRequest(plain), w.perRequest(featured)
	more := float64(full.request-bare.request) / float64(bare.all)
	t.Logf("a request takes %d instructions in plain pass-through, %d of them in the path of the request; there %d with all features: %.1f %% more",
		bare.all, bare.request, full.request, 100*more)
	if more > featuresTarget {
		t.Errorf("features take %.1f %% more instructions, at most %.0f %% is the target", 100*more, 100*featuresTarget)
	}
}

// whole counts what whole requests cost the process.
type whole struct {
	t                *testing.T
	binary, endpoint string
}

func (w *whole) perRequest(config string) sums {
	w.t.Helper()
	few, first := w.run(config, shorter)
	many, second := w.run(config, longer)
	return many.minus(few, second-first)
}

// run says what the process has done, and for how many requests.
func (w *whole) run(config string, requests int) (s sums, sent int) {
	w.t.Helper()
	out := filepath.Join(w.t.TempDir(), "counts")
	p := process.Start(w.t, process.Options{
		Binary: w.binary, Config: strings.ReplaceAll(config, "ENDPOINT", w.endpoint),
		Patience: 3 * time.Minute, // fifty times slower than by itself
		Through:  append([]string{"env", "GODEBUG=asyncpreemptoff=1", "GOGC=off", "GOMAXPROCS=1", valgrind(w.t)}, counting(out)...),
	})
	conn, err := net.Dial("tcp", p.Address)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	reader := textproto.NewReader(bufio.NewReader(conn))
	if config == featured { // until the rollout has begun
		process.Until(w.t, "a user gets the canary", func() bool {
			sent++
			return ask(w.t, conn, reader, sent) == "v2"
		})
	}
	for range requests {
		sent++
		ask(w.t, conn, reader, sent%64)
	}
	p.Signal(w.t, syscall.SIGTERM)
	if err := p.Wait(time.Minute); err != nil {
		w.t.Fatal(err)
	}
	return read(w.t, out), sent
}

// ask sends a request as one of the users, and says who has answered.
func ask(t *testing.T, conn net.Conn, reader *textproto.Reader, user int) (variant string) {
	t.Helper()
	_, err := fmt.Fprintf(conn, "GET /api/v1/cart?q=1 HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"+
		"Accept: */*\r\nAccept-Encoding: gzip\r\nCookie: theme=dark; user=%08d\r\n\r\n", user)
	if err != nil {
		t.Fatal(err)
	}
	line, err := reader.ReadLine()
	if err != nil || line != "HTTP/1.1 200 OK" {
		t.Fatalf("answer %q: %v", line, err)
	}
	fields, err := reader.ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.R.Discard(2); err != nil {
		t.Fatal(err)
	}
	return fields.Get("Variant")
}

// origin answers every head with the same bytes.
func origin(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				lines := textproto.NewReader(bufio.NewReader(conn))
				for {
					if _, err := lines.ReadLine(); err != nil {
						return
					}
					if _, err := lines.ReadMIMEHeader(); err != nil {
						return
					}
					if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nok"); err != nil {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// binary builds the command with the names of its functions.
func binary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "haldane")
	command := exec.CommandContext(t.Context(), "go", "build", "-tags", "grpcnotrace", "-ldflags=-w", "-o", path, "haldane")
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOAMD64=v1")
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	return path
}
