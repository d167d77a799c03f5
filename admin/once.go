package admin

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// keyField is the field that makes an order be carried out once, however often it is sent (draft-ietf-httpapi-idempotency-key-header).
	keyField = "Idempotency-Key"
	// replayedField says that an answer was given before.
	replayedField = "Idempotency-Replayed"
	// keyLongest bounds a key.
	keyLongest = 200
	// keptFor is how long an answer is kept.
	keptFor = 24 * time.Hour
	// keptMost and keptBytes bound how many are, and how large they are together.
	keptMost  = 1000
	keptBytes = 16 << 20
)

// checkKey refuses a key that is too long, or not text of one line.
func checkKey(key string) *problem {
	if len(key) > keyLongest || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return refuse(http.StatusBadRequest, "%s: at most %d visible ASCII characters", keyField, keyLongest)
	}
	return nil
}

// once keeps the answers to orders that have a key. Whatever went wrong on our side is not kept: then nothing was done, and another
// attempt may work. Nothing of it outlives the process.
type once struct {
	mu    sync.Mutex
	kept  *lru.LRU[string, *kept] // guarded by mu, as is bytes
	bytes int
}

// kept is an order and its answer.
type kept struct {
	order [sha256.Size]byte
	since time.Time
	done  chan struct{} // closed when there is an answer, or none will come

	// What follows is set before done is closed.
	good   bool // the answer stands
	status int
	header http.Header
	body   []byte
}

func newOnce() *once {
	o := &once{}
	list, err := lru.NewLRU(keptMost, func(_ string, k *kept) { o.bytes -= len(k.body) })
	if err != nil {
		panic(err) // keptMost is above zero
	}
	o.kept = list
	return o
}

// wrap makes a handler of orders answer the same to the same key.
func (o *once) wrap(handle func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		key := r.Header.Get(keyField)
		if key == "" {
			return handle(w, r)
		}
		if p := checkKey(key); p != nil {
			return p
		}
		order, err := fingerprint(r)
		if err != nil {
			return err
		}
		for {
			k, first := o.enter(key, order, time.Now())
			switch {
			case k.order != order:
				return refuse(http.StatusUnprocessableEntity, "%s: this key was sent with another order; every order has a key of its own", keyField)
			case first:
				return o.carryOut(k, key, w, r, handle)
			}
			select {
			case <-k.done:
			case <-r.Context().Done():
				return nil // nobody is there to be told
			}
			if k.good {
				k.replay(w)
				return nil
			}
		}
	}
}

// enter finds what is kept under a key, or keeps the order.
func (o *once) enter(key string, order [sha256.Size]byte, now time.Time) (k *kept, first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if k, known := o.kept.Get(key); known && now.Sub(k.since) < keptFor {
		return k, false
	}
	o.kept.Remove(key) // so that its bytes are given back
	k = &kept{order: order, since: now, done: make(chan struct{})}
	o.kept.Add(key, k)
	return k, true
}

// carryOut carries an order out and keeps the answer.
func (o *once) carryOut(k *kept, key string, w http.ResponseWriter, r *http.Request, handle func(http.ResponseWriter, *http.Request) error) error {
	out := &copying{ResponseWriter: w, status: http.StatusOK}
	defer o.leave(k, key, out) // also after a panic
	err := handle(out, r)
	if err == nil {
		out.complete = r.Context().Err() == nil || out.body.Len() > 0
		return nil
	}
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		return err
	}
	writeProblem(out, r, p)
	out.complete = true
	return nil
}

// leave keeps the answer, or forgets the order. Whoever waits for it goes on.
func (o *once) leave(k *kept, key string, out *copying) {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer close(k.done)
	now, still := o.kept.Peek(key)
	still = still && now == k
	if !out.complete {
		if still {
			o.kept.Remove(key)
		}
		return
	}
	k.good, k.status, k.header, k.body = true, out.status, out.Header().Clone(), out.body.Bytes()
	if !still {
		return
	}
	o.bytes += len(k.body)
	for o.bytes > keptBytes && o.kept.Len() > 1 {
		o.kept.RemoveOldest()
	}
}

// replay gives the answer again.
func (k *kept) replay(w http.ResponseWriter) {
	for name, values := range k.header {
		w.Header()[name] = values
	}
	w.Header().Set(replayedField, "true")
	w.WriteHeader(k.status)
	_, _ = w.Write(k.body) //nolint:gosec // the answer that was given before, with its type; the client may have gone
}

// copying is an answer of which a copy is kept.
type copying struct {
	http.ResponseWriter
	status   int
	body     bytes.Buffer
	complete bool
}

// Unwrap lets a handler set its own time limits.
func (c *copying) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader keeps the status.
func (c *copying) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

// Write keeps the body.
func (c *copying) Write(p []byte) (int, error) {
	c.body.Write(p)
	return c.ResponseWriter.Write(p)
}

// fingerprint is what makes an order the same: its path, its condition and its body. The body can be read once more.
func fingerprint(r *http.Request) (sum [sha256.Size]byte, err error) {
	body, err := readBody(r)
	if err != nil {
		return sum, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	text := strings.Join([]string{r.Method, r.URL.Path, r.Header.Get("If-Match"), ""}, "\n")
	return sha256.Sum256(append([]byte(text), body...)), nil
}
