package demo

import (
	"os"
	"strings"
	"testing"
	"time"

	"haldane/config"
)

// The demo promotes the good version and rolls the bad one back, well within two minutes.
func TestDemo(t *testing.T) {
	if os.Getenv("HALDANE_RACED") != "" {
		t.Skip("done in the pass with the race detector")
	}
	share, err := config.ParsePercent("30%")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	started := time.Now()
	if err := Run(t.Context(), Options{Out: &out, Errors: share, Version: "test"}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log(out.String())
	if took := time.Since(started); took > 100*time.Second {
		t.Errorf("the demo took %v", took)
	}
	for _, want := range []string{"v2 promoted", "v3 rolled back by itself", "needed 1 in 200", "/metrics", "/ui/"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not say %q:\n%s", want, out.String())
		}
	}
}
