package rollout

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"haldane/config"
)

// Of many who order on the same state at the same time, one is obeyed: whoever comes after it is told that the state has changed.
func TestOneOrderPerRevision(t *testing.T) {
	r := newRig(t)
	r.configure(quickSpec("shop", 5*onePercent))
	for range 20 {
		seen, _ := r.View("shop")
		var group sync.WaitGroup
		var obeyed atomic.Int32
		for weight := range 4 {
			group.Go(func() {
				_, err := r.Do("shop", Command{Kind: CommandSetWeight, Weight: config.Percent(weight+1) * onePercent, IfRevision: seen.Revision})
				switch {
				case err == nil:
					obeyed.Add(1)
				case !errors.Is(err, ErrChanged):
					t.Error(err)
				}
			})
		}
		group.Wait()
		if obeyed.Load() != 1 {
			t.Fatalf("%d orders were obeyed", obeyed.Load())
		}
	}
}
