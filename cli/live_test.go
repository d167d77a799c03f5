package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/admin"
	"haldane/config"
)

func TestMeasured(t *testing.T) {
	look := func(requests, failed, canary uint64) *serviceList {
		return &serviceList{Services: []admin.Service{
			{Name: "shop", Stable: "v1", Variants: []admin.Variant{{Name: "v1", Requests: requests, Failed: failed}, {Name: "v2", Requests: canary}}},
			{Name: "new", Stable: "v1", Variants: []admin.Variant{{Name: "v1"}}},
		}}
	}
	got := measured(look(1000, 1, 50), look(1900, 19, 150), 10*time.Second)
	want := map[string]traffic{"shop": {100, 0.01}, "new": {}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(traffic{})); diff != "" {
		t.Error(diff)
	}
	if got := measured(look(1000, 0, 0), look(10, 0, 0), time.Second); got["shop"].rate != 0 {
		t.Errorf("after a restart: %+v", got)
	}
	var f forecast
	c, err := config.Parse("x.yaml", []byte(releasing), nil)
	if err != nil {
		t.Fatal(err)
	}
	list := f.ofLive(c, want)
	if len(list) != 3 || list[0].Services[0] != "cart" || len(list[0].Rates[0].Stages) != 0 || list[1].Rates[0].PerSecond != 100 || list[1].Rates[0].StableErrors != 0.01 {
		t.Errorf("%+v", list)
	}
}

// A running process is asked; one without traffic gets a forecast that says so.
func TestCheckFromLive(t *testing.T) {
	socket, _ := start(t, &fake{})
	inFolder(t, "haldane.yaml", releasing)
	got := invoke(t, "check", "haldane.yaml", "--from-live", "--over", "1ms", "--socket", socket)
	if got.code != exitOK || strings.Count(got.stdout, "nothing: there is no traffic") != 3 {
		t.Errorf("%+v", got)
	}
	got = invoke(t, "check", "haldane.yaml", "--from-live", "--over", "1ms", "--socket", socket+".none")
	if got.code != exitFailed {
		t.Errorf("%+v", got)
	}
}
