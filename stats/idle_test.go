package stats

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// Where there are many services, those without a request show nothing that is zero, but for whether their endpoints are up.
func TestIdleServicesAreShort(t *testing.T) {
	r, front := NewRegistry(0), Front{}
	for i := range manyServices {
		name := fmt.Sprint("s", i)
		r.Service(name).Variant("v1")
		front.Endpoints = append(front.Endpoints, Endpoints{Service: name, Variant: "v1", Each: []Endpoint{{Name: "a", Address: "a"}}})
	}
	c := NewCollector(r, NewProcess("", func() Front { return front }), nil)
	series := func() int { return strings.Count(text(t, c), `service="s7"`) }
	all := series()
	r.Service("one more than that")
	if n := series(); n != 1 {
		t.Errorf("an idle service has %d series:\n%s", n, strings.Join(regexp.MustCompile(`(?m)^.*service="s7".*$`).FindAllString(text(t, c), -1), "\n"))
	}
	r.Service("s7").Clients().Retried()
	if n := series(); n != all {
		t.Errorf("after its first request it has %d series, with few services %d", n, all)
	}
}
