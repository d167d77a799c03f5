package admin

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// ringSize is how many events are kept for readers that come back.
const ringSize = 512

// frame is one event, ready to be written.
type frame struct {
	kind string
	data []byte // JSON, on one line
}

// hub keeps the latest events and wakes those who read them. A reader has a position and no buffer of its own, so that a
// slow one costs nothing: it is told how many events it has missed.
type hub struct {
	epoch string // of this process: positions of another one mean nothing here

	mu      sync.Mutex
	ring    []frame       // event n is at n % len(ring)
	next    uint64        // number of the next event
	changed chan struct{} // closed and replaced with every event
	readers int
	closed  bool
	done    chan struct{} // closed once by close
}

func newHub(size int) *hub {
	return &hub{
		epoch:   strconv.FormatInt(time.Now().UnixNano(), 36),
		ring:    make([]frame, size),
		changed: make(chan struct{}),
		done:    make(chan struct{}),
	}
}

// publish files an event.
func (h *hub) publish(f frame) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ring[h.next%uint64(len(h.ring))] = f
	h.next++
	close(h.changed)
	h.changed = make(chan struct{})
}

// batch is what a reader finds.
type batch struct {
	frames  []frame
	first   uint64          // number of frames[0], or of the next event when there are none
	lost    uint64          // events before first that are no longer there
	changed <-chan struct{} // closed when there is more
}

// read is the events from position on.
func (h *hub) read(position uint64) batch {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := batch{first: position, changed: h.changed}
	if size := uint64(len(h.ring)); h.next > size && position < h.next-size {
		b.first = h.next - size
		b.lost = b.first - position
	}
	for n := b.first; n < h.next; n++ {
		b.frames = append(b.frames, h.ring[n%uint64(len(h.ring))])
	}
	return b
}

// end is the position after the newest event.
func (h *hub) end() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.next
}

// id is what a client sends back to go on from position n.
func (h *hub) id(n uint64) string { return h.epoch + "-" + strconv.FormatUint(n, 10) }

// resume is the position of an id. ok is false when the id is not of this process.
func (h *hub) resume(id string) (position uint64, ok bool) {
	epoch, number, _ := strings.Cut(id, "-")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || epoch != h.epoch || n > h.end() {
		return 0, false
	}
	return n, true
}

// join lets a reader in unless there are too many, or the process stops.
func (h *hub) join() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.readers >= readersMost {
		return false
	}
	h.readers++
	return true
}

// watched says whether anybody reads.
func (h *hub) watched() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.readers > 0
}

// leave ends what join began.
func (h *hub) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readers--
}

// close ends every stream, and lets no reader in any more.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.done)
	}
}
