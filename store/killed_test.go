//go:build !race

package store

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The variables that turn the test binary into a writer, and that say how often one is killed.
const (
	writerPath  = "HALDANE_TEST_NUMBERED_WRITER"
	killsWanted = "HALDANE_TEST_KILLS"
)

// numbered are the services whose records are all written with the same number, in one transaction.
const numbered = 4

// A process that writes numbered states is killed a thousand times, at any moment: while it opens the file, also a file that is
// not there yet, while it writes, while it waits for the disk. What is there afterwards is the last state that it had said to
// be stored, or the one it was storing: whole, the same number in every record, and with what happened on the way to it.
func TestKilledAThousandTimes(t *testing.T) {
	if path := os.Getenv(writerPath); path != "" {
		writeNumbered(t, path)
	}
	if testing.Short() {
		t.Skip("takes seconds")
	}
	kills := 1000
	if text := os.Getenv(killsWanted); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	const lanes = 4 // a writer waits for the disk most of the time
	var writes, opening atomic.Int64
	t.Run("lanes", func(t *testing.T) {
		for lane := range lanes {
			t.Run(strconv.Itoa(lane), func(t *testing.T) {
				t.Parallel()
				v := victim{path: filepath.Join(t.TempDir(), "state.db")}
				for round := 0; round < kills/lanes && !t.Failed(); round++ {
					if round%10 == 9 { // a new file
						v = victim{path: filepath.Join(t.TempDir(), "state.db")}
					}
					before := v.said
					if v.round(t); !v.opened {
						opening.Add(1)
					}
					v.check(t)
					writes.Add(int64(v.said - before))
				}
			})
		}
	})
	t.Logf("%d kills, %d of them before the file was open; %d states were written", kills, opening.Load(), writes.Load())
	if !t.Failed() && (writes.Load() < int64(kills/4) || opening.Load() > int64(kills/2)) {
		t.Error("that killed too seldom while something was written")
	}
}

// A process is killed while it moves a damaged file aside: the next one still knows that something is lost.
func TestKilledWhileItMovesDamageAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	moved := 0
	for range 100 {
		if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
		child := exec.Command(os.Args[0], "-test.run=^TestKilledAThousandTimes$")
		child.Env = append(os.Environ(), writerPath+"="+path)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Duration(rand.Int64N(int64(10 * time.Millisecond))))
		_ = child.Process.Kill()
		_ = child.Wait()
		if now, err := os.ReadFile(path); err == nil && string(now) != "garbage" {
			moved++
		}
		s := openFile(t, path)
		if s.Damage() == nil {
			t.Error("the loss is forgotten")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("killed 100 times, %d times after the file was moved", moved)
}

// victim is the file of one writer after another.
type victim struct {
	path   string
	said   uint64 // the last number that was said to be stored
	opened bool   // by the last writer
}

// round starts a writer and kills it.
func (v *victim) round(t *testing.T) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKilledAThousandTimes$")
	child.Env = append(os.Environ(), writerPath+"="+v.path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	delay := time.Duration(rand.Int64N(int64(8 * time.Millisecond)))
	early := rand.IntN(5) == 0 // counted from the start of the process, and otherwise from the opened file
	said := bufio.NewScanner(out)
	v.opened = false
	if early {
		<-time.After(delay)
	} else if v.opened = said.Scan(); v.opened {
		<-time.After(delay)
	}
	if err := child.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	for said.Scan() { // what it said before it died
		v.hear(t, said.Text())
	}
	_ = child.Wait()
}

// hear takes a line of the writer.
func (v *victim) hear(t *testing.T, line string) {
	t.Helper()
	if line == "open" {
		v.opened = true
		return
	}
	n, err := strconv.ParseUint(line, 10, 64)
	if err != nil {
		t.Fatalf("the writer said %q", line)
	}
	v.said = n
}

// check looks at what is there.
func (v *victim) check(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(v.path); errors.Is(err, fs.ErrNotExist) && v.said == 0 {
		return // it was killed before there was a file
	}
	s := openFile(t, v.path)
	defer s.Close()
	if damage := s.Damage(); damage != nil {
		t.Fatalf("after %d: %v", v.said, damage)
	}
	found, err := readNumbered(s)
	if err != nil {
		t.Fatalf("after %d: %v", v.said, err)
	}
	if found != v.said && found != v.said+1 {
		t.Fatalf("state %d is there, the writer had said %d", found, v.said)
	}
	v.said = found
}

// writeNumbered is the writer's process.
func writeNumbered(t *testing.T, path string) {
	s := openFile(t, path)
	last, err := readNumbered(s)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(os.Stdout, "open\n") // one write for each line
	for n := last + 1; ; n++ {
		if err := s.Save(numberedState(n)); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(os.Stdout, strconv.FormatUint(n, 10)+"\n")
	}
}

func numberedState(n uint64) []Record {
	at := time.Unix(int64(n), 0)
	id := strconv.FormatUint(n, 10)
	all := make([]Record, numbered)
	for i := range all {
		name := fmt.Sprint("service-", i)
		all[i] = Record{Service: name, Revision: n - 1, Value: sealed(n, name)}
	}
	all[n%numbered].Endings = []Ending{{ID: id, Service: "shop", Ended: at, Summary: sealed(n, "summary"), Report: sealed(n, "report")}}
	all[(n+1)%numbered].Audit = []Entry{{Time: at, Key: id, Value: sealed(n, "audit")}}
	return all
}

// sealed is a number, filler whose length differs from number to number, and a sum over both.
func sealed(n uint64, name string) []byte {
	seed := sha256.Sum256([]byte(fmt.Sprint(n, name)))
	text := binary.BigEndian.AppendUint64(nil, n)
	text = append(text, bytes.Repeat(seed[:], int(seed[0]))...)
	sum := sha256.Sum256(text)
	return append(text, sum[:]...)
}

// readNumbered reads the number of a state, zero for none, and says what is wrong with it.
func readNumbered(s Store) (uint64, error) {
	records, err := s.Load()
	if err != nil || len(records) == 0 {
		return 0, err
	}
	n := records[0].Revision
	if len(records) != numbered {
		return 0, fmt.Errorf("%d records", len(records))
	}
	for _, r := range records {
		if r.Revision != n || !bytes.Equal(r.Value, sealed(n, r.Service)) {
			return 0, fmt.Errorf("%s is at %d with %d bytes, the first at %d", r.Service, r.Revision, len(r.Value), n)
		}
	}
	return n, errors.Join(checkEndings(s, n), checkAudit(s, n))
}

// checkEndings wants every rollout that ended up to n, the latest first, as far as they are kept.
func checkEndings(s Store, n uint64) error {
	ended, err := s.Ended("")
	if err != nil || uint64(len(ended)) != min(n, EndingsPerService) {
		return fmt.Errorf("%d endings at %d: %w", len(ended), n, err)
	}
	for i, e := range ended {
		due := n - uint64(i)
		report, err := s.Report(e.ID)
		if err != nil || e.ID != strconv.FormatUint(due, 10) || !bytes.Equal(e.Summary, sealed(due, "summary")) || !bytes.Equal(report, sealed(due, "report")) {
			return fmt.Errorf("at %d: ending %s in the place of %d: %w", n, e.ID, due, err)
		}
	}
	return nil
}

func checkAudit(s Store, n uint64) error {
	const latest = 20
	entries, err := s.Audit(latest)
	if err != nil || uint64(len(entries)) != min(n, latest) {
		return fmt.Errorf("%d entries of the audit at %d: %w", len(entries), n, err)
	}
	for i, e := range entries {
		if due := n - uint64(i); e.Key != strconv.FormatUint(due, 10) || !bytes.Equal(e.Value, sealed(due, "audit")) {
			return fmt.Errorf("at %d: entry %s in the place of %d", n, strings.TrimSpace(e.Key), due)
		}
	}
	return nil
}
