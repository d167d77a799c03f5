package app

import (
	"math"
	"syscall"

	"go.uber.org/zap"
)

// The descriptors that client connections leave alone: for the log, the store, the watchers, the admin side, whose
// connections must be taken in any case, and for clients that are turned away in an orderly way.
const (
	reserveMost = 512
	reservePart = 4 // at most a quarter of all
)

// endpointsMost of the rest are kept for connections to endpoints, but at most half: a client needs at most one, and where there
// are many clients, most are idle at any moment.
const endpointsMost = 4096

// descriptorLimit is how many file descriptors the process may have. Go's os package has raised it to the hard limit
// before main began.
func descriptorLimit() (uint64, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	return limit.Cur, nil
}

// capacity is how many client connections there are descriptors for, so that clients alone cannot take the last one: a
// process without descriptors reaches neither endpoints nor operators, and would blame the endpoints. Zero is no bound.
func (a *App) capacity(connections int) int {
	limit, err := descriptorLimit()
	if err != nil {
		a.logger.Warn("cannot find out how many file descriptors there may be", zap.Error(err))
		return 0
	}
	reserve := min(reserveMost, limit/reservePart)
	rest := limit - reserve
	room := int(min(rest-min(rest/2, endpointsMost), math.MaxInt32))
	needed := 2*uint64(max(connections, 0)) + reserve
	if limit >= needed {
		return room
	}
	a.logger.Warn("there are fewer file descriptors than limits.connections may need; raise the limit (LimitNOFILE, ulimit -n)",
		zap.Uint64("descriptors", limit), zap.Uint64("needed", needed), zap.Int("limits.connections", connections),
		zap.Int("connections_at_most", min(room, connections)))
	return room
}
