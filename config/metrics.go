package config

// The words of business metrics.
const (
	// SourceField takes a metric from a field of the backends' responses.
	SourceField = "field"
	// SourcePosted takes it from the admin API.
	SourcePosted = "posted"
	// SourcePrometheus asks a Prometheus.
	SourcePrometheus = "prometheus"
	// KindRatio is a share of requests.
	KindRatio = "ratio"
	// KindMean is the mean of numbers that are reported.
	KindMean = "mean"
	// KindSum is what requests bring, those that report nothing counted as 0.
	KindSum = "sum"
	// KindValue is a number without any model of chance.
	KindValue = "value"
	// OfAll counts every judged request.
	OfAll = "all"
	// OfReported counts those that carry the field.
	OfReported = "reported"
	// DirectionUp, DirectionDown and DirectionBoth say which way is harm.
	DirectionUp = "up"
	// DirectionDown makes a fall harm.
	DirectionDown = "down"
	// DirectionBoth makes either harm.
	DirectionBoth = "both"
)

// groupMetrics is where business metrics count by default.
const groupMetrics = "metrics"

// MetricCheck compares a number that the business cares about: a conversion, a basket, what a query of Prometheus says.
type MetricCheck struct {
	// Source is where the numbers come from: "field" (a field of the backends' responses, taken away before the client sees
	// it; judged per request, on randomised traffic alone), "posted" (totals of each variant that are posted to the admin API) or
	// "prometheus" (queries, one answer for each variant). Required.
	Source string `yaml:"source"`
	// Direction is which way is harm: "down" (a fall is harm, as for a conversion), "up" (a rise is harm, as for refunds) or
	// "both", which makes two checks, "NAME up" and "NAME down". Required.
	Direction string `yaml:"direction"`
	// Kind is "ratio" (the share of requests, or of a total, for which it happened), "mean" (of the numbers that are reported; of
	// field and posted), "sum" (per judged request, where one that reports nothing brings 0; of field) or "value" (a plain
	// number, which is held against thresholds; of prometheus). Default "ratio".
	Kind string `yaml:"kind"`
	// Field is the response field that carries the number, a decimal one such as 1 or 12.50; for a ratio 0 or 1. Required for
	// source field, and only there.
	Field string `yaml:"field,omitempty"`
	// Of is what a ratio of source field is a share of: "all" judged requests, or those that "reported" the field. Default "all".
	Of string `yaml:"of"`
	// Smallest is the smallest number of one request that counts; a smaller one is taken for it, and counted as clipped. For
	// mean and sum. Default 0.
	Smallest Number `yaml:"smallest"`
	// Largest is the largest one; a larger one is taken for it, and counted as clipped. Required for mean and sum: what a
	// single request can change must be bounded, and the closer the bound, the sooner a difference is proven.
	Largest Number `yaml:"largest"`
	// Relative is the allowed change: with direction down the canary may have stable * (1 - relative) - absolute, with up
	// stable * (1 + relative) + absolute. Default 2%, for kind value 0%: a value is held against stable's only with a tolerance.
	Relative Percent `yaml:"relative"`
	// Absolute is allowed on top of it, in the unit of the metric: "0.5%" or 0.005 for a ratio, 1.5 for a mean in euros.
	// Default 0.
	Absolute Number `yaml:"absolute"`
	// Query is the PromQL of a value. "$variant" and "$service" in it become the names, ready to stand between double quotes.
	// Required for kind value, and only there.
	Query string `yaml:"query,omitempty"`
	// Good is the PromQL of a ratio of source prometheus, as Total is: counters that only grow, such as
	// sum(orders_total{variant="$variant"}). Haldane takes the differences itself: write no rate() or increase().
	Good string `yaml:"good,omitempty"`
	// Total is the counter of all, of which Good is a part.
	Total string `yaml:"total,omitempty"`
	// Every is how often a Prometheus is asked, at least 1s. Default 30s.
	Every Duration `yaml:"every"`
	// Words are what people are told of a request for which it happened, after a number of requests, such as "converted".
	// Default: none.
	Words string `yaml:"words,omitempty"`
	// Max is the largest value that is fine, whatever stable's is; of kind value. Default "", none.
	Max Limit `yaml:"max,omitempty"`
	// Min is the smallest value that is fine. Default "", none.
	Min Limit `yaml:"min,omitempty"`
	// Failures is how many answers in a row must be beyond a threshold for a fail; of kind value. Default 3.
	Failures int `yaml:"failures"`
	// Stale is how old the last numbers of source posted or prometheus may be; older ones are no data. Default 5m.
	Stale Duration `yaml:"stale"`
	// Critical says whether a fail ends the rollout; otherwise it only costs score, and the rollout does not go on by itself. A
	// critical metric without data keeps a step from being left, unless on says otherwise. Default true.
	Critical bool `yaml:"critical"`
	// Muted shows the verdict and lets it count for nothing. Default false.
	Muted bool `yaml:"muted"`
	// Group is where the check counts in the score. Default "metrics".
	Group string `yaml:"group"`
	// MinRequests is the number of the canary's requests, or of the total, below which there is no data. Default 50.
	MinRequests int `yaml:"min_requests"`
	// Window is the length of a burst window: evidence of one window is capped. Default 1s.
	Window Duration `yaml:"window"`
	// Windows is how many separate windows (or answers, or posts) must speak against the canary. Default 3.
	Windows int `yaml:"windows"`
	// On is what each outcome of the check does.
	On Outcomes `yaml:"on"`
}

func (m *MetricCheck) setDefaults() {
	*m = MetricCheck{
		Kind: KindRatio, Of: OfAll, Relative: 2 * percentUnit, Every: seconds(30), Failures: 3, Stale: minutes(5),
		Critical: true, Group: groupMetrics, MinRequests: 50, Window: seconds(1), Windows: 3,
	}
}

// Prometheus is the server that metrics of source prometheus are asked of.
type Prometheus struct {
	// URL is the base of the server, which /api/v1/query is added to. It begins with http:// or https://. Required for metrics
	// of source prometheus. Default: none.
	URL string `yaml:"url,omitempty"`
	// TokenFile is the path of a file with a bearer token, read at each query. Default: none.
	TokenFile string `yaml:"token_file,omitempty"`
	// Timeout bounds one query. Above 0. Default 10s.
	Timeout Duration `yaml:"timeout"`
}

// TakenFields are the response fields that metrics of a policy are read from, in the order of the names of the metrics.
func (p *Policy) TakenFields() []string {
	var list []string
	for _, name := range names(p.Checks.Metrics) {
		if m := p.Checks.Metrics[name]; m.Source == SourceField {
			list = append(list, m.Field)
		}
	}
	return list
}
