package load

import (
	"crypto/tls"
	"net/netip"
	"time"

	"haldane/stats"
)

// Spec says what a crowd of clients sends.
type Spec struct {
	// Address is where it is sent.
	Address netip.AddrPort
	// Connections is how many there are; each has at most one request under way.
	Connections int
	// Requests are whole heads, up to the empty line, one of which is drawn for each request. With only one, a connection
	// sends the cookie back that its first answer sets.
	Requests [][]byte
	// Upload is how many bytes follow the head, which has to say so. Default: none.
	Upload int64
	// Echo makes the one request an opening handshake of a WebSocket, and every exchange after it a frame with so many bytes,
	// at most 125. Default: no WebSocket.
	Echo int
	// TLS is how the server is verified. Default: no TLS.
	TLS *tls.Config
	// Seed draws the times of an open load, and the requests.
	Seed uint64
}

// Phase is one piece of load.
type Phase struct {
	// Rate is the requests per second of an open load; zero is a closed one.
	Rate float64
	// Warm goes before, and is not counted.
	Warm time.Duration
	// Time is counted. Requests that were due in it are waited for afterwards, if not for long.
	Time time.Duration
	// Begin and End are called when the counted time begins and ends. Default: nothing is.
	Begin, End func()
}

// patience is how long answers are waited for when the time of an open load is over.
const patience = 2 * time.Second

// Result is what came of a phase.
type Result struct {
	// Sent is how many requests were due in the counted time (closed load: were sent).
	Sent int
	// Answered is how many of them had a good answer, and Failed how many another one or none: a lost connection, a status
	// other than 200, no answer before the patience ended.
	Answered, Failed int
	// Completed is how many good answers came between Begin and End, whenever they were due: what a cost is divided by.
	Completed int
	// Bytes is what came and went of bodies between Begin and End.
	Bytes int64
	// Elapsed is the time between Begin and End.
	Elapsed time.Duration
	// Latency has the good answers, and with the time until they were given up those that never came.
	Latency stats.Histogram
	// Late is how far the generator itself was behind its schedule, of all requests that found a free connection: where that
	// comes near the latencies, it measured itself.
	Late stats.Histogram
	// Origins is which variant answered, of all good answers.
	Origins map[string]int
	// Why is the first failure.
	Why string
}
