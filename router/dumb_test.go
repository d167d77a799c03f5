package router

import (
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"haldane/config"
)

// The dumb router does what the real one does, straight from the configuration, with loops and without any preparation.

// dumbMatch is the name of the service for a request: of all rules that fit, the one with the closest host, and among
// those the one with the closest path.
func dumbMatch(o Options, r *request) string {
	const exact = 1 << 30
	found, bestHost, bestPath := o.Default, -1, -1
	for name, s := range o.Services {
		rules := s.Match
		if len(rules) == 0 {
			rules = []config.Match{{}}
		}
		for _, rule := range rules {
			host, path := -1, -1
			end, wild := strings.CutPrefix(rule.Host, "*")
			switch {
			case rule.Host == "":
				host = 0
			case wild && strings.HasSuffix(string(r.host), end):
				host = len(end)
			case rule.Host == string(r.host):
				host = exact
			}
			switch {
			case rule.Path != "" && rule.Path == string(r.path):
				path = exact
			case rule.Path == "" && dumbBelow(rule.PathPrefix, string(r.path)):
				path = len(strings.TrimSuffix(rule.PathPrefix, "/"))
			}
			if host < 0 || path < 0 {
				continue
			}
			if host > bestHost || host == bestHost && path > bestPath {
				found, bestHost, bestPath = name, host, path
			}
		}
	}
	return found
}

func dumbBelow(prefix, path string) bool {
	prefix = strings.TrimSuffix(prefix, "/")
	return prefix == "" || path == prefix || strings.HasPrefix(path, prefix+"/")
}

// dumbAssignment is an assignment in names.
type dumbAssignment struct {
	Variant string
	Reason  Reason
	Stratum Stratum
	Refused bool
	Issue   bool
	HasUser bool
}

// dumbCase is everything that an assignment depends on.
type dumbCase struct {
	options Options
	service string
	request *request
	random  uint64
}

func (c dumbCase) assign() dumbAssignment {
	s, spec := c.options.Services[c.service], c.options.Splits[c.service]
	if spec.Override != "" {
		return dumbAssignment{Variant: spec.Override, Reason: ReasonOverride}
	}
	if spec.Stable == "" {
		spec.Stable = s.Stable
	}
	revoked := spec.Canary != "" && spec.Canary != spec.Stable && spec.Revocation.Revoked()
	if pinned := c.pinned(s); pinned != "" {
		if revoked && pinned == spec.Canary {
			return dumbAssignment{Variant: spec.Stable, Reason: ReasonPin, Refused: true}
		}
		return dumbAssignment{Variant: pinned, Reason: ReasonPin}
	}
	to := spec.Canary
	if to == "" || revoked {
		to = spec.Stable
	}
	out := c.drawn(spec, to)
	if revoked {
		out.Stratum = StratumNone
	}
	return out
}

// drawn is an assignment by segment or split; to is the variant that exposed requests get.
func (c dumbCase) drawn(spec SplitSpec, to string) dumbAssignment {
	s := c.options.Services[c.service]
	key, issue := c.key()
	out := dumbAssignment{Stratum: StratumSplit, Issue: issue, HasUser: key != "", Reason: ReasonSplit}
	if key != "" {
		out.Reason = ReasonSticky
	}
	segment := spec.Segment != "" && c.holds(spec.Segment, c.options.Segments[spec.Segment])
	early := spec.OptIn == "beta" && c.wants() != "ga" || spec.OptIn == "alpha" && c.wants() == "alpha"
	switch {
	case segment || early:
		out.Reason, out.Stratum = ReasonOptIn, StratumSegment
		if segment {
			out.Reason = ReasonSegment
		}
		out.Variant = spec.Stable
		if dumbInside(c.bits(1, key, c.service, spec.Rollout), spec.Strength) {
			out.Variant = to
		}
	case spec.Canary == "" && len(s.Split) > 0:
		out.Variant = dumbSplit(s.Split, c.bits(0, key, c.service, spec.Rollout))
	default:
		out.Variant = spec.Stable
		if dumbInside(c.bits(0, key, c.service, spec.Rollout), spec.Weight) {
			out.Variant = to
		}
	}
	return out
}

// wants is the level that the user of the request opted in at.
func (c dumbCase) wants() string {
	s := c.options.Services[c.service]
	if s.OptIn == nil {
		return "ga"
	}
	words := []string{c.read(config.Key{Query: s.OptIn.Query}), c.read(config.Key{Header: s.OptIn.Field}), c.read(config.Key{Cookie: s.OptIn.Cookie})}
	if s.Tenants != nil {
		words = append(words, s.OptIn.Tenants[c.read(config.Key{Header: s.Tenants.Header})])
	}
	for _, word := range append(words, "ga") {
		if slices.Contains([]string{"alpha", "beta", "ga"}, word) {
			return word
		}
	}
	return "ga"
}

// key is the user key, and whether it is only being issued.
func (c dumbCase) key() (string, bool) {
	sticky := c.options.Services[c.service].Sticky
	if sticky == nil {
		return "", false
	}
	if key := c.read(sticky.Key); key != "" {
		return key, false
	}
	if sticky.Issue {
		return string(AppendIssuedKey(nil, c.random)), true
	}
	return "", false
}

func (c dumbCase) read(k config.Key) string {
	value, _ := c.find(k)
	return value
}

func (c dumbCase) find(k config.Key) (string, bool) {
	var value []byte
	var ok bool
	switch {
	case k.Header != "":
		value, ok = c.request.Field(k.Header)
	case k.Cookie != "":
		value, ok = c.request.Cookie(k.Cookie)
	case k.Query != "":
		value, ok = c.request.Query(k.Query)
	case k.ClientAddress:
		return c.request.client.String(), true
	}
	return string(value), ok
}

// bits is the hash of the key under a seed and some names, or the random bits.
func (c dumbCase) bits(seed uint64, key string, parts ...string) uint64 {
	if key == "" {
		return c.random
	}
	d := xxhash.NewWithSeed(seed)
	_, _ = d.WriteString(strings.Join(parts, "\x00") + "\x00" + key)
	return d.Sum64()
}

// dumbInside says whether bits/2^64 < share, with the threshold rounded down.
func dumbInside(bits uint64, share config.Percent) bool {
	threshold := new(big.Int).Lsh(new(big.Int).SetUint64(uint64(share)), 64)
	threshold.Div(threshold, new(big.Int).SetUint64(uint64(config.Whole)))
	return new(big.Int).SetUint64(bits).Cmp(threshold) < 0
}

func dumbSplit(split map[string]config.Percent, bits uint64) string {
	var sum config.Percent
	for _, name := range names(split) {
		sum += split[name]
		if dumbInside(bits, sum) {
			return name
		}
	}
	panic("the split is not whole")
}

func (c dumbCase) pinned(s config.Service) string {
	for _, pin := range s.Pins {
		value, ok := c.find(config.Key{Header: pin.Header, Cookie: pin.Cookie, Query: pin.Query})
		_, names := s.Variants[value]
		switch {
		case !ok:
		case pin.Exact+pin.Prefix+pin.Regexp == "" && names:
			return value
		case pin.Exact != "" && value == pin.Exact,
			pin.Prefix != "" && strings.HasPrefix(value, pin.Prefix),
			pin.Regexp != "" && regexp.MustCompile(pin.Regexp).MatchString(value):
			return pin.Variant
		}
	}
	if s.Tenants == nil {
		return ""
	}
	return s.Tenants.Pins[c.read(config.Key{Header: s.Tenants.Header})]
}

func (c dumbCase) holds(segment string, p config.Predicate) bool {
	part := func(p config.Predicate) bool { return c.holds(segment, p) }
	switch {
	case p.All != nil:
		return !slices.ContainsFunc(p.All, func(p config.Predicate) bool { return !part(p) })
	case p.Any != nil:
		return slices.ContainsFunc(p.Any, part)
	case p.Not != nil:
		return !part(*p.Not)
	case p.Method != nil:
		return slices.Contains(p.Method, string(c.request.method))
	case p.Path != "":
		return string(c.request.path) == p.Path
	case p.PathPrefix != "":
		return dumbBelow(p.PathPrefix, string(c.request.path))
	case p.PathRegexp != "":
		return regexp.MustCompile(p.PathRegexp).Match(c.request.path)
	case p.Client != nil:
		return slices.ContainsFunc(p.Client, func(text string) bool {
			network, err := parseNetwork(text)
			return err == nil && network.Contains(c.request.client)
		})
	case p.Of != nil:
		key := c.read(*p.Of)
		sticky := c.options.Services[c.service].Sticky
		if key == "" && sticky != nil && sticky.Issue && sticky.Key == *p.Of {
			key, _ = c.key()
		}
		return key != "" && dumbInside(c.bits(2, key, segment), p.Percent)
	}
	return c.valueCounts(p)
}

func (c dumbCase) valueCounts(p config.Predicate) bool {
	value, ok := c.find(config.Key{Header: p.Header, Cookie: p.Cookie, Query: p.Query})
	switch {
	case !ok:
		return false
	case p.Exact != "":
		return value == p.Exact
	case p.Prefix != "":
		return strings.HasPrefix(value, p.Prefix)
	case p.Regexp != "":
		return regexp.MustCompile(p.Regexp).MatchString(value)
	case p.In != nil:
		return slices.Contains(p.In, value)
	case p.InFile != "":
		return slices.Contains(p.List, value)
	}
	return true
}
