package proxy

// Shedding: when memory is short, what is under way is finished and nothing is added to it. It is decided elsewhere; here an
// atomic flag is looked at where the limits of services are, and for each new connection.

// Shed turns new requests and new connections away with 503 from now on, and closes connections that are idle, because memory
// is short. Requests under way and tunnels go on. It may be called again: each time idle connections are closed.
func (s *Server) Shed() {
	s.shedding.Store(true)
	s.conns.each((*clientConn).dismiss)
}

// Resume ends what Shed began.
func (s *Server) Resume() { s.shedding.Store(false) }
