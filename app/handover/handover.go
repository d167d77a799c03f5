// Package handover is the conversation in which a running process gives its place to a new one, so that not one connection is
// lost and there are never two that decide about a rollout.
//
//	new                                  old
//	asks, over the admin socket  ───>
//	                             <───    its listening sockets, by SCM_RIGHTS (unix(7))
//	prepares all it can
//	prepared                     ───>    stops judging, stores the rollouts, lets go of the store
//	                             <───    released
//	opens the store, serves
//	serving                      ───>    stops accepting, drains, ends
//
// From the first step to the last both processes hold the same listening sockets, so that their queues live on. If the
// connection breaks before the last step, the old process goes on as if nothing had happened; the kernel breaks it when
// either of them dies.
//
// The package owns the messages and the passing of sockets. What the steps mean is app's business.
//
// Concurrency: an Offer and a Claim each belong to one goroutine; closing them from another one ends what they wait for.
package handover

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// Protocol is the name that the new process asks for (RFC 9110 section 7.8).
const Protocol = "haldane-take-over"

// Path is where it asks.
const Path = "/-/take-over"

// Socket is a listening socket that changes hands.
type Socket struct {
	// Name says what it is for.
	Name string `json:"name"`
	// Address is where it listens, as its owner was told to.
	Address string `json:"address"`
	// Listener is the socket itself.
	Listener net.Listener `json:"-"`
}

// The bounds of the conversation.
const (
	// stepTime is how long one side waits for the other in one step. Preparing reads files and checkpoints a disk.
	stepTime = 30 * time.Second
	// messageLongest bounds a message.
	messageLongest = 64 << 10
	// mostSockets bounds the sockets of one hand-over; the kernel takes 253.
	mostSockets = 64
)

// The words of the conversation.
const (
	prepared = "prepared"
	released = "released"
	serving  = "serving"
)

// Close closes the listeners of sockets that nobody took.
func Close(sockets []Socket) error {
	var failed error
	for _, s := range sockets {
		failed = errors.Join(failed, s.Listener.Close())
	}
	return failed
}

// peer is the other side.
type peer struct {
	conn   *net.UnixConn
	reader *bufio.Reader
}

// Close ends the conversation.
func (p *peer) Close() error { return p.conn.Close() }

// say sends one message, with sockets that go along.
func (p *peer) say(message string, sockets []Socket) error {
	if err := p.conn.SetWriteDeadline(time.Now().Add(stepTime)); err != nil {
		return err
	}
	if len(sockets) == 0 {
		_, err := p.conn.Write([]byte(message + "\n"))
		return err
	}
	return withDescriptors(sockets, nil, func(descriptors []int) error {
		_, _, err := p.conn.WriteMsgUnix([]byte(message+"\n"), syscall.UnixRights(descriptors...), nil)
		return err
	})
}

// withDescriptors calls use with the descriptors of all sockets, which cannot be closed meanwhile. They are borrowed and not
// copied: a copy made by the library would change how the original behaves.
func withDescriptors(sockets []Socket, descriptors []int, use func([]int) error) error {
	if len(sockets) == 0 {
		return use(descriptors)
	}
	owner, ok := sockets[0].Listener.(syscall.Conn)
	if !ok {
		return fmt.Errorf("the socket %s cannot be passed on", sockets[0].Name)
	}
	raw, err := owner.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(descriptor uintptr) {
		failed = withDescriptors(sockets[1:], append(descriptors, int(descriptor)), use)
	})
	return errors.Join(err, failed)
}

// hear waits for a message of one word and gives what follows the word.
func (p *peer) hear(word string) (rest string, err error) {
	if err := p.conn.SetReadDeadline(time.Now().Add(stepTime)); err != nil {
		return "", err
	}
	line, err := p.reader.ReadString('\n')
	if err != nil {
		return "", err
	}
	said, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	if said != word {
		return "", fmt.Errorf("expected %q, got %q", word, said)
	}
	return rest, nil
}

// takeSockets receives the first message, with the sockets. Whatever the kernel has handed out is either given back or closed.
func takeSockets(list []byte, descriptors []int) (sockets []Socket, err error) {
	files := make([]*os.File, 0, len(descriptors))
	for _, descriptor := range descriptors {
		files = append(files, os.NewFile(uintptr(descriptor), "handed over"))
	}
	defer func() {
		for _, file := range files {
			_ = file.Close() // the listeners have copies
		}
		if err != nil {
			err = errors.Join(err, Close(sockets))
			sockets = nil
		}
	}()
	var named []Socket
	if err := json.Unmarshal(list, &named); err != nil {
		return nil, fmt.Errorf("read the list of sockets: %w", err)
	}
	if len(named) != len(files) {
		return nil, fmt.Errorf("%d sockets are named and %d came", len(named), len(files))
	}
	for i, s := range named {
		if s.Listener, err = net.FileListener(files[i]); err != nil {
			return sockets, fmt.Errorf("take over the socket %s: %w", s.Name, err)
		}
		sockets = append(sockets, s)
	}
	return sockets, nil
}
