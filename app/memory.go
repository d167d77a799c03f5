package app

import (
	"context"
	"io/fs"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const (
	// memoryPart of the limit of the control group is for Go, when GOMEMLIMIT says nothing else. The rest is for what Go
	// does not count: the buffers of the kernel, the map of the state file.
	memoryPart = 0.9
	// memoryEvery is how often the memory is looked at: a burst of clients must not fill it in between.
	memoryEvery = 100 * time.Millisecond
	// collectEvery is how often garbage is collected while memory is short: what is in use is known only after that.
	collectEvery = time.Second
)

// marks are the shares of a limit at which new requests are turned away, and taken again.
type marks struct{ shed, resume float64 }

// shedder is who turns requests away. *proxy.Server is one.
type shedder interface {
	Shed()
	Resume()
}

// memory turns requests away before the process runs out of memory.
type memory struct {
	logger  *zap.Logger
	clients shedder
	group   cgroup
	limit   int64 // of Go
	own     bool  // the limit is set by us, from that of the group

	short     atomic.Bool
	collected time.Time
	samples   []metrics.Sample
}

// newMemory finds out what the limits are. Without any there is nothing to be watched, and the result is nil.
func newMemory(root fs.FS, clients shedder, logger *zap.Logger) *memory {
	m := &memory{logger: logger, clients: clients, group: findCgroup(root), limit: debug.SetMemoryLimit(-1)}
	if m.limit == math.MaxInt64 {
		if m.group.limit == 0 {
			return nil
		}
		m.limit, m.own = int64(memoryPart*float64(m.group.limit)), true
	}
	for _, name := range []string{
		"/memory/classes/total:bytes", "/memory/classes/heap/released:bytes",
		"/memory/classes/heap/objects:bytes", "/memory/classes/heap/free:bytes", "/memory/classes/heap/unused:bytes",
		"/gc/heap/live:bytes",
	} {
		m.samples = append(m.samples, metrics.Sample{Name: name})
	}
	return m
}

// run watches until the context ends.
func (m *memory) run(ctx context.Context) error {
	if m == nil {
		return nil
	}
	if m.own {
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(m.limit))
	}
	m.logger.Info("memory is limited", zap.Int64("bytes", m.limit), zap.Int64("control_group", m.group.limit))
	ticker := time.NewTicker(memoryEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			m.look()
		}
	}
}

// look decides whether memory is short.
func (m *memory) look() {
	was := m.short.Load()
	if was && time.Since(m.collected) >= collectEvery {
		runtime.GC()
		m.collected = time.Now()
	}
	// Beyond the first mark Go would spend more and more of its time on collecting less and less garbage.
	inUse := m.inUse()
	short := m.over(inUse, m.limit, marks{shed: 0.85, resume: 0.75})
	if held, known := m.group.used(); known {
		short = short || m.over(held, m.group.limit, marks{shed: 0.95, resume: 0.88})
	}
	m.short.Store(short)
	switch {
	case short:
		if !was {
			m.logger.Warn("memory is short: new requests are answered 503", zap.Int64("in_use", inUse), zap.Int64("limit", m.limit))
		}
		m.clients.Shed()
	case was:
		m.logger.Info("there is memory again", zap.Int64("in_use", inUse), zap.Int64("limit", m.limit))
		m.clients.Resume()
	}
}

// over says whether so much of a limit is used that memory is short, or that it goes on being short.
func (m *memory) over(used, limit int64, at marks) bool {
	share := at.shed
	if m.short.Load() {
		share = at.resume
	}
	return float64(used) > share*float64(limit)
}

// inUse is what of the memory that Go counts against its limit would be left after a collection, as far as is known: garbage may
// fill all of the limit and mean nothing.
func (m *memory) inUse() int64 {
	metrics.Read(m.samples)
	value := func(i int) int64 { return int64(min(m.samples[i].Value.Uint64(), math.MaxInt64)) }
	total, released, objects, free, unused, live := value(0), value(1), value(2), value(3), value(4), value(5)
	return total - released - objects - free - unused + live
}
