package analysis

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// stepTable is the table of docs/JUDGE.md that says how long a step must be, made by the forecasts.
func stepTable(t *testing.T) string {
	t.Helper()
	s := Defaults()
	cell := func(f Forecast, known bool) string {
		if !known {
			t.Error("a forecast is not known")
		}
		// The burst guard lets no fail come before the third window.
		return span(int64(max(f.Wait, 3*time.Second)))
	}
	var b strings.Builder
	b.WriteString("| requests/s | weight | 1 % fails instead of 0.1 % | 5 % fails instead of 1 % | everything fails | shown within tolerance, 0.1 % fails | shown, 1 % fails |\n")
	b.WriteString("|---|---|---|---|---|---|---|\n")
	for _, rate := range []float64{1, 10, 100, 1000} {
		for _, weight := range []float64{0.01, 0.05, 0.25, 0.50} {
			fmt.Fprintf(&b, "| %s | %s %% |", count(uint64(rate)), decimal(100*weight, 0))
			for _, c := range [][2]float64{{0.001, 0.01}, {0.01, 0.05}, {0.001, 1}} {
				f, known := s.ForecastFind("errors", weight, c[0], c[1], rate)
				fmt.Fprintf(&b, " %s |", cell(f, known))
			}
			for _, stable := range []float64{0.001, 0.01} {
				f, known := s.Forecast("errors", weight, stable, rate)
				fmt.Fprintf(&b, " %s |", cell(f, known))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func TestTheDocumentHasTheTableOfTheForecast(t *testing.T) {
	text, err := os.ReadFile("../docs/JUDGE.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := stepTable(t); !strings.Contains(string(text), want) {
		t.Errorf("docs/JUDGE.md needs this table:\n%s", want)
	}
}

// The document quotes verdicts; they must be what the package says.
func TestTheDocumentQuotesTheJudge(t *testing.T) {
	raw, err := os.ReadFile("../docs/JUDGE.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(strings.ReplaceAll(string(raw), "\n> ", "\n")), " ")
	errors, slo := Defaults().Checks[0], atMost(0.01).Checks[0]
	for _, want := range []string{
		errors.sentence(&CheckVerdict{
			Class: Fail, CanaryRate: 0.0231, CanaryTotal: 4120, StableRate: 0.004, StableTotal: 37080, Evidence: 3417, Needed: 200,
		}, true),
		slo.sentence(&CheckVerdict{Class: Fail, CanaryRate: 0.0311, CanaryTotal: 900, Evidence: 3417, Needed: 200}, true),
		errors.sees(&CheckVerdict{Detectable: 0.042, Gross: 0.0131}),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("docs/JUDGE.md does not have %q", want)
		}
	}
}
