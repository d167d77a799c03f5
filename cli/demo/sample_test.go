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

func read(t *testing.T, response *http.Response) string {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
