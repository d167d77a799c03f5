package balance

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"go.uber.org/goleak"

	"haldane/config"
	"haldane/proxy/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const percent = config.Whole / 100

// addresses are n addresses that nobody connects to.
func addresses(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("10.0.0.%d:80", i+1)
	}
	return all
}

// ejecting is a group of n endpoints that ejects after three failures for a second.
func ejecting(n int, share config.Percent) *Group {
	return New(Options{
		Endpoints: addresses(n),
		Ejection:  config.Ejection{Failures: 3, Time: config.Duration(time.Second), MaxShare: share},
	}, nil)
}

// refused is what the transport says of an endpoint that is down.
func refused() error {
	return &upstream.Error{Kind: upstream.KindConnect, Op: "connect", Err: errors.New("refused")}
}

// fail makes an endpoint fail n requests.
func fail(e *Endpoint, n int) {
	for range n {
		e.Report(refused(), 0)
	}
}

// draws counts n picks that are released at once.
func draws(g *Group, n int) map[*Endpoint]int {
	counts := make(map[*Endpoint]int)
	for range n {
		e := g.Pick(rand.Uint64(), nil)
		counts[e]++
		if e != nil {
			e.Release()
		}
	}
	return counts
}
