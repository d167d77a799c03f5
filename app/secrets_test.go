package app_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"haldane/app"
)

// The secrets that are planted. None of them may be seen anywhere.
const (
	plantedToken    = "planted-operate-0123456789abcdef"
	plantedRead     = "planted-read-0123456789abcdef"
	plantedUpstream = "planted-upstream-credential"
	plantedClient   = "planted-client-credential"
	plantedBad      = "planted-in-a-bad-file-0123456789"
)

const secretive = `
version: 1
listen: {address: "127.0.0.1:0"}
admin:
  address: "127.0.0.1:0"
  token: "${OPERATE}"
  read_token: "` + plantedRead + `"
  profiles: true
  tls: {cert_file: "%DIR%/cert.pem", key_file: "%DIR%/key.pem"}
state: {store: file, directory: "%DIR%/state"}
log: {access: all, level: debug}
services:
  shop:
    stable: v1
    canary: v2
    sticky: {cookie: uid}
    variants:
      v1:
        endpoints: ["ENDPOINT"]
        request_fields:
          set: {Authorization: "Bearer ` + plantedUpstream + `", X-Visible: plain-to-see}
          add: {X-Api-Key: "` + plantedUpstream + `"}
        response_fields: {set: {Set-Cookie: "a=` + plantedUpstream + `"}}
      v2: {endpoints: ["127.0.0.1:1"]}
`

// safe is a buffer for the log of a running process.
type safe struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *safe) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(data)
}

func (s *safe) Sync() error { return nil }

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// plantKey writes a certificate and its key, and gives back a line of the key.
func plantKey(t *testing.T, dir string) string {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pair := server.TLS.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	for name, text := range map[string][]byte{"key.pem": key, "cert.pem": cert} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Split(string(key), "\n")[2]
}

// everything is what an operator can get to see: each answer with its fields, by what was asked.
func everything(t *testing.T, client *http.Client, base string) map[string]string {
	t.Helper()
	ask := func(method, path, token string) string {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var body io.Reader
		if strings.HasSuffix(path, "/drill") {
			body = strings.NewReader(`{"service":"none"}`) // one that is played takes seconds
		}
		request, err := http.NewRequestWithContext(ctx, method, base+path, body)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var text []byte
		if endless := strings.HasSuffix(path, "/events") || strings.HasSuffix(path, "/live"); endless && response.StatusCode == http.StatusOK { // the beginning will do
			text = make([]byte, 64<<10)
			n, _ := response.Body.Read(text)
			text = text[:n]
		} else if text, err = io.ReadAll(response.Body); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(response.StatusCode, response.Header, string(text))
	}
	var index struct{ Routes []string }
	text := ask("GET", "/api/v1", plantedToken)
	if err := json.Unmarshal([]byte(text[strings.Index(text, "{"):]), &index); err != nil || len(index.Routes) < 20 {
		t.Fatalf("%v: %s", err, text)
	}
	// Reads first: a reload, an abort and the like come when everything has been seen, and before it is looked at once more.
	slices.SortFunc(index.Routes, strings.Compare)
	seen := map[string]string{}
	for _, round := range []string{"first", "again"} {
		for _, route := range index.Routes {
			method, path, _ := strings.Cut(route, " ")
			path = strings.ReplaceAll(path, "{service}", "shop")
			if strings.HasPrefix(path, "/debug/") {
				path += "?seconds=1"
				if strings.HasSuffix(path, "/goroutine?seconds=1") {
					path += "&debug=2"
				}
			}
			for _, token := range []string{plantedToken, plantedRead, "", "planted-wrong"} {
				if token == "planted-wrong" && (path != "/-/reload" || round == "again") || strings.HasPrefix(path, "/debug/") && (token != "" || round == "again") {
					continue // wrong tokens run out, profiles take time
				}
				seen[round+" "+route+" with "+token] = ask(method, path, token)
				if text := seen[round+" "+route+" with "+token]; strings.HasPrefix(text, "429") {
					t.Errorf("%s: nothing is seen: %s", route, text)
				}
			}
		}
	}
	seen["a token in the query"] = ask("GET", "/api/v1/config?token="+plantedToken, "")
	return seen
}

// No token, key or credential of the configuration or of a client is in any answer, in the log or in the metrics. It takes
// profiles of the whole process, so it does not run beside tests that measure.
func TestNoSecretIsShown(t *testing.T) {
	raced(t)
	dir, err := os.MkdirTemp("", "hs") // short: there is a socket in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	key := plantKey(t, dir)
	path := filepath.Join(dir, "haldane.yaml")
	good := strings.ReplaceAll(secretive, "ENDPOINT", newBackend(t, "v1").address)
	writeConfig(t, path, good)
	log := &safe{}
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), log, zapcore.DebugLevel))
	i := launchWith(t, app.Options{ConfigPath: path, Logger: logger, Version: "test", Getenv: func(name string) (string, bool) {
		if name != "OPERATE" {
			return "", false
		}
		return plantedToken, true
	}})
	if got := i.get(newClient(t), func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+plantedClient)
		r.Header.Set("Cookie", "uid="+plantedClient)
	}); got.err != nil {
		t.Fatal(got.err)
	}
	over := map[string]map[string]string{}
	tcp := newClient(t)
	tcp.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	over["tcp"] = everything(t, tcp, "https://"+i.AdminAddress().String())
	socket := newClient(t)
	socket.Transport.(*http.Transport).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, "state", "haldane.sock"))
	}
	over["socket"] = everything(t, socket, "http://localhost")
	for n, bad := range badFiles(good) {
		writeConfig(t, path, bad)
		if i.Reload() == nil {
			t.Errorf("bad file %d is accepted", n)
		}
		over[fmt.Sprint("bad file ", n)] = everything(t, tcp, "https://"+i.AdminAddress().String())
	}
	over["log"] = map[string]string{"all of it": log.String()}
	lookFor(t, over, []string{plantedToken, plantedRead, plantedUpstream, plantedClient, plantedBad, key})
	if text := over["socket"]["first GET /api/v1/config with "]; !strings.Contains(text, "plain-to-see") || !strings.Contains(text, "***") {
		t.Errorf("the configuration is not shown at all: %s", text)
	}
	if text := log.String(); !strings.Contains(text, "admin change") || !strings.Contains(text, "admin request refused") {
		t.Error("the log is empty")
	}
}

// badFiles are files with a secret where it is not understood.
func badFiles(good string) []string {
	operate := `"${OPERATE}"`
	return []string{
		strings.Replace(good, operate, `{a: "`+plantedBad+`"}`, 1),
		strings.Replace(good, operate, `["`+plantedBad+`"]`, 1),
		strings.Replace(good, operate, `"`+plantedBad+` with spaces"`, 1),
		strings.Replace(good, plantedRead, "${OPERATE}", 1),
	}
}

// lookFor wants none of the secrets anywhere.
func lookFor(t *testing.T, over map[string]map[string]string, secrets []string) {
	t.Helper()
	for where, answers := range over {
		for what, text := range answers {
			for _, secret := range secrets {
				if at := strings.Index(text, secret); at >= 0 {
					t.Errorf("%s, %s: shows %q: ...%s", where, what, secret, text[max(0, at-100):at+len(secret)])
				}
			}
		}
	}
}
