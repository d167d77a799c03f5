package app

import (
	"os"
	"runtime"
)

// spareThreads is how many threads more than usual run Go code during a reload: one for the reload and one for the collector of its
// garbage.
const spareThreads = 2

// spare gives the process more threads to run on than it has cores, until the function is called that it returns. A reload of
// thousands of services computes for seconds. Go lets it, and the collector, run for 10 ms and more before it looks at the network
// again; on a single core, requests wait that long again and again. With threads to spare there is always one that waits for the
// network, and the kernel lets it run as soon as something comes. Ten thousand services, one core, 6,200 requests/s: their
// median during a reload was 334 ms without and 1.3 ms with it, the 99th percentile 1,065 and 38 ms.
func spare() (back func()) {
	usual := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(usual + spareThreads)
	return func() {
		if os.Getenv("GOMAXPROCS") == "" {
			runtime.SetDefaultGOMAXPROCS() // follows the limit of the control group again
			return
		}
		runtime.GOMAXPROCS(usual)
	}
}
