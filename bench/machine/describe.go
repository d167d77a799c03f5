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
	return fmt.Sprintf("%d x %s, Linux %s (TCP with %s), %s", cores, model, setting("kernel/osrelease"),
		setting("net/ipv4/tcp_congestion_control"), runtime.Version())
}

// setting is one of the system's (sysctl(8)).
func setting(name string) string {
	text, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}
