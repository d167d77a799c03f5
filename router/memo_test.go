package router

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"haldane/config"
)

// newExpression compiles one regular expression.
func newExpression(t testing.TB, text string) *expression {
	t.Helper()
	m, err := (&compiler{}).regexp(text)
	if err != nil {
		t.Fatal(err)
	}
	return m.(*expression)
}

func (m *memo) len() int {
	n := 0
	for _, shard := range m.shards {
		n += shard.Len()
	}
	return n
}

// TestMemoIsBounded sends more values than it holds, and longer ones than it keeps.
func TestMemoIsBounded(t *testing.T) {
	e := newExpression(t, "7$")
	for range 2 {
		for i := range 2 * memoShards * memoShardSize {
			if value := fmt.Sprint(i); e.matches([]byte(value)) != strings.HasSuffix(value, "7") {
				t.Fatalf("wrong answer for %s", value)
			}
		}
	}
	if n := e.memo.len(); n != memoShards*memoShardSize {
		t.Errorf("the memo holds %d answers", n)
	}
	small := newExpression(t, "7$")
	for i, size := range []int{memoValue, memoValue + 1, 1 << 20} {
		value := []byte(strings.Repeat("x", size-1) + "7")
		if !small.matches(value) || !small.matches(value) {
			t.Errorf("wrong answer for %d bytes", size)
		}
		if n := small.memo.len(); n != 1 {
			t.Errorf("after %d long values the memo holds %d", i+1, n)
		}
	}
}

// TestMemoDoesNotKeepTheRequest changes the bytes behind a value, as the next request on a connection does.
func TestMemoDoesNotKeepTheRequest(t *testing.T) {
	e := newExpression(t, "^beta$")
	buffer := []byte("beta")
	if !e.matches(buffer) {
		t.Fatal("beta does not match")
	}
	copy(buffer, "xxxx")
	if e.matches(buffer) || !e.matches([]byte("beta")) {
		t.Error("the memo remembers the buffer and not the value")
	}
}

// TestCollisionsDoNotChangeAnswers puts a wrong value where an answer is looked for, as if both had the same hash.
func TestCollisionsDoNotChangeAnswers(t *testing.T) {
	e := newExpression(t, "^beta$")
	e.matches([]byte("beta"))
	for _, shard := range e.memo.shards {
		for _, key := range shard.Keys() {
			shard.Add(key, memoAnswer{value: "other", matches: false})
		}
	}
	if !e.matches([]byte("beta")) {
		t.Error("the answer to another value was used")
	}
}

// TestExpressionsShareAMemo gives the same values to several expressions of one table, in any order, from many goroutines.
func TestExpressionsShareAMemo(t *testing.T) {
	c := &compiler{}
	var all []matcher
	for i := range 10 {
		m, err := c.regexp(fmt.Sprintf("^%d", i))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	if again, _ := c.regexp("^3"); again != all[3] {
		t.Error("the same text was compiled twice")
	}
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for i := range 4000 {
				value := fmt.Sprint((i*7 + g) % 1000)
				for digit, m := range all {
					if want := value[0] == byte('0'+digit); m.matches([]byte(value)) != want {
						t.Errorf("expression ^%d and %s: want %v", digit, value, want)
						return
					}
				}
			}
		})
	}
	group.Wait()
}

// TestTablesShareExpressions changes a split: the memo goes on.
func TestTablesShareExpressions(t *testing.T) {
	s := shop()
	s.Pins = []config.Pin{{Header: "X-Beta", Regexp: "^y", Variant: "v2"}}
	table := build(t, Options{Services: map[string]config.Service{"shop": s}})
	changed := with(t, table, map[string]SplitSpec{"shop": {Stable: "v2"}})
	if table.services[0] == changed.services[0] || table.services[0].pins.first.matcher != changed.services[0].pins.first.matcher {
		t.Error("a change of the split forgets what regular expressions answered")
	}
}
