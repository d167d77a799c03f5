package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"haldane/rollout"
)

// terminalPair is a terminal that is a file, and what stands behind it: whoever reads there sees what a person would.
func terminalPair(t *testing.T) (behind, terminal *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("SKIP: ===== no terminals here (%v): the screen was not tried on one =====", err)
	}
	behind = os.NewFile(uintptr(fd), "/dev/ptmx")
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close(); _ = behind.Close() })
	return behind, terminal
}

// seen is what has come out of a terminal.
type seen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *seen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(text)
}

func (s *seen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until the text has been seen.
func (s *seen) await(t *testing.T, text string) {
	t.Helper()
	if !s.shows(text, 20*time.Second) {
		t.Fatalf("never seen: %q in %q", text, s.String())
	}
}

// shows says whether the text is seen within so long.
func (s *seen) shows(text string, within time.Duration) bool {
	deadline := time.After(within)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(s.String(), text) {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}

// On a real terminal watch takes the screen, follows its size, and gives it back when it is interrupted.
func TestWatchOnATerminal(t *testing.T) {
	behind, terminal := terminalPair(t)
	resize := func(columns, rows uint16) {
		if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}); err != nil {
			t.Fatal(err)
		}
	}
	resize(100, 40)
	if !isTerminal(terminal) {
		t.Error("it is a terminal")
	}
	var out seen
	var group sync.WaitGroup
	group.Go(func() { _, _ = behind.WriteTo(&out) })
	socket, _ := start(t, &fake{views: []rollout.View{spending()}})
	ctx, cancel := context.WithCancel(t.Context())
	resized := make(chan os.Signal, 1)
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, env{
			stdin: terminal, stdout: terminal, stderr: terminal, terminal: true, zone: time.UTC,
			getenv:  func(string) (string, bool) { return "", false },
			size:    func() (int, int) { return terminalSize(terminal) },
			resizes: func() (<-chan os.Signal, func()) { return resized, func() {} },
		}, []string{"watch", "shop", "--socket", socket})
	}()
	out.await(t, enterScreen)
	out.await(t, strings.Repeat(".", 31)+"  5%") // a third of 100 columns
	resize(40, 12)
	resized <- syscall.SIGWINCH
	out.await(t, "more lines")
	cancel()
	if got := <-code; got != 0 {
		t.Errorf("exit %d", got)
	}
	out.await(t, leaveScreen)
	if text := out.String(); !strings.HasSuffix(text, leaveScreen) {
		t.Errorf("something follows: %q", text[max(0, len(text)-80):])
	}
	_ = terminal.Close()
	_ = behind.Close()
	group.Wait()
}
