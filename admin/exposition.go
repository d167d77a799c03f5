package admin

import (
	"bufio"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/zap"
)

// expositionBuffer is how much of the metrics is written at once.
const expositionBuffer = 64 << 10

// metrics is the Prometheus exposition, in the format that is asked for: one metric after the other, since all of them at once are hundreds of
// megabytes where there are many services.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	process, err := s.options.Gatherer.Gather()
	if err != nil { // one that is broken must not hide the others
		s.options.Logger.Error("some metrics are missing", zap.Error(err))
	}
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	fields := w.Header()
	fields.Set("Content-Type", string(format))
	fields.Add("Vary", "Accept")
	fields.Add("Vary", "Accept-Encoding")
	var out io.Writer = &collected{ResponseWriter: w}
	var zipped *gzip.Writer
	if takesGzip(r.Header) {
		fields.Set("Content-Encoding", "gzip")
		zipped, _ = gzip.NewWriterLevel(out, gzip.BestSpeed) // an error says that there is no such level
		out = zipped
	}
	buffered := bufio.NewWriterSize(out, expositionBuffer)
	e := &exposition{encoder: expfmt.NewEncoder(buffered, format), wanted: r.URL.Query()["name[]"]}
	for _, f := range process {
		e.show(f)
	}
	s.options.Families(e.show)
	e.end()
	if e.err == nil {
		e.err = buffered.Flush()
	}
	if zipped != nil && e.err == nil {
		e.err = zipped.Close()
	}
	if e.err != nil {
		s.options.Logger.Error("the metrics were not sent", zap.Error(e.err))
	}
}

// takesGzip says whether an answer may be compressed (RFC 9110 section 12.5.3).
func takesGzip(fields http.Header) bool {
	for _, line := range fields.Values("Accept-Encoding") {
		for one := range strings.SplitSeq(line, ",") {
			coding, weight, _ := strings.Cut(one, ";")
			_, q, _ := strings.Cut(weight, "=")
			refused := strings.TrimSpace(q) != "" && strings.Trim(q, " 0.") == ""
			if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
				return !refused
			}
		}
	}
	return false
}

// exposition is an answer that is under way.
type exposition struct {
	encoder expfmt.Encoder
	wanted  []string // names of metrics; empty for all
	err     error
}

// show writes a metric with all its series, and says whether there is use in another one.
func (e *exposition) show(f *dto.MetricFamily) bool {
	if e.err == nil && (len(e.wanted) == 0 || slices.Contains(e.wanted, f.GetName())) {
		e.err = e.encoder.Encode(f)
	}
	return e.err == nil
}

// end writes what a format ends with.
func (e *exposition) end() {
	if closer, ok := e.encoder.(expfmt.Closer); ok && e.err == nil {
		e.err = closer.Close()
	}
}

// collected is an answer whose time to be written counts from its first byte: before that the client has nothing to do with what it takes,
// and where there are many services on a busy machine it takes long.
type collected struct {
	http.ResponseWriter
	begun bool
}

// Write implements io.Writer.
func (c *collected) Write(text []byte) (int, error) {
	if !c.begun {
		c.begun = true
		// An error says that there are no deadlines, as in a test without a connection: then none runs out.
		_ = http.NewResponseController(c.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTimeout))
	}
	return c.ResponseWriter.Write(text)
}
