package admin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"haldane/config"
)

func TestDrillOrders(t *testing.T) {
	var asked DrillOrder
	o := options(newFake())
	o.Config.ReadToken = readSecret
	o.Drill = func(_ context.Context, order DrillOrder) (Drill, error) {
		asked = order
		switch order.Service {
		case "busy":
			return Drill{}, ErrDrilling
		case "none":
			return Drill{}, errors.New("no such service")
		}
		return Drill{RolledBack: true, Failures: 7}, nil
	}
	r := serve(t, o)
	for body, want := range map[string]int{
		`{}`: 200, `{"service":"shop","weight":"5%","errors":"0.5%","rate":50,"actor":"ann","reason":"monthly"}`: 200, `{"service":"busy"}`: 409, `{"service":"none"}`: 422,
		`{"weight":"0%"}`: 400, `{"weight":"x"}`: 400, `{"errors":"200%"}`: 400, `{"rate":-1}`: 400, `{"rate":1001}`: 400, `{"wait":1}`: 400,
		`{"reason":"` + strings.Repeat("x", 2000) + `"}`: 400,
	} {
		if got := r.do(http.MethodPost, "/api/v1/drill", body, bearer); got.status != want || want == 200 && !strings.Contains(got.body, `"failures":7`) {
			t.Errorf("%s: %d %s, want %d", body, got.status, got.body, want)
		}
	}
	r.do(http.MethodPost, "/api/v1/drill", `{"service":"shop","weight":"5%","rate":50,"actor":"ann","reason":"monthly"}`, bearer)
	if want := (DrillOrder{Service: "shop", Weight: config.Whole / 20, Rate: 50, Actor: "ann", Reason: "monthly"}); asked != want {
		t.Errorf("%+v", asked)
	}
	if got := r.do(http.MethodPost, "/api/v1/drill", `{}`, readBearer); got.status != http.StatusForbidden {
		t.Errorf("a reader gets %d", got.status)
	}
	o.Drill = nil
	if got := serve(t, o).do(http.MethodPost, "/api/v1/drill", `{}`, bearer); got.status != http.StatusNotImplemented {
		t.Errorf("%d", got.status)
	}
}
