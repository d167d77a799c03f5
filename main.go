// Haldane is a reverse proxy that releases software: it splits live traffic between two versions of a service, watches
// every request of both, and moves the weight up, or back to zero, by itself.
package main

import (
	"os"

	"haldane/cli"
)

func main() {
	os.Exit(cli.Main())
}
