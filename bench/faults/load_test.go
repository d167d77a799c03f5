package faults

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// shot is one request of a load and what came of it.
type shot struct {
	id      string
	method  string
	at      time.Time // when it was sent
	took    time.Duration
	dialled bool   // whether there was a connection at all
	reused  bool   // on a connection that had served before
	status  int    // zero without a whole answer
	why     string // what Haldane says of an answer of its own
	err     error  // of the connection
	wrong   bool   // another answer than was due
}

// good says whether the client got what it asked for.
func (s shot) good() bool { return s.err == nil && s.status == http.StatusOK && !s.wrong }

// saw is what the client saw, in words.
func (s shot) saw() string {
	switch {
	case s.err != nil && !s.dialled:
		return "no connection"
	case s.err != nil && s.reused:
		return "cut on a kept connection"
	case s.err != nil:
		return "cut"
	case s.wrong:
		return "a wrong answer"
	}
	return strings.TrimSpace(fmt.Sprint(s.status, " ", s.why))
}

// aim says what the n-th request is: method, and path with query.
type aim func(n int) (method, path string)

// mixed is four GETs to one POST.
func mixed(n int) (method, path string) {
	if n%5 == 4 {
		return http.MethodPost, "/"
	}
	return http.MethodGet, "/"
}

// load sends requests at a steady rate, in the open: an answer that takes long delays no other request. It uses connections
// of its own, kept from one request to the next, and never tries anything twice.
type load struct {
	address string
	name    string // the beginning of its ids
	aim     aim
	cancel  context.CancelFunc
	group   sync.WaitGroup
	idle    chan *link

	mu    sync.Mutex
	shots []shot
}

// link is a kept connection.
type link struct {
	conn   net.Conn
	reader *bufio.Reader
	served int
}

// startLoad sends so many requests a second until stop.
func startLoad(t *testing.T, address string, rate int, aim aim) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{address: address, name: strconv.FormatInt(time.Now().UnixNano(), 36), aim: aim, cancel: cancel, idle: make(chan *link, 1024)}
	l.group.Go(func() {
		ticker := time.NewTicker(time.Second / time.Duration(rate))
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				l.group.Go(func() { l.fire(n) })
			}
		}
	})
	t.Cleanup(func() { l.stop() })
	return l
}

// stop ends the load, waits for what is under way and closes the connections.
func (l *load) stop() report {
	l.cancel()
	l.group.Wait()
	for {
		select {
		case kept := <-l.idle:
			_ = kept.conn.Close()
		default:
			l.mu.Lock()
			defer l.mu.Unlock()
			slices.SortFunc(l.shots, func(a, b shot) int { return a.at.Compare(b.at) })
			return report{l.shots}
		}
	}
}

// fire sends the n-th request.
func (l *load) fire(n int) {
	s := shot{id: fmt.Sprintf("%s-%d", l.name, n), at: time.Now()}
	var path string
	s.method, path = l.aim(n)
	kept, err := l.connect()
	if err == nil {
		s.dialled, s.reused = true, kept.served > 0
		err = l.exchange(kept, &s, path)
	}
	s.err, s.took = err, time.Since(s.at)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shots = append(l.shots, s)
}

func (l *load) connect() (*link, error) {
	select {
	case kept := <-l.idle:
		return kept, nil
	default:
	}
	conn, err := net.DialTimeout("tcp", l.address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &link{conn: conn, reader: bufio.NewReader(conn)}, nil
}

// errAnnounced is the end of a connection that the other side has announced.
var errAnnounced = errors.New("closed, as announced")

// exchange sends a request and reads its answer. The connection is kept when nothing speaks against it.
func (l *load) exchange(kept *link, s *shot, path string) error {
	err := kept.converse(s, path)
	if err != nil {
		_ = kept.conn.Close()
		if errors.Is(err, errAnnounced) {
			return nil
		}
		return err
	}
	kept.served++
	select {
	case l.idle <- kept:
	default:
		_ = kept.conn.Close()
	}
	return nil
}

func (k *link) converse(s *shot, path string) error {
	if err := k.conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	body := ""
	if s.method == http.MethodPost {
		body = strings.Repeat("x", 1000)
	}
	_, err := fmt.Fprintf(k.conn, "%s %s HTTP/1.1\r\nHost: a.test\r\nX-Id: %s\r\nContent-Length: %d\r\n\r\n%s", s.method, path, s.id, len(body), body)
	if err != nil {
		return err
	}
	response, err := http.ReadResponse(k.reader, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	s.status, s.why = response.StatusCode, response.Header.Get("Haldane-Error")
	s.wrong = s.status == http.StatusOK && string(got) != fmt.Sprintf("%s %d\n", s.id, len(body))
	if response.Close {
		return errAnnounced
	}
	return nil
}

// report is what became of a load.
type report struct{ shots []shot }

// bad are the requests whose clients did not get what they asked for.
func (r report) bad() []shot {
	return slices.DeleteFunc(slices.Clone(r.shots), shot.good)
}

// of are the requests for which something holds.
func (r report) of(holds func(shot) bool) []shot {
	return slices.DeleteFunc(slices.Clone(r.shots), func(s shot) bool { return !holds(s) })
}

// saw counts what clients saw, good answers apart.
func (r report) saw() string {
	counts := make(map[string]int)
	for _, s := range r.bad() {
		counts[s.saw()]++
	}
	var words []string
	for what, n := range counts {
		words = append(words, fmt.Sprintf("%d x %s", n, what))
	}
	slices.Sort(words)
	if words == nil {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

// recovered is how long after a moment the last bad request was sent; zero when none was.
func (r report) recovered(since time.Time) time.Duration {
	bad := r.bad()
	if len(bad) == 0 {
		return 0
	}
	return max(0, bad[len(bad)-1].at.Sub(since))
}

// slowest is a quantile of the time that good answers took.
func (r report) slowest(quantile float64) time.Duration {
	var all []time.Duration
	for _, s := range r.shots {
		if s.good() {
			all = append(all, s.took)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)-1, int(quantile*float64(len(all))))]
}
