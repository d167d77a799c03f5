package ui

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// most is what all pages may weigh as they travel.
const most = 120 << 10

func ask(f *Files, path string, fields ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodGet, root+path, nil)
	for i := 0; i < len(fields); i += 2 {
		request.Header.Set(fields[i], fields[i+1])
	}
	answer := httptest.NewRecorder()
	f.ServeHTTP(answer, request)
	return answer
}

func files() *Files {
	return New(http.NotFound, func(fields http.Header) bool { return fields.Get("Accept-Encoding") == "br, gzip" })
}

// The page names all that it needs by paths that hold its hash, and those may be kept for ever; the page itself may not.
func TestPage(t *testing.T) {
	f := files()
	page := ask(f, "")
	if got := page.Header().Get("Cache-Control"); page.Code != 200 || got != "no-cache" {
		t.Errorf("%d, %q", page.Code, got)
	}
	if text := page.Body.String(); strings.Contains(text, "%") || strings.Contains(text, "style=") || regexp.MustCompile(`<script>|\son\w+=`).MatchString(text) {
		t.Errorf("the page has what the policy forbids, or a mark that was not replaced:\n%s", text)
	}
	named := regexp.MustCompile(`(?:href|src)="/ui/([^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	if len(named) < 20 {
		t.Fatalf("%v", named)
	}
	for _, match := range named {
		got := ask(f, match[1])
		if got.Code != 200 || !strings.Contains(got.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %v", match[1], got.Code, got.Header())
		}
		if kind := got.Header().Get("Content-Type"); strings.HasSuffix(match[1], "js") && !strings.HasPrefix(kind, "text/javascript") {
			t.Errorf("%s: %s", match[1], kind)
		}
	}
	for _, path := range []string{"index.html", "main.js", "0000000000000000/main.js", "../ui.go"} {
		if got := ask(f, path); got.Code != 404 {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}

// What one has need not be sent again, and what travels is compressed for those who take it.
func TestForms(t *testing.T) {
	f := files()
	plain := ask(f, "")
	zipped := ask(f, "", "Accept-Encoding", "br, gzip")
	if zipped.Header().Get("Content-Encoding") != "gzip" || plain.Header().Get("Content-Encoding") != "" || zipped.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("%v, %v", zipped.Header(), plain.Header())
	}
	reader, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(reader); err != nil || !bytes.Equal(text, plain.Body.Bytes()) {
		t.Errorf("%v: %s", err, text)
	}
	if got := ask(f, "", "If-None-Match", plain.Header().Get("ETag")); got.Code != 304 || got.Body.Len() != 0 {
		t.Errorf("%d, %d bytes", got.Code, got.Body.Len())
	}
	if got := plain.Header().Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || strings.Contains(got, "unsafe") {
		t.Error(got)
	}
}

// All files together stay below the limit, and every module is one that the page asks for at once.
func TestWeight(t *testing.T) {
	f := files()
	all, err := f.load()
	if err != nil {
		t.Fatal(err)
	}
	sum, page := 0, ask(f, "").Body.String()
	for name, one := range all {
		if strings.HasSuffix(name, ".LICENSE.txt") {
			continue
		}
		sum += len(one.zipped)
		if name != "" && !strings.Contains(page, name) {
			t.Errorf("%s is in no page", name)
		}
	}
	t.Logf("%d bytes in %d files", sum, len(all))
	if sum > most {
		t.Errorf("%d bytes, more than %d", sum, most)
	}
}
