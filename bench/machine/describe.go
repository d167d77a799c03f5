package machine

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Describe says in words what machine this is.
func Describe() string {
	model := "unknown processor"
	cores := 0
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(line, ":")
			if strings.TrimSpace(name) == "model name" {
				model, cores = strings.TrimSpace(value), cores+1
			}
		}
	}
	kernel := "unknown"
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel = strings.TrimSpace(string(text))
	}
	return fmt.Sprintf("%d x %s, Linux %s, %s", cores, model, kernel, runtime.Version())
}
