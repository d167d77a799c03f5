package demo

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// A sample fails and waits as it was last told, and refuses what makes no sense without forgetting what it does.
func TestSampleIsTold(t *testing.T) {
	server := httptest.NewServer(Sample{Name: "v7"}.handler())
	defer server.Close()
	steps := []struct {
		form   url.Values
		status int
		said   string
		served int
	}{
		{nil, http.StatusOK, "fails 0 % of its requests and waits 0s", http.StatusOK},
		{url.Values{"errors": {"100%"}}, http.StatusOK, "fails 100 % of its requests and waits 0s", http.StatusInternalServerError},
		{url.Values{"latency": {"1ms"}}, http.StatusOK, "fails 100 % of its requests and waits 1ms", http.StatusInternalServerError},
		{url.Values{"errors": {"lots"}}, http.StatusBadRequest, "errors: ", http.StatusInternalServerError},
		{url.Values{"latency": {"-1s"}}, http.StatusBadRequest, "latency: ", http.StatusInternalServerError},
		{url.Values{"errors": {"0%"}, "latency": {"0s"}}, http.StatusOK, "fails 0 %", http.StatusOK},
	}
	for _, step := range steps {
		response, err := http.PostForm(server.URL+faultPath, step.form)
		if err != nil {
			t.Fatal(err)
		}
		if body := read(t, response); response.StatusCode != step.status || !strings.Contains(body, step.said) {
			t.Errorf("%v: %d %q, want %d and %q", step.form, response.StatusCode, body, step.status, step.said)
		}
		response, err = http.Get(server.URL + "/any")
		if err != nil {
			t.Fatal(err)
		}
		if body := read(t, response); response.StatusCode != step.served || !strings.Contains(body, "v7") {
			t.Errorf("after %v: %d %q, want %d", step.form, response.StatusCode, body, step.served)
		}
	}
}

// As it is typed, a percent sign is not escaped; what is misspelt is refused.
func TestSampleIsToldByCurl(t *testing.T) {
	server := httptest.NewServer(Sample{Name: "v7"}.handler())
	defer server.Close()
	for _, step := range []struct {
		query, body, said string
		status            int
	}{
		{"", "errors=30%", "fails 30 %", http.StatusOK},
		{"", "errors=5%25&latency=2ms", "fails 5 % of its requests and waits 2ms", http.StatusOK},
		{"?errors=7%", "", "fails 7 %", http.StatusOK},
		{"", "error=30%", "neither errors nor latency", http.StatusBadRequest},
		{"", "errors=", "errors: ", http.StatusBadRequest},
	} {
		response, err := http.Post(server.URL+faultPath+step.query, "application/x-www-form-urlencoded", strings.NewReader(step.body))
		if err != nil {
			t.Fatal(err)
		}
		if said := read(t, response); response.StatusCode != step.status || !strings.Contains(said, step.said) {
			t.Errorf("%+v: %d %q", step, response.StatusCode, said)
		}
	}
}

func read(t *testing.T, response *http.Response) string {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
