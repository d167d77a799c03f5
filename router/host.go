package router

import (
	"hash/maphash"
	"math"
	"math/bits"
	"strings"
)

// host is one host with its rules. It fills one cache line, and leads to the service without another: with thousands of hosts the
// time of a match is that of waiting for memory. Only the text, which is compared, is elsewhere, and nothing waits for that.
type host struct {
	hash     uint32
	root     int32                   // the service of all other paths, or absent
	services [fewPrefixes]int32      // of the prefixes
	text     string                  // the name and behind it the prefixes, the longest first; empty for no host
	ends     [fewPrefixes + 1]uint16 // where the name ends in it, and where the prefixes do, or 0
	others   *paths                  // all rules of a host that has others than a few prefixes; nil without them
}

// find is the index of the service, or absent.
func (h *host) find(path []byte) int {
	if h.others != nil {
		return h.others.find(path)
	}
	from := h.ends[0]
	for i, end := range h.ends[1:] {
		if end == 0 {
			break
		}
		if covers(h.text[from:end], path) {
			return int(h.services[i])
		}
		from = end
	}
	return int(h.root)
}

// hostTable finds a host by its name: a hash table with linear probing (Knuth, volume 3, section 6.4), at most half full. Who
// asks for hosts that do not exist cannot make it slow: only the operator adds any, and the hash is seeded at random.
type hostTable struct {
	seed    maphash.Seed
	hosts   []host // a power of two of them
	longest int    // the longest name: none that is longer needs a look
}

func (t *hostTable) find(name []byte) *host {
	if len(name) > t.longest {
		return nil
	}
	hash, last := maphash.Bytes(t.seed, name), len(t.hosts)-1
	for i := int(hash) & last; ; i = (i + 1) & last {
		h := &t.hosts[i]
		if h.text == "" {
			return nil
		}
		if end := int(h.ends[0]); h.hash == uint32(hash>>32) && end == len(name) && h.text[:end] == string(name) {
			return h
		}
	}
}

// newHostTable enters all hosts. Their texts stand one behind the other.
func newHostTable(rules map[string]*paths) hostTable {
	t := hostTable{seed: maphash.MakeSeed(), hosts: make([]host, 1<<bits.Len(uint(2*len(rules))))}
	ordered := names(rules)
	var texts strings.Builder
	for _, name := range ordered {
		texts.WriteString(name)
		for _, p := range rules[name].few {
			texts.WriteString(p.path)
		}
	}
	rest := texts.String()
	for _, name := range ordered {
		hash, last := maphash.String(t.seed, name), len(t.hosts)-1
		i := int(hash) & last
		for t.hosts[i].text != "" {
			i = (i + 1) & last
		}
		h := newHost(rules[name], rest, len(name))
		h.hash, rest = uint32(hash>>32), rest[len(h.text):]
		t.hosts[i], t.longest = h, max(t.longest, len(name))
	}
	return t
}

// newHost makes a host of its rules. The texts begin with its own, and that with so long a name.
func newHost(rules *paths, texts string, name int) host {
	h, end := host{root: int32(rules.root)}, name
	h.ends[0] = uint16(name)
	for i, p := range rules.few {
		end += len(p.path)
		h.services[i], h.ends[i+1] = int32(p.service), uint16(end)
	}
	h.text = texts[:end]
	if rules.exact != nil || rules.byPrefix != nil || end > math.MaxUint16 {
		h.others = rules
	}
	return h
}
