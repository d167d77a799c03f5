//go:build !linux

package proxy

import "net"

// poller does not exist here: connections are not parked.
type poller struct{}

func newPoller() (*poller, error) { return nil, nil } //nolint:nilnil // no poller is no error

func (*poller) close() {}

func (*poller) watch(net.Conn, spot, bool) error { return nil }

func (*poller) next([]arrival) (int, error) { return 0, nil }
