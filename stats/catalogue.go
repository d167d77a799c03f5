package stats

// family is one metric with all its series.
type family int

// The families, in the order of docs/METRICS.md.
const (
	familyRequests family = iota
	familyOutcomes
	familyDuration
	familyUpstreamErrors
	familyStalled
	familyInFlight
	familyRequestBytes
	familyResponseBytes

	familyEndpointUp
	familyEndpointInFlight
	familyEndpointConnections
	familyEndpointWaiting
	familyEndpointWaits
	familyEndpointOverflows
	familyEndpointEjections
	familyEndpointHealthFailures
	familyLookupFailures
	familyEndpointPanics

	familyClientRequests
	familyRetries
	familyRescues
	familyRescuesSkipped
	familyLimited
	familyQueued

	familyTunnels
	familyTunnelsOpen
	familyTunnelsEnded
	familyTunnelSeconds
	familyTunnelBytes

	familyWeight
	familyPhase
	familyHold
	familyWaits
	familyRevision
	familyScore
	familyEvidence
	familyRuns
	familyBudget
	familyBudgetLimit
	familyWeightChanges
	familyRollbacks
	familyMetricKnown
	familyMetricFaults
	familyPartBack

	familyBuild
	familyReloadSuccessful
	familyReloadTime
	familyReloads
	familyConnections
	familyRefusedConnections
	familyAcceptFailures
	familyCertificateExpiry
	familyCertificateReloads
	familyNotifications
	familyNotificationsQueued
	familyNotificationSuccess
	familyHookAnswers
	familyQuestions
	familySpans
	familyStoreFailures
	familyStateLost
	familyShedding
	familyUnmatched
	familyMalformed
	familyPanics

	families
)

// kind is the type of a metric, by its word in the exposition format.
type kind string

const (
	counter   kind = "counter"
	gauge     kind = "gauge"
	histogram kind = "histogram"
)

// description is what there is to say about a family.
type description struct {
	name   string
	kind   kind
	labels []string
	help   string
}

// catalogue describes every family. It is the one place where a metric gets its name; docs/METRICS.md is held to it by
// a test.
func catalogue() [families]description {
	var all [families]description
	describeRequests(&all)
	describeEndpoints(&all)
	describeClients(&all)
	describeTunnels(&all)
	describeRollouts(&all)
	describeProcess(&all)
	describeEntrance(&all)
	describeNotifications(&all)
	describeHooks(&all)
	return all
}

// describeRequests describes what is counted per variant.
func describeRequests(all *[families]description) {
	variant := []string{"service", "variant"}
	all[familyRequests] = description{
		"haldane_requests_total", counter,
		[]string{"service", "variant", "code", "method"},
		"Requests that have ended, by status class of the endpoint's answer and by method.",
	}
	all[familyOutcomes] = description{
		"haldane_request_outcomes_total", counter,
		[]string{"service", "variant", "outcome"},
		"Requests that have ended, by how they ended.",
	}
	all[familyDuration] = description{
		"haldane_request_duration_seconds", histogram, variant,
		"Time to the first byte of the endpoint's answer, of requests that were answered.",
	}
	all[familyUpstreamErrors] = description{
		"haldane_upstream_errors_total", counter,
		[]string{"service", "variant", "reason"},
		"Exchanges with an endpoint that failed for another reason than the status of its answer.",
	}
	all[familyStalled] = description{
		"haldane_stalled_requests_total", counter, variant,
		"Requests that waited for an answer for longer than stall_timeout.",
	}
	all[familyInFlight] = description{
		"haldane_requests_in_flight", gauge, variant,
		"Requests that have begun and not ended.",
	}
	all[familyRequestBytes] = description{
		"haldane_request_bytes_total", counter, variant,
		"Bytes of request bodies.",
	}
	all[familyResponseBytes] = description{
		"haldane_response_bytes_total", counter, variant,
		"Bytes of response bodies.",
	}
}

// describeProcess describes the process itself.
func describeProcess(all *[families]description) {
	all[familyBuild] = description{
		"haldane_build_info", gauge,
		[]string{"version", "revision", "goversion"},
		"Always 1; the labels say which build runs.",
	}
	all[familyReloadSuccessful] = description{
		"haldane_config_last_reload_successful", gauge, nil,
		"1 if the last configuration that was read is in force, 0 if it was refused.",
	}
	all[familyReloadTime] = description{
		"haldane_config_last_reload_success_timestamp_seconds", gauge, nil,
		"Unix time at which a configuration was last put in force.",
	}
	all[familyReloads] = description{
		"haldane_config_reloads_total", counter,
		[]string{"result"},
		"Configurations that were put in force or refused, with the first one.",
	}
	all[familyStoreFailures] = description{
		"haldane_state_store_failures_total", counter, nil,
		"Failed attempts to store the state of rollouts.",
	}
	all[familyStateLost] = description{
		"haldane_state_lost", gauge, nil,
		"1 if the stored state of rollouts was damaged at the start and is lost, otherwise 0.",
	}
}

// describeEntrance describes what happens to connections and requests before they belong to a service.
func describeEntrance(all *[families]description) {
	all[familyConnections] = description{
		"haldane_client_connections", gauge, nil,
		"Open client connections.",
	}
	all[familyRefusedConnections] = description{
		"haldane_client_connections_refused_total", counter,
		[]string{"reason"},
		"Client connections that were turned away before their first request.",
	}
	all[familyAcceptFailures] = description{
		"haldane_accept_failures_total", counter, nil,
		"Failed attempts to take a client connection, mostly for want of file descriptors.",
	}
	all[familyCertificateExpiry] = description{
		"haldane_tls_certificate_expiry_timestamp_seconds", gauge,
		[]string{"file"},
		"Unix time at which a certificate in use expires.",
	}
	all[familyCertificateReloads] = description{
		"haldane_tls_certificate_reloads_total", counter,
		[]string{"result"},
		"Changed certificate files that were put in use or refused.",
	}
	all[familyShedding] = description{
		"haldane_memory_short", gauge, nil,
		"1 while new requests are turned away because memory is short, otherwise 0.",
	}
	all[familyUnmatched] = description{
		"haldane_unmatched_requests_total", counter, nil,
		"Requests that belong to no service.",
	}
	all[familyMalformed] = description{
		"haldane_malformed_requests_total", counter, nil,
		"Requests that were refused because of how they were written.",
	}
	all[familyPanics] = description{
		"haldane_panics_total", counter, nil,
		"Requests that ended in a bug of Haldane's own.",
	}
}

// describeNotifications describes what is known of the targets of notifications.
func describeNotifications(all *[families]description) {
	all[familyNotifications] = description{
		"haldane_notifications_total", counter,
		[]string{"target", "result"},
		"Notifications, and failed attempts to send one, by what became of them.",
	}
	all[familyNotificationsQueued] = description{
		"haldane_notifications_queued", gauge,
		[]string{"target"},
		"Notifications that wait to be sent.",
	}
	all[familyNotificationSuccess] = description{
		"haldane_notifications_last_success_timestamp_seconds", gauge,
		[]string{"target"},
		"Unix time at which a target took a notification last, 0 for never.",
	}
}
