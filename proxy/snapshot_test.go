package proxy

import (
	"strings"
	"testing"

	"haldane/config"
	"haldane/router"
)

func TestSnapshotKeepsUnchangedEndpoints(t *testing.T) {
	o := newOrigin(t, nil)
	s := two(o.address, "127.0.0.1:1")
	first := build(t, s, nil, nil)
	second := build(t, s, nil, first)
	web := func(s *Snapshot) *service { return &s.services[0] }
	if web(first).variants[0].endpoints.Endpoints()[0] != web(second).variants[0].endpoints.Endpoints()[0] {
		t.Error("an unchanged endpoint lost its connections")
	}
	v2 := s.Services["web"].Variants["v2"]
	v2.MaxConnections = 1
	s.Services["web"].Variants["v2"] = v2
	third := build(t, s, nil, second)
	if web(first).variants[0].endpoints.Endpoints()[0] != web(third).variants[0].endpoints.Endpoints()[0] {
		t.Error("a change of v2 gave v1 another endpoint")
	}
	if web(first).variants[1].endpoints.Endpoints()[0] == web(third).variants[1].endpoints.Endpoints()[0] {
		t.Error("a changed setting kept the endpoint")
	}
	table, err := third.Table().With(map[string]router.SplitSpec{"web": rollout(percent)})
	if err != nil {
		t.Fatal(err)
	}
	if changed := third.WithTable(table); changed.Table() != table || third.Table() == table || web(changed) != web(third) {
		t.Error("WithTable changed more or less than the table")
	}
	for _, spoil := range []func(*config.Service){
		func(s *config.Service) { s.VariantField = "Content-Length" },
		func(s *config.Service) { s.RequestIDField = "X Id" },
		func(s *config.Service) { s.Sticky.Cookie = "a;b" },
	} {
		bad := two(o.address, o.address)
		service := bad.Services["web"]
		spoil(&service)
		bad.Services["web"], bad.Table = service, third.Table()
		if _, err := NewSnapshot(bad, nil); err == nil {
			t.Errorf("%+v was accepted", service)
		}
	}
	v2.RequestFields.Set = map[string]string{"Host": "x"}
	s.Services["web"].Variants["v2"] = v2
	s.Table = third.Table()
	if _, err := NewSnapshot(s, third); err == nil || !strings.Contains(err.Error(), "service web: variant v2: request_fields") {
		t.Errorf("error %v", err)
	}
}
