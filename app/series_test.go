package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// What clients send is no label: thousands of paths, methods, names, fields and user agents make no new series.
func TestClientsMakeNoSeries(t *testing.T) {
	t.Parallel()
	stable := newBackend(t, "v1")
	i := launch(t, preamble+fmt.Sprintf(`
services:
  shop:
    variants: {v1: {endpoints: [%q]}}
`, stable.address))
	client := newClient(t)
	series := func() map[string]bool {
		all := make(map[string]bool)
		for line := range strings.Lines(i.admin(t, "/metrics")) {
			if end := strings.LastIndexByte(line, ' '); end > 0 && strings.HasPrefix(line, "haldane_") {
				all[line[:end]] = true
			}
		}
		return all
	}
	send := func(from, to int) {
		for n := from; n < to; n++ {
			i.get(client, func(r *http.Request) {
				r.URL.Path, r.URL.RawQuery = fmt.Sprintf("/p%d", n), fmt.Sprintf("q%d=%d", n, n)
				r.Host = fmt.Sprintf("host%d.test", n)
				r.Method = fmt.Sprintf("METHOD%d", n)
				r.Header.Set(fmt.Sprintf("X-Field-%d", n), "x")
				r.Header.Set("User-Agent", fmt.Sprint("agent ", n))
				r.Header.Set("Cookie", fmt.Sprintf("c%d=%d", n, n))
			})
		}
	}
	send(0, 20) // one of each kind that there is
	before := series()
	send(20, 2000)
	for name := range series() {
		if !before[name] {
			t.Errorf("a new series: %s", name)
		}
	}
	t.Logf("%d series", len(before))
}
