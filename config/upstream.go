package config

// Health asks the endpoints of a variant whether they can take requests. An endpoint that cannot gets none, unless all of
// the variant's cannot.
type Health struct {
	// Path is requested with GET; it may have a query. A bare path in the place of the section is short for it. Default:
	// none, a connection that opens is enough.
	Path string `yaml:"path,omitempty"`
	// Host is the Host field of the request. Needs path. Default: the variant's host, or else the endpoint.
	Host string `yaml:"host,omitempty"`
	// Statuses are the good answers; at least one. Default 200-399.
	Statuses []StatusRange `yaml:"statuses,omitempty"`
	// Interval is the time between two looks, give or take a tenth. From 100ms. Default 2s.
	Interval Duration `yaml:"interval"`
	// Timeout bounds one look. Above 0. Default 1s.
	Timeout Duration `yaml:"timeout"`
	// Healthy is how many good looks in a row bring an endpoint back. At least 1. Default 2.
	Healthy int `yaml:"healthy"`
	// Unhealthy is how many bad looks in a row take an endpoint out. At least 1. Default 3.
	Unhealthy int `yaml:"unhealthy"`
}

// Ejection takes endpoints out that fail requests, for a while.
type Ejection struct {
	// Failures is how many requests in a row must fail to connect, be reset, time out, be answered with nonsense or with
	// 502, 503 or 504. Zero ejects nobody. Default 5.
	Failures int `yaml:"failures"`
	// Time is how long the first ejection lasts, above 0 and up to 5m; each further one within ten times as long lasts twice
	// as long, up to 5m. Default 10s.
	Time Duration `yaml:"time"`
	// MaxShare is the share of a variant's endpoints that may be out by ejection, rounded down; the last one never is.
	// Default 50%.
	MaxShare Percent `yaml:"max_share"`
}

// Queue is where requests wait for a connection to an endpoint when max_connections are open.
type Queue struct {
	// Size is how many may wait for one endpoint; a further one is answered 503. Zero lets nobody wait. Default 128.
	Size int `yaml:"size"`
	// Timeout is how long one may wait; then it is answered 503. Above 0. Default 1s.
	Timeout Duration `yaml:"timeout"`
}

// Retries send a request again, to another endpoint of the same variant where there is one, when nothing of an answer has
// come. Only requests without a body whose method is safe to repeat (RFC 9110 section 9.2.2) are sent again, and any request
// whose connection could not be opened as long as nothing of its body was read. What failed is booked as failed before the
// second try, so that a retry never hides a sick variant. A request that could be rescued is rescued instead.
type Retries struct {
	// Attempts is how often one request may be sent again, up to 5. A bare number in the place of the section is short for
	// it. Zero for never. Default 1.
	Attempts int `yaml:"attempts"`
	// Budget bounds the retries under way to a share of the requests under way. Zero leaves min_concurrent alone. Default
	// 20%.
	Budget Percent `yaml:"budget"`
	// MinConcurrent is how many retries may be under way whatever the budget says. Zero leaves the budget alone. Default 3.
	MinConcurrent int `yaml:"min_concurrent"`
}

// Rescue answers a failed request to the canary from the stable variant, within the same time limit and the same budget as
// retries. Only requests that are safe to repeat (RFC 9110 section 9.2.2) are rescued, and only before the first byte of an
// answer. The failure stays booked on the canary. When the budget is used up, a rescue waits up to a second for its turn. With
// timeouts.request the canary has three quarters of it for the head of its answer, so that there is time left.
type Rescue struct {
	// Statuses are answers of the canary, of 400 and more, that count as failed here, besides those that did not come; an
	// empty list rescues those alone. Default 502-504.
	Statuses []StatusRange `yaml:"statuses"`
	// BodySize is how much of a request body is kept to be sent again; a request with a larger one is not rescued, and not
	// refused. Up to 16MiB. Zero rescues only requests without a body. Default 64KiB.
	BodySize Bytes `yaml:"body_size"`
}

// ServiceLimits bound what one service takes of the proxy. Zero sets no bound.
type ServiceLimits struct {
	// Requests bounds the requests under way. More wait in the queue, or are answered 503. Zero, the default, sets no bound.
	Requests int `yaml:"requests"`
	// Queue is how many requests may wait for a place. Needs requests. Zero, the default, lets nobody wait.
	Queue int `yaml:"queue"`
	// QueueTimeout is how long one may wait; then it is answered 503. Above 0. Default 1s.
	QueueTimeout Duration `yaml:"queue_timeout"`
	// PerClient bounds the requests under way of one client address. More are answered 429. Zero, the default, sets no bound.
	PerClient int `yaml:"per_client"`
}
