package handover

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
)

// Offer is the old process's side.
type Offer struct{ peer }

// NewOffer begins on a connection over which somebody has asked.
func NewOffer(conn *net.UnixConn) *Offer {
	return &Offer{peer{conn: conn, reader: bufio.NewReaderSize(conn, 256)}}
}

// Give passes the sockets on and waits until the new process is prepared. It gives the new process's id. The sockets still
// belong to this process as well.
func (o *Offer) Give(sockets []Socket) (pid int, err error) {
	if len(sockets) > mostSockets {
		return 0, fmt.Errorf("%d sockets are too many to hand over", len(sockets))
	}
	list, err := json.Marshal(sockets)
	if err != nil {
		return 0, fmt.Errorf("hand over the sockets: %w", err)
	}
	if err := o.say(string(list), sockets); err != nil {
		return 0, fmt.Errorf("hand over the sockets: %w", err)
	}
	text, err := o.hear(prepared)
	if err != nil {
		return 0, fmt.Errorf("wait for the new process to prepare: %w", err)
	}
	pid, err = strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("wait for the new process to prepare: its id is %q", text)
	}
	return pid, nil
}

// Released says that the store is free, and waits until the new process serves. With an error it does not.
func (o *Offer) Released() error {
	if err := o.say(released, nil); err != nil {
		return fmt.Errorf("let go of the store: %w", err)
	}
	if _, err := o.hear(serving); err != nil {
		return fmt.Errorf("wait for the new process to serve: %w", err)
	}
	return nil
}
