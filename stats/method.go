package stats

// Method is a request method out of the set that is known to metrics. Anything a client may invent is MethodOther, so that
// no client can grow a label set.
type Method uint8

const (
	// MethodOther is every method that has no name of its own here. It is the zero value.
	MethodOther Method = iota
	// MethodGet is GET.
	MethodGet
	// MethodHead is HEAD.
	MethodHead
	// MethodPost is POST.
	MethodPost
	// MethodPut is PUT.
	MethodPut
	// MethodPatch is PATCH.
	MethodPatch
	// MethodDelete is DELETE.
	MethodDelete
	// MethodOptions is OPTIONS.
	MethodOptions
	// MethodConnect is CONNECT.
	MethodConnect
	// MethodTrace is TRACE.
	MethodTrace

	methods = int(MethodTrace) + 1
)

// MethodOf finds the method by its name. Methods are case-sensitive (RFC 9110, section 9.1): "get" is MethodOther.
// It allocates nothing.
func MethodOf[Name string | []byte](name Name) Method {
	switch string(name) {
	case "GET":
		return MethodGet
	case "HEAD":
		return MethodHead
	case "POST":
		return MethodPost
	case "PUT":
		return MethodPut
	case "PATCH":
		return MethodPatch
	case "DELETE":
		return MethodDelete
	case "OPTIONS":
		return MethodOptions
	case "CONNECT":
		return MethodConnect
	case "TRACE":
		return MethodTrace
	}
	return MethodOther
}

// String is the value of the label "method".
func (m Method) String() string {
	switch m {
	case MethodGet:
		return "GET"
	case MethodHead:
		return "HEAD"
	case MethodPost:
		return "POST"
	case MethodPut:
		return "PUT"
	case MethodPatch:
		return "PATCH"
	case MethodDelete:
		return "DELETE"
	case MethodOptions:
		return "OPTIONS"
	case MethodConnect:
		return "CONNECT"
	case MethodTrace:
		return "TRACE"
	}
	return "_OTHER"
}

// slot is the index of the method in arrays.
func (m Method) slot() int {
	if int(m) >= methods {
		return int(MethodOther)
	}
	return int(m)
}

// classes is the number of status classes: none, 1xx to 5xx.
const classes = 6

// classOf is the status class of a status: 0 without an answer, else 1 to 5. Statuses above 599 are read as 5xx, as
// RFC 9110, section 15, wants it.
func classOf(status int) int {
	switch {
	case status < 100:
		return 0
	case status >= 500:
		return 5
	}
	return status / 100
}

// className is the value of the label "code".
func className(class int) string {
	switch class {
	case 1:
		return "1xx"
	case 2:
		return "2xx"
	case 3:
		return "3xx"
	case 4:
		return "4xx"
	case 5:
		return "5xx"
	}
	return "none"
}
