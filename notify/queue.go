package notify

import (
	"slices"
	"sync"
	"time"
)

// queueLongest bounds the things that wait for one target. There is one for each rollout, so it is rarely reached.
const queueLongest = 100

// queue is what waits for one target, oldest first. It outlives the target's worker.
type queue struct {
	wake chan struct{} // has room for one

	mu      sync.Mutex
	list    []message // guarded by mu
	numbers Numbers   // guarded by mu
}

// Numbers are those of one target.
type Numbers struct {
	// Target is its name.
	Target string
	// Sent counts messages that were taken, Failed attempts that will be repeated.
	Sent, Failed uint64
	// Refused counts messages that the target will not have, Expired those that were given up, Dropped those for which
	// there was no room, or no time at the end of the process.
	Refused, Expired, Dropped uint64
	// Queued is how many wait.
	Queued int
	// LastSuccess is when one was taken last; zero for never.
	LastSuccess time.Time
}

func newQueue(name string) *queue {
	return &queue{wake: make(chan struct{}, 1), numbers: Numbers{Target: name}}
}

// put adds a message to those about the same thing, or to the end when wanted. It never blocks.
func (q *queue) put(m message, wanted bool) {
	m.count, m.kinds = 1, []string{m.kind}
	if wanted {
		m.wanted = 1
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := q.find(m.key); i >= 0 {
		q.list[i].merge(m)
		return
	}
	if !wanted {
		return
	}
	if len(q.list) >= queueLongest {
		q.list = slices.Delete(q.list, 0, 1)
		q.numbers.Dropped++
	}
	q.list = append(q.list, m)
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// find is where the message with a key is, or -1.
func (q *queue) find(key string) int {
	return slices.IndexFunc(q.list, func(m message) bool { return m.key == key })
}

// head is a copy of the oldest message.
func (q *queue) head() (message, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.list) == 0 {
		return message{}, false
	}
	return q.list[0], true
}

// settle takes a message away that is dealt with, but not what has come to it since it was copied, and counts it.
func (q *queue) settle(m *message, count func(*Numbers)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	count(&q.numbers)
	i := q.find(m.key)
	if i < 0 {
		return
	}
	rest, some := q.list[i].without(m)
	q.list = slices.Delete(q.list, i, i+1)
	if some { // others were first
		q.list = append(q.list, rest)
	}
}

// failed counts an attempt that will be repeated, after the others: what is wrong may be the message.
func (q *queue) failed(m *message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.numbers.Failed++
	if i := q.find(m.key); i >= 0 {
		again := q.list[i]
		q.list = append(slices.Delete(q.list, i, i+1), again)
	}
}

// snapshot is the numbers now.
func (q *queue) snapshot() Numbers {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.numbers
	n.Queued = len(q.list)
	return n
}
