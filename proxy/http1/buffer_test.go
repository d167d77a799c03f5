package http1

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// moody returns an error with its data once, and has more afterwards.
type moody struct {
	err  error
	text []string
}

func (m *moody) Read(p []byte) (int, error) {
	if len(m.text) == 0 {
		return 0, io.EOF
	}
	n := copy(p, m.text[0])
	m.text = m.text[1:]
	err := m.err
	m.err = nil
	return n, err
}

func TestBufferDoesNotForgetAnErrorThatCameWithData(t *testing.T) {
	cause := errors.New("cause")
	for _, read := range []func(*Buffer) (int, error){
		func(b *Buffer) (int, error) { return b.Read(make([]byte, 10)) },
		func(b *Buffer) (int, error) { return b.Read(make([]byte, 8192)) },
		func(b *Buffer) (int, error) {
			err := b.Fill()
			n := b.Len()
			b.Discard(n)
			return n, err
		},
	} {
		var b Buffer
		b.Reset(&moody{err: cause, text: []string{"abc", "def"}}, make([]byte, 4096))
		if n, err := read(&b); n != 3 || err != nil {
			t.Errorf("first %d, %v", n, err)
		}
		for range 2 {
			if n, err := read(&b); n != 0 || err != cause {
				t.Errorf("then %d, %v", n, err)
			}
		}
	}
}

func TestBufferKeepsWhatItIsToldToKeep(t *testing.T) {
	var b Buffer
	b.Reset(strings.NewReader("headbody1body2body3"), make([]byte, 9))
	if err := b.Fill(); err != nil {
		t.Fatal(err)
	}
	head := b.Bytes()[:4]
	b.Discard(4)
	b.Keep()
	if b.Room() != 5 || b.Fill() != ErrBufferFull {
		t.Error("there should be no room")
	}
	for _, want := range []string{"body1", "body2", "body3"} {
		if string(b.Bytes()) != want || string(head) != "head" {
			t.Errorf("%q behind %q", b.Bytes(), head)
		}
		b.Discard(5)
		_ = b.Fill()
	}
	b.Reset(strings.NewReader("abcdef"), make([]byte, 3))
	_ = b.Fill()
	b.Discard(1)
	b.Move(make([]byte, 6))
	_ = b.Fill()
	if string(b.Bytes()) != "bcdef" {
		t.Errorf("%q after Move", b.Bytes())
	}
}

// mute never says anything.
type mute struct{}

func (mute) Read([]byte) (int, error) { return 0, nil }

func TestBufferGivesUpOnASourceThatNeverSaysAnything(t *testing.T) {
	var b Buffer
	b.Reset(mute{}, make([]byte, 10))
	if err := b.Fill(); err != io.ErrNoProgress {
		t.Error(err)
	}
}
