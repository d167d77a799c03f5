package admin

import (
	"net"
	"net/http"

	"go.uber.org/zap"
)

// Listeners are the open listeners of the admin side: those that it is given instead of opening them itself, and those that
// it can pass on.
type Listeners struct {
	// TCP is for the address, nil for none.
	TCP net.Listener
	// Socket is for the unix socket, nil for none. The name of one that was given stays when it is closed.
	Socket net.Listener
}

// Listeners are the listeners that Listen opened or adopted. They still belong to the Server.
func (s *Server) Listeners() Listeners {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// Abandon leaves the name of the unix socket to whoever the listeners were passed on to.
func (s *Server) Abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket != nil {
		s.socket.abandoned.Store(true)
	}
}

// takeOver gives the connection of a request to the process that asks for this one's place. Only the unix socket can carry what
// is passed on.
func (s *Server) takeOver(w http.ResponseWriter, r *http.Request) error {
	if s.options.TakeOver == nil {
		return refuse(http.StatusNotImplemented, "this process cannot be taken over")
	}
	if r.Header.Get("Upgrade") != s.options.TakeOverProtocol {
		return refuse(http.StatusUpgradeRequired, "start a new process with haldane run --take-over")
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); !ok || local.Network() != "unix" {
		return refuse(http.StatusForbidden, "a process is only taken over through the unix socket")
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		return conn.Close()
	}
	s.options.Logger.Info("a new process asks to take over")
	if _, err := unix.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " +
		s.options.TakeOverProtocol + "\r\n\r\n")); err != nil {
		s.options.Logger.Warn("the new process has left", zap.Error(err))
		_ = unix.Close()
		return nil
	}
	s.options.TakeOver(unix)
	return nil
}
