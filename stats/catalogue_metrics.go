package stats

// describeMetrics describes what is known of business metrics, and of parts.
func describeMetrics(all *[families]description) {
	all[familyPartBack] = description{
		"haldane_part_rolled_back", gauge,
		[]string{"service", "part"},
		"1 while a part of the service has gone back to stable alone, otherwise 0.",
	}
	all[familyMetricKnown] = description{
		"haldane_metric_known", gauge,
		[]string{"service", "metric"},
		"1 while a business metric of the rollout has data, otherwise 0.",
	}
	all[familyMetricFaults] = description{
		"haldane_metric_faults_total", counter,
		[]string{"service", "metric", "fault"},
		"Numbers in response fields that were not taken as they were, by what was wrong.",
	}
	all[familyQuestions] = description{
		"haldane_prometheus_questions_total", counter,
		[]string{"result"},
		"Business metrics that a Prometheus was asked for.",
	}
	all[familySpans] = description{
		"haldane_trace_spans_total", counter,
		[]string{"result"},
		"Spans of sampled requests, by what became of them.",
	}
}
