package report

import (
	"strconv"
	"strings"
	"time"

	"haldane/config"
)

// Endpoint is what one address of a variant had to do while users were on the canary.
type Endpoint struct {
	// Variant is whose it is, Role "stable" or "canary".
	Variant string `json:"variant"`
	Role    string `json:"role"`
	// Name is the endpoint as it is configured, Address what its name stands for.
	Name    string `json:"name"`
	Address string `json:"address,omitempty"`
	// Requests are all that were sent to it, each try counted; Failed is how many counted as failed.
	Requests uint64 `json:"requests"`
	Failed   uint64 `json:"failed"`
}

// Failure is a request that failed on the canary. What may be secret was left out of it.
type Failure struct {
	// Time is when it came, Took how long it lasted.
	Time time.Time       `json:"time"`
	Took config.Duration `json:"took"`
	// Method, URL and Fields are the request's. Cut says that the URL was longer.
	Method string  `json:"method"`
	URL    string  `json:"url"`
	Cut    bool    `json:"cut,omitempty"`
	Fields []Field `json:"fields,omitempty"`
	// Body is the size of its body in bytes, which is not kept.
	Body int64 `json:"body_bytes,omitempty"`
	// Outcome is how it ended, Status what the endpoint answered; 0 for nothing. Stalled says that it was given up before.
	Outcome string `json:"outcome"`
	Status  int    `json:"status,omitempty"`
	Stalled bool   `json:"stalled,omitempty"`
	// Endpoint is the address it was sent to.
	Endpoint string `json:"endpoint,omitempty"`
	// RequestID is the id that the endpoint got.
	RequestID string `json:"request_id,omitempty"`
	// Curl is the command that sends it again, to the service.
	Curl string `json:"curl"`
}

// Field is a field of a request.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Repeat is the command that sends the request again: for a POSIX shell, in one line, with every foreign word quoted.
func (f *Failure) Repeat() string {
	command := "curl --silent --show-error --include --path-as-is --globoff"
	switch f.Method {
	case "GET":
	case "HEAD":
		command += " --head"
	default:
		command += " --request " + quoted(f.Method)
	}
	for _, field := range f.Fields {
		if field.Value == "" { // curl takes a name with a colon alone for the order not to send the field
			command += " --header " + quoted(field.Name+";")
			continue
		}
		command += " --header " + quoted(field.Name+": "+field.Value)
	}
	return command + " --url " + quoted(f.URL)
}

// quoted is a word of a POSIX shell (Shell Command Language, 2.2.2): between single quotes nothing means anything but the quote.
func quoted(word string) string {
	return "'" + strings.ReplaceAll(plain(word), "'", `'\''`) + "'"
}

// title says what failed, and how.
func (f *Failure) title() string {
	text := f.Outcome
	if f.Status > 0 {
		text += " " + strconv.Itoa(f.Status)
	}
	if f.Stalled {
		text += " (had stalled)"
	}
	return text + ": " + f.Method + " " + f.URL
}

// facts are what there is to say about it beside the command.
func (f *Failure) facts() string {
	list := []string{instant(f.Time), "took " + span(time.Duration(f.Took))}
	if f.Endpoint != "" {
		list = append(list, "at "+f.Endpoint)
	}
	if f.RequestID != "" {
		list = append(list, "request id "+f.RequestID)
	}
	if f.Body > 0 {
		list = append(list, "its body of "+whole(uint64(f.Body))+" bytes was not kept")
	}
	if f.Cut {
		list = append(list, "its target was longer than what is kept")
	}
	return strings.Join(list, ", ")
}

// failuresTitle is the heading above the failures, failuresNote what is to be known about them.
const (
	failuresTitle = "Examples of failed canary requests"
	failuresNote  = "The first of each kind. Fields and parameters that may be secret are left out or replaced by ***, so a request " +
		"that needs them will be refused. The commands ask the service, which answers from whatever variant it assigns."
)

// markdownFailures writes the failures. Code is indented and not fenced: then no text can end it (CommonMark 4.4).
func (r *Report) markdownFailures(b *strings.Builder) {
	if len(r.Failures) == 0 {
		return
	}
	b.WriteString("\n## " + failuresTitle + "\n\n" + marked(failuresNote) + "\n")
	for i := range r.Failures {
		f := &r.Failures[i]
		b.WriteString("\n### " + marked(f.title()) + "\n\n" + marked(f.facts()) + "\n\n    " + plain(f.Curl) + "\n")
	}
}

// pageFailures writes the failures.
func (r *Report) pageFailures(p *page) {
	if len(r.Failures) == 0 {
		return
	}
	p.raw("\n").open("h2").text(failuresTitle).shut("h2").open("p").text(failuresNote).shut("p")
	for i := range r.Failures {
		f := &r.Failures[i]
		p.raw("\n").open("h3").text(f.title()).shut("h3").text(f.facts())
		p.open("pre").text(f.Curl).shut("pre")
	}
}

func (r *Report) endpointTable() table {
	t := table{title: "Endpoints", columns: []string{"Variant", "Role", "Endpoint", "Address", "Requests", "Failed", "Share"}}
	for _, e := range r.Endpoints {
		share := "none"
		if e.Requests > 0 {
			share = percent(float64(e.Failed) / float64(e.Requests))
		}
		t.rows = append(t.rows, []string{e.Variant, e.Role, e.Name, e.Address, whole(e.Requests), whole(e.Failed), share})
	}
	return t
}
