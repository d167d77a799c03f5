package notify

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// What comes while a message is on its way is not lost with it, and is sent only when somebody asked for it.
func TestWhatComesMeanwhile(t *testing.T) {
	for _, wanted := range []bool{true, false} {
		q := newQueue("room")
		q.put(message{key: "shop", kind: "paused"}, true)
		sent, _ := q.head()
		q.put(message{key: "shop", kind: "resumed"}, false)
		q.put(message{key: "shop", kind: "paused"}, wanted)
		q.settle(&sent, func(n *Numbers) { n.Sent++ })
		rest, some := q.head()
		if some != wanted || some && (rest.count != 2 || len(rest.kinds) != 2 || rest.wanted != 1) {
			t.Errorf("wanted %v: %v %+v", wanted, some, rest)
		}
	}
}

func TestFullQueueDropsTheOldest(t *testing.T) {
	q := newQueue("room")
	for i := range queueLongest + 3 {
		q.put(message{key: fmt.Sprint(i)}, true)
	}
	first, _ := q.head()
	if n := q.snapshot(); n.Dropped != 3 || n.Queued != queueLongest || first.key != "3" {
		t.Errorf("%+v, first %s", n, first.key)
	}
}

// Whatever happens in whatever order, everything that was asked for is told of, in a message that came no earlier.
func TestNothingWantedIsLost(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		q := newQueue("room")
		asked, told := map[string]int{}, map[string]int{}
		var flying *message
		for range 60 {
			switch key := fmt.Sprint(random.IntN(3)); random.IntN(4) {
			case 0, 1:
				wanted := random.IntN(2) == 0
				if wanted {
					asked[key]++
				}
				q.put(message{key: key}, wanted)
			case 2:
				if m, some := q.head(); some && flying == nil {
					flying = &m
				}
			default:
				if flying == nil {
					continue
				}
				if random.IntN(3) == 0 {
					q.failed(flying)
				} else {
					told[flying.key] += flying.wanted
					q.settle(flying, func(*Numbers) {})
				}
				flying = nil
			}
		}
		for m, some := q.head(); some; m, some = q.head() {
			told[m.key] += m.wanted
			q.settle(&m, func(*Numbers) {})
		}
		for key, n := range asked {
			if told[key] != n {
				t.Fatalf("%s: asked for %d, told of %d", key, n, told[key])
			}
		}
	}
}
