package faults

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"haldane/bench/process"
)

// The variables that turn the test binary into an origin.
const (
	originAddress = "HALDANE_ORIGIN_ADDRESS"
	originJournal = "HALDANE_ORIGIN_JOURNAL"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(originAddress); address != "" {
		serveOrigin(address, os.Getenv(originJournal))
		return
	}
	os.Exit(m.Run())
}

// origin is an origin server in a process of its own.
type origin struct {
	address string
	journal string // a line for each request that has come, which outlives the process
	command *exec.Cmd
}

// newOrigin starts an origin on a free port.
func newOrigin(t *testing.T) *origin {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &origin{address: listener.Addr().String(), journal: filepath.Join(t.TempDir(), "journal")}
	listener.Close()
	o.start(t)
	t.Cleanup(func() { o.kill() })
	return o
}

// start starts the process, also after it was killed, and waits until it answers.
func (o *origin) start(t *testing.T) {
	t.Helper()
	o.command = exec.Command(os.Args[0])
	o.command.Env = append(os.Environ(), originAddress+"="+o.address, originJournal+"="+o.journal)
	if err := o.command.Start(); err != nil {
		t.Fatal(err)
	}
	process.Until(t, "the origin answers", func() bool {
		conn, err := net.DialTimeout("tcp", o.address, time.Second)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	})
}

// kill ends the process at once.
func (o *origin) kill() {
	_ = o.command.Process.Kill()
	_ = o.command.Wait()
}

// signal stops the process (SIGSTOP), or lets it go on (SIGCONT).
func (o *origin) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := o.command.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// requests are the requests that have come, by what the journal has of them: "METHOD id".
func (o *origin) requests(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile(o.journal)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	all := make(map[string]int)
	for line := range strings.Lines(string(text)) {
		all[strings.TrimSpace(line)]++
	}
	return all
}

// serveOrigin is the origin's process.
func serveOrigin(address, journal string) {
	file, err := os.OpenFile(journal, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	large := make([]byte, 1<<20) // once: the origin must not be what is slow
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// One write for each line: whole lines, whoever else writes and whenever the end comes.
		_, _ = file.WriteString(r.Method + " " + r.Header.Get("X-Id") + "\n")
		n, err := io.Copy(io.Discard, r.Body)
		switch {
		case err != nil:
		case r.URL.Query().Get("act") == "large":
			_, _ = w.Write(large)
		default:
			act(w, r, fmt.Sprintf("%s %d\n", r.Header.Get("X-Id"), n))
		}
	})
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: time.Minute}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}

// act answers as the request asks for with its query.
func act(w http.ResponseWriter, r *http.Request, body string) {
	query := r.URL.Query()
	if delay, err := time.ParseDuration(query.Get("after")); err == nil {
		<-time.After(delay)
	}
	switch query.Get("act") {
	case "cut": // so many bytes of the whole answer, and then RST or FIN
		cut(w, query.Get("by"), query.Get("at"), body)
	case "close": // a whole answer, and the end of a connection that was not announced
		cut(w, "fin", "all", body)
	case "drip":
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		for i := range body {
			_, _ = io.WriteString(w, body[i:i+1])
			w.(http.Flusher).Flush()
			<-time.After(10 * time.Millisecond)
		}
	case "events":
		w.Header().Set("Content-Type", "text/event-stream")
		for n := 0; r.Context().Err() == nil; n++ {
			fmt.Fprintf(w, "data: %d\n\n", n)
			w.(http.Flusher).Flush()
			<-time.After(20 * time.Millisecond)
		}
	case "upgrade":
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
		_, _ = io.Copy(conn, buffered)
	default:
		_, _ = io.WriteString(w, body)
	}
}

// cut takes over the connection and sends the beginning of an answer.
func cut(w http.ResponseWriter, by, at, body string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	whole := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	if n, err := strconv.Atoi(at); err == nil {
		whole = whole[:min(n, len(whole)-1)]
	}
	_, _ = io.WriteString(conn, whole)
	if by == "rst" {
		// What was sent is given the time to arrive: a reset throws away what was not read.
		<-time.After(20 * time.Millisecond)
		_ = conn.(*net.TCPConn).SetLinger(0)
	}
}
