//go:build !unix

package cli

import "os"

// terminalSize is not known here.
func terminalSize(*os.File) (columns, rows int) { return 0, 0 }

// notifyResize never tells: the next drawing finds out.
func notifyResize() (resized <-chan os.Signal, stop func()) { return nil, func() {} }
