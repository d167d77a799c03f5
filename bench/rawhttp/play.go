package rawhttp

import (
	"errors"
	"net"
	"os"
	"strings"
	"time"
)

// play does the steps of an endpoint's script on one connection.
func (v *visit) play(steps []step) error {
	for _, s := range steps {
		if err := v.step(s); err != nil {
			return err
		}
	}
	return nil
}

func (v *visit) step(s step) error {
	switch s.verb {
	case send:
		return v.send(s)
	case pause:
		return v.wait(s.pause)
	case resetConn:
		abandon(v.conn)
		return errOver
	case halfClose:
		return shutWrite(v.conn)
	case echo:
		return v.echo()
	case linger:
		return v.linger(s.pause)
	}
	return errOver
}

// wait waits, unless the trial is over before.
func (v *visit) wait(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-v.record.over:
		return errOver
	}
}

// send sends text: at once, or piece by piece with a look at whether the proxy has closed.
func (v *visit) send(s step) error {
	if s.pause == 0 {
		_, err := v.conn.Write([]byte(strings.Repeat(s.text, s.count)))
		return err
	}
	for range s.count {
		if _, err := v.conn.Write([]byte(s.text)); err != nil {
			v.noteClosed()
			return err
		}
		if err := v.linger(s.pause); err != nil {
			return err
		}
	}
	return nil
}

// echo sends back what was left of the request's bytes and then everything that comes.
func (v *visit) echo() error {
	if _, err := v.conn.Write(v.buffer); err != nil {
		return err
	}
	v.buffer = nil
	chunk := make([]byte, 4096)
	for {
		n, err := v.conn.Read(chunk)
		if n > 0 {
			v.note(chunk[:n])
			v.buffer = nil
			if _, err := v.conn.Write(chunk[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			v.noteClosed()
			return err
		}
	}
}

// linger keeps the connection for a while and notices its end.
func (v *visit) linger(d time.Duration) error {
	if err := v.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		return err
	}
	defer func() { _ = v.conn.SetReadDeadline(time.Time{}) }()
	chunk := make([]byte, 4096)
	for {
		n, err := v.conn.Read(chunk)
		v.note(chunk[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			v.noteClosed()
			return err
		}
	}
}

// abandon closes a connection with RST.
func abandon(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// shutWrite says that nothing more will be sent.
func shutWrite(conn net.Conn) error {
	if tcp, ok := conn.(*net.TCPConn); ok {
		return tcp.CloseWrite()
	}
	return nil
}
