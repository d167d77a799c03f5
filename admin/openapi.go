package admin

import (
	_ "embed"
	"net/http"
)

// openAPI describes every path there is, for programs. It is openapi.yaml, which people write, as JSON.
//
//go:embed openapi.json
var openAPI []byte

// document answers with the description of the API.
func document(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openAPI) // the client may have gone
}
