package handover

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"
)

// ErrNobody says that there is nobody to take over from.
var ErrNobody = errors.New("nobody runs")

// Claim is the new process's side.
type Claim struct {
	peer
	sockets []Socket
}

// Ask asks the process behind an admin socket for its place. The error is ErrNobody when none answers there.
func Ask(ctx context.Context, path string) (*Claim, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNobody
	}
	if err != nil {
		return nil, fmt.Errorf("ask to take over: %w", err)
	}
	c := &Claim{peer: peer{conn: conn.(*net.UnixConn)}}
	c.reader = bufio.NewReaderSize(c.conn, 256)
	if err := c.ask(); err != nil {
		return nil, errors.Join(fmt.Errorf("ask to take over: %w", err), c.conn.Close())
	}
	return c, nil
}

// ask sends the request and takes the sockets out of the answer.
func (c *Claim) ask() error {
	if err := c.conn.SetDeadline(time.Now().Add(stepTime)); err != nil {
		return err
	}
	_, err := io.WriteString(c.conn, "POST "+Path+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
		"Content-Length: 0\r\nConnection: Upgrade\r\nUpgrade: "+Protocol+"\r\n\r\n")
	if err != nil {
		return err
	}
	head, rest, descriptors, err := c.hearHead()
	if err != nil {
		return errors.Join(err, closeAll(descriptors))
	}
	response, err := http.ReadResponse(bufio.NewReader(io.MultiReader(bytes.NewReader(head), bytes.NewReader(rest))), nil)
	if err != nil {
		return errors.Join(err, closeAll(descriptors))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		why, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return errors.Join(fmt.Errorf("it is refused: %s %s", response.Status, why), closeAll(descriptors))
	}
	c.sockets, err = takeSockets(rest, descriptors)
	return err
}

// hearHead reads the answer: its head, and for a good one the line that follows, with the descriptors that come along. Each
// read has room for descriptors, because the kernel throws away those for which there is none.
func (c *Claim) hearHead() (head, rest []byte, descriptors []int, err error) {
	var all []byte
	room, control := make([]byte, 4096), make([]byte, syscall.CmsgSpace(4*mostSockets))
	for {
		n, extra, _, _, err := c.conn.ReadMsgUnix(room, control)
		all = append(all, room[:n]...)
		came, bad := rights(control[:extra])
		descriptors = append(descriptors, came...)
		if err = errors.Join(err, bad); err == nil && n == 0 {
			err = io.ErrUnexpectedEOF
		}
		_, rest, whole := bytes.Cut(all, []byte("\r\n\r\n"))
		head := all[:len(all)-len(rest)]
		switch {
		case whole && (!bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) || bytes.HasSuffix(rest, []byte("\n"))):
			return head, rest, descriptors, nil
		case err != nil:
			return nil, nil, descriptors, err
		case len(all) > messageLongest:
			return nil, nil, descriptors, errors.New("the answer is too long")
		}
	}
}

// rights takes the descriptors out of a control message.
func rights(control []byte) (descriptors []int, err error) {
	messages, err := syscall.ParseSocketControlMessage(control)
	for i := range messages {
		came, bad := syscall.ParseUnixRights(&messages[i])
		descriptors, err = append(descriptors, came...), errors.Join(err, bad)
	}
	return descriptors, err
}

func closeAll(descriptors []int) (failed error) {
	for _, descriptor := range descriptors {
		failed = errors.Join(failed, syscall.Close(descriptor))
	}
	return failed
}

// Take gives the sockets to the caller, once.
func (c *Claim) Take() []Socket {
	sockets := c.sockets
	c.sockets = nil
	return sockets
}

// Prepared says that nothing is missing but the store, and waits until that is free.
func (c *Claim) Prepared() error {
	if err := c.say(prepared+" "+strconv.Itoa(os.Getpid()), nil); err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	if _, err := c.hear(released); err != nil {
		return fmt.Errorf("take over: wait for the store: %w", err)
	}
	return nil
}

// Serving says that this process serves now, and waits until the old one has taken note.
func (c *Claim) Serving() error {
	if err := c.say(serving, nil); err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(stepTime)); err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	if _, err := c.reader.ReadByte(); err != io.EOF {
		return fmt.Errorf("take over: the old process did not leave: %w", err)
	}
	return nil
}

// Close ends the conversation, and closes the sockets that were not taken. Before Serving it means that nothing comes of it.
func (c *Claim) Close() error { return errors.Join(c.conn.Close(), Close(c.Take())) }
