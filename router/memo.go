package router

import (
	"fmt"
	"hash/maphash"
	"regexp"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	// memoShards is the number of locks, and memoShardSize the number of answers behind each of them.
	memoShards    = 16
	memoShardSize = 512
	// memoValue bounds the length of a remembered value. With it the memo of a table never holds more than 2 MiB of what
	// clients sent; longer values are matched each time.
	memoValue = 256
)

// expression is a regular expression that remembers its answers.
type expression struct {
	compiled *regexp.Regexp
	memo     *memo
}

func (e *expression) matches(value []byte) bool { return e.memo.matches(e, value) }

// memo remembers what regular expressions answered to the values seen last.
//
// It never changes an answer. What a regular expression says depends on the value alone, so a remembered answer cannot
// grow old; and an answer is only used after expression and value were compared in full, so two values with the same
// hash are two values. Where the comparison fails the expression is asked, as if there were no memo.
//
// The key is a hash and not the value itself because looking up a string would have to make one out of the bytes. The
// hash is seeded at random: a client cannot make up values that fall into one place.
//
// Reading an LRU moves an element to its front, which takes a lock. The shards keep requests with different values from
// waiting for each other; those with the same value take turns, for the time of one look-up in a map.
type memo struct {
	seed   maphash.Seed
	shards [memoShards]*lru.Cache[memoKey, memoAnswer]
}

// memoKey is where an answer is kept.
type memoKey struct {
	expression *expression
	hash       uint64
}

// memoAnswer is an answer, with the value that it was given to.
type memoAnswer struct {
	value   string
	matches bool
}

func newMemo() (*memo, error) {
	m := &memo{seed: maphash.MakeSeed()}
	for i := range m.shards {
		shard, err := lru.New[memoKey, memoAnswer](memoShardSize)
		if err != nil {
			return nil, fmt.Errorf("make the memo of regular expressions: %w", err)
		}
		m.shards[i] = shard
	}
	return m, nil
}

func (m *memo) matches(e *expression, value []byte) bool {
	if len(value) > memoValue {
		return e.compiled.Match(value)
	}
	key := memoKey{e, maphash.Bytes(m.seed, value)}
	shard := m.shards[key.hash%memoShards]
	if known, ok := shard.Get(key); ok && known.value == string(value) {
		return known.matches
	}
	answer := memoAnswer{value: string(value), matches: e.compiled.Match(value)}
	shard.Add(key, answer)
	return answer.matches
}
