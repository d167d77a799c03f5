package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"
)

func openFile(t *testing.T, path string) Store {
	t.Helper()
	s, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReopenedFileHasTheLastCommittedState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := openFile(t, path)
	save(t, s, record("shop", 0, "a"), record("cart", 0, "b"))
	save(t, s, record("shop", 1, "c"))
	if err := s.Save([]Record{record("shop", 1, "never")}); !errors.Is(err, ErrConflict) {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openFile(t, path)
	defer again.Close()
	wantRecords(t, again, record("cart", 1, "b"), record("shop", 2, "c"))
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v: the state is its owner's alone", info.Mode(), err)
	}
}

// A child process writes revision after revision and is killed in the middle of it. What it had said to be stored is stored.
func TestKilledWriterLosesNothingItHasSaid(t *testing.T) {
	if path := os.Getenv("HALDANE_TEST_WRITER"); path != "" {
		writeForever(t, path)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	child := exec.Command(os.Args[0], "-test.run=^TestKilledWriterLosesNothingItHasSaid$")
	child.Env = append(os.Environ(), "HALDANE_TEST_WRITER="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var said uint64
	for said < 50 && lines.Scan() {
		if text, found := strings.CutPrefix(lines.Text(), "stored "); found {
			if said, err = strconv.ParseUint(text, 10, 64); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // what it said before it died
		if text, found := strings.CutPrefix(lines.Text(), "stored "); found {
			if n, err := strconv.ParseUint(text, 10, 64); err == nil {
				said = n
			}
		}
	}
	_ = child.Wait()
	s := openFile(t, path)
	defer s.Close()
	records, err := s.Load()
	if err != nil || len(records) != 1 {
		t.Fatalf("records %v, error %v", records, err)
	}
	r := records[0]
	if r.Revision < said || r.Revision > said+1 || !bytes.Equal(r.Value, bigValue(r.Revision)) {
		t.Errorf("revision %d of %d bytes, the writer had said %d", r.Revision, len(r.Value), said)
	}
}

func writeForever(t *testing.T, path string) {
	s := openFile(t, path)
	for i := uint64(0); ; i++ {
		if err := s.Save([]Record{{Service: "shop", Revision: i, Value: bigValue(i + 1)}}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("stored", i+1)
	}
}

// bigValue is long enough to take several pages.
func bigValue(revision uint64) []byte {
	return bytes.Repeat([]byte(strconv.FormatUint(revision, 10)+" "), 10_000)
}

func TestSecondInstanceIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	first := openFile(t, path)
	defer first.Close()
	_, err := OpenFile(path)
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "another instance runs") || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not say that another instance has %s", err, path)
	}
}

func TestUnusablePathsAreErrors(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "no", "such", "folder")} {
		s, err := OpenFile(path)
		if err == nil {
			_ = s.Close()
			t.Errorf("%s was opened", path)
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("error %q does not name %s", err, path)
		}
	}
}

// A full disk is a write that fails. It is met at the limit of the file size, which the kernel reports like a full disk.
func TestFullDiskLeavesTheStateAsItWas(t *testing.T) {
	if path := os.Getenv("HALDANE_TEST_FULL"); path != "" {
		fillDisk(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "state.db")
	child := exec.Command(os.Args[0], "-test.run=^TestFullDiskLeavesTheStateAsItWas$")
	child.Env = append(os.Environ(), "HALDANE_TEST_FULL="+path)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := openFile(t, path)
	defer s.Close()
	wantRecords(t, s, record("cart", 1, "b"), record("shop", 2, "c"))
}

// fillDisk runs in a process of its own, because the limit holds for all of it.
func fillDisk(t *testing.T, path string) {
	s := openFile(t, path)
	save(t, s, record("cart", 0, "b"), record("shop", 0, "a"))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	limit := syscall.Rlimit{Cur: uint64(info.Size()), Max: uint64(info.Size())}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	large := bytes.Repeat([]byte("x"), 4<<20)
	if err := s.Save([]Record{record("cart", 1, "half"), {Service: "shop", Revision: 1, Value: large}}); err == nil {
		t.Fatal("4 MiB fitted on a full disk")
	}
	wantRecords(t, s, record("cart", 1, "b"), record("shop", 1, "a"))
	save(t, s, record("shop", 1, "c")) // what fits is still stored
}

func TestCutOffRecordIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := openFile(t, path)
	defer s.Close()
	err := s.(*file).db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketRollouts)).Put([]byte("shop"), []byte{1, 2, 3})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(); err == nil || !strings.Contains(err.Error(), "shop") {
		t.Errorf("Load: error %v", err)
	}
	if err := s.Save([]Record{record("shop", 0, "a")}); err == nil {
		t.Error("a damaged record was written over")
	}
}
