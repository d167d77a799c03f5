package observability

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// dashboard is what is looked at of a dashboard of Grafana.
type dashboard struct {
	UID, Title, Description string
	SchemaVersion           int
	Panels                  []panel
	Templating              struct {
		List []struct {
			Name, Type string
			Datasource source
			Query      any
		}
	}
	Annotations struct {
		List []struct {
			Name, Expr string
			Datasource source
		}
	}
}

type source struct{ Type, UID string }

// panel is one panel, or the heading of a row of them.
type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               source
	GridPos                  struct{ H, W, X, Y int }
	FieldConfig              struct{ Defaults struct{ Unit string } }
	Targets                  []struct {
		RefID, Expr, LegendFormat string
		Datasource                source
	}
}

// dashboards are all there are, by file.
func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	paths, err := filepath.Glob("dashboards/*.json")
	if err != nil || len(paths) != 2 {
		t.Fatalf("%v, %v", paths, err)
	}
	all := make(map[string]dashboard)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all[path] = d
	}
	return all
}

func TestDashboards(t *testing.T) {
	uids, all := map[string]bool{}, known(t)
	var queries []query
	for path, d := range dashboards(t) {
		if d.UID == "" || uids[d.UID] || d.Title == "" || d.Description == "" || d.SchemaVersion < 39 {
			t.Errorf("%s: uid %q, title %q, description %q, schema %d", path, d.UID, d.Title, d.Description, d.SchemaVersion)
		}
		uids[d.UID] = true
		found := d.check(t, path)
		for _, q := range found {
			checkNames(t, q, all, nil)
		}
		queries = append(queries, found...)
	}
	checkSyntax(t, queries)
}

// check holds one dashboard to what every dashboard has, and gives back its queries.
func (d *dashboard) check(t *testing.T, path string) (queries []query) {
	t.Helper()
	variables := d.variables(t, path)
	ids, titles := map[int]bool{}, map[string]bool{}
	for _, p := range d.Panels {
		where := fmt.Sprintf("%s: panel %d %q", path, p.ID, p.Title)
		if p.ID == 0 || ids[p.ID] || p.Title == "" || titles[p.Title] {
			t.Errorf("%s: id or title is missing, or there twice", where)
		}
		ids[p.ID], titles[p.Title] = true, true
		queries = append(queries, p.check(t, where)...)
	}
	d.overlaps(t, path)
	for _, a := range d.Annotations.List {
		if a.Name == "" || a.Datasource.UID != "${datasource}" {
			t.Errorf("%s: annotation %q has no name or no source", path, a.Name)
		}
		queries = append(queries, query{path + ": annotation " + a.Name, a.Expr})
	}
	used := regexp.MustCompile(`\$\{?([a-z_]+)`)
	for _, q := range queries {
		for _, v := range used.FindAllStringSubmatch(q.expr, -1) {
			if !variables[v[1]] && v[1] != "__rate_interval" {
				t.Errorf("%s uses $%s, which is no variable", q.where, v[1])
			}
		}
	}
	return queries
}

// variables are the names of those there are; the source of data is one of them.
func (d *dashboard) variables(t *testing.T, path string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, v := range d.Templating.List {
		names[v.Name] = true
		if v.Type == "query" && v.Datasource.UID != "${datasource}" {
			t.Errorf("%s: the variable %s is asked of %q", path, v.Name, v.Datasource.UID)
		}
	}
	if !names["datasource"] || !names["job"] || !names["instance"] || strings.Contains(d.UID, "service") != names["service"] {
		t.Errorf("%s has the variables %v", path, names)
	}
	return names
}

func (p *panel) check(t *testing.T, where string) (queries []query) {
	t.Helper()
	if p.Type == "row" {
		return nil
	}
	if p.Description == "" || p.FieldConfig.Defaults.Unit == "" || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
		t.Errorf("%s: description, unit, source or queries are missing", where)
	}
	refs := map[string]bool{}
	for _, target := range p.Targets {
		if target.RefID == "" || refs[target.RefID] || target.Datasource.UID != "${datasource}" {
			t.Errorf("%s: query %q has no reference, or a source of its own", where, target.RefID)
		}
		if target.LegendFormat == "" && p.Type != "table" {
			t.Errorf("%s: query %s has no legend", where, target.RefID)
		}
		refs[target.RefID] = true
		queries = append(queries, query{where, target.Expr})
	}
	return queries
}

// overlaps finds panels that lie over each other, or beyond the edge.
func (d *dashboard) overlaps(t *testing.T, path string) {
	t.Helper()
	taken := map[[2]int]int{}
	for _, p := range d.Panels {
		if p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W == 0 || p.GridPos.H == 0 {
			t.Errorf("%s: panel %d is %+v", path, p.ID, p.GridPos)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != 0 {
					t.Fatalf("%s: panels %d and %d overlap", path, other, p.ID)
				}
				taken[[2]int{x, y}] = p.ID
			}
		}
	}
}
