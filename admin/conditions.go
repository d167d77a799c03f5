package admin

import (
	"net/http"
	"strings"

	"haldane/rollout"
)

// A rollout's entity tag is its revision (RFC 9110 section 8.8.3). It names what was decided, not the numbers that count on
// meanwhile: who asks with If-None-Match wants to know whether anything has happened.

// tag is the entity tag of a rollout.
func tag(v *rollout.View) string { return `"` + v.Revision + `"` }

// writeView answers with a rollout and its entity tag.
func writeView(w http.ResponseWriter, v *rollout.View) {
	w.Header().Set("ETag", tag(v))
	writeJSON(w, v)
}

// unchanged says whether the client has this revision already (RFC 9110 section 13.1.2).
func unchanged(r *http.Request, v *rollout.View) bool {
	for field := range strings.SplitSeq(strings.Join(r.Header.Values("If-None-Match"), ","), ",") {
		if one := strings.TrimSpace(field); one == "*" || strings.TrimPrefix(one, "W/") == tag(v) {
			return true
		}
	}
	return false
}

// ifRevision is the revision that an order is for (If-Match, RFC 9110 section 13.1.1); empty for whichever there is.
func ifRevision(r *http.Request) (string, error) {
	field := strings.TrimSpace(strings.Join(r.Header.Values("If-Match"), ","))
	if field == "" || field == "*" {
		return "", nil
	}
	revision := strings.TrimSuffix(strings.TrimPrefix(field, `"`), `"`)
	if len(revision)+2 != len(field) || revision == "" || strings.ContainsAny(revision, `",`) {
		return "", refuse(http.StatusBadRequest, `If-Match: write one entity tag as the answer about the rollout has it: "…", or *`)
	}
	return revision, nil
}

// changed says that an order was given on another state, with the one there is: who gave it may look and order anew.
func changed(err error, now *rollout.View) *problem {
	return &problem{
		Type: "urn:haldane:problem:changed", Title: "The rollout has changed", Status: http.StatusPreconditionFailed,
		Detail: err.Error(), Phase: now.Phase.String(), Possible: now.Possible, Rollout: now,
	}
}
