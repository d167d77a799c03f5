package proxy

import (
	"cmp"
	"math"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"haldane/config"
)

// accessMode says which requests are logged.
type accessMode struct {
	failures bool   // answers of 500 and more, and whatever counts as failed
	share    uint64 // of the rest, as a share of 2^64
	all      bool   // of the rest
}

func newAccessMode(log config.Log) accessMode {
	switch log.Access {
	case "errors":
		return accessMode{failures: true}
	case "sampled":
		share, all := log.AccessSample.Fraction()
		return accessMode{failures: true, share: share, all: all}
	case "all":
		return accessMode{failures: true, all: true}
	}
	return accessMode{}
}

// wants says whether to log a request.
func (m accessMode) wants(failed bool) bool {
	if failed {
		return m.failures
	}
	return m.all || m.share > 0 && rand.Uint64() < m.share
}

// log writes the access log's line. Everything is copied: the request's memory is used again when it has ended.
func (x *exchange) log() {
	status := x.answered
	if status == 0 {
		status = x.status
	}
	if x.snapshot == nil || !x.snapshot.access.wants(x.booked.Failed() || status >= 500) {
		return
	}
	entry := x.server.access.Check(zap.InfoLevel, "request")
	if entry == nil {
		return
	}
	fields := make([]zap.Field, 0, 16)
	if x.service != nil {
		fields = append(fields, zap.String("service", x.service.name))
	}
	if x.variant != nil {
		fields = append(fields, zap.String("variant", cmp.Or(x.tried, x.variant).name), zap.Stringer("reason", x.assignment.Reason))
	}
	if x.failed != none {
		fields = append(fields, zap.String("error", x.failed.reply().what))
	}
	if x.tries.retries > 0 {
		fields = append(fields, zap.Int("retries", x.tries.retries))
	}
	if x.tries.rescued {
		fields = append(fields, zap.String("rescued_by", x.variant.name))
	}
	entry.Write(append(fields,
		zap.String("method", string(x.in.method)),
		zap.String("path", string(x.view.path)),
		zap.Int("status", status),
		zap.String("outcome", x.logged()),
		zap.Float64("duration_seconds", seconds(time.Since(x.arrived))),
		zap.Float64("first_byte_seconds", seconds(x.firstByte)),
		zap.Int64("bytes_in", x.body.count.Load()),
		zap.Int64("bytes_out", x.bytesOut),
		zap.Stringer("client", x.view.client),
		zap.String("request_id", string(x.requestID)),
	)...)
}

// logged is the word for the outcome in the access log: what was booked on the variant that was tried first. A request that never had a variant was
// rejected.
func (x *exchange) logged() string {
	if x.variant == nil {
		return "rejected"
	}
	return x.booked.String()
}

// seconds is a duration in seconds, to the microsecond.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1e6) / 1e6 }
