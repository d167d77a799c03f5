package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	// dialTimeout is how long a command tries to connect.
	dialTimeout = 5 * time.Second
	// answerTimeout is how long a command waits for the answer to begin. A reload takes the longest.
	answerTimeout = 30 * time.Second
	// answerLongest bounds an answer.
	answerLongest = 64 << 20
)

// client talks to the admin API of a running Haldane.
type client struct {
	http  *http.Client
	base  string // scheme and host of every request
	token string // "" sends none
	where string // for messages
}

// newSocketClient talks over a unix socket, where no token is needed.
func newSocketClient(path string) *client {
	dialer := &net.Dialer{Timeout: dialTimeout}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return dialer.DialContext(ctx, "unix", path) }
	return &client{http: newHTTPClient(dial, nil), base: "http://localhost", where: path}
}

// newAddressClient talks over TCP. trust says whom to believe with TLS; nil is whom the system believes.
func newAddressClient(base *url.URL, token string, trust *tls.Config) *client {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &client{http: newHTTPClient(dialer.DialContext, trust), base: base.Scheme + "://" + base.Host, token: token, where: base.String()}
}

// newHTTPClient follows no redirects and knows no proxies: the token goes where it was sent, or nowhere.
func newHTTPClient(dial func(context.Context, string, string) (net.Conn, error), trust *tls.Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:           dial,
			TLSClientConfig:       trust,
			TLSHandshakeTimeout:   dialTimeout,
			ResponseHeaderTimeout: answerTimeout,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// wait lets answers begin later than usual.
func (c *client) wait(longest time.Duration) {
	if transport, is := c.http.Transport.(*http.Transport); is {
		transport.ResponseHeaderTimeout = longest
	}
}

// close ends the connections.
func (c *client) close() { c.http.CloseIdleConnections() }

// get reads a path.
func (c *client) get(ctx context.Context, path string) ([]byte, error) {
	return c.exchange(ctx, http.MethodGet, path, http.Header{}, nil)
}

// exchange sends one request and reads the whole answer.
func (c *client) exchange(ctx context.Context, method, path string, header http.Header, body []byte) ([]byte, error) {
	response, err := c.send(ctx, method, path, header, body)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerLongest))
	if err != nil {
		return nil, &lostError{fmt.Errorf("read the answer of %s: %w", c.where, err)}
	}
	return text, nil
}

// send sends one request and gives back a good answer, or what is wrong with a bad one.
func (c *client) send(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	request.Header = header
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		return nil, c.refused(response)
	}
	return response, nil
}

// unreachable says what to do when there was no answer.
func (c *client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("not allowed to use %s: run as the user that Haldane runs as, or use --address and --token-file", c.where)
	}
	var about *url.Error
	if errors.As(err, &about) {
		err = about.Err // the path of the request would only distract
	}
	said := fmt.Errorf("cannot reach Haldane at %s: is it running? use --socket or --address (%w)", c.where, err)
	if arrived(err) {
		return &lostError{said}
	}
	return said
}

// answerError is an answer that says no.
type answerError struct {
	status int
	detail string
}

// Error is what the answer said, with what to do about it.
func (e *answerError) Error() string {
	switch e.status {
	case http.StatusUnauthorized:
		return e.detail + "; use --token-file, or the unix socket with --socket"
	case http.StatusForbidden:
		return e.detail + "; is the right file named by --token-file?"
	}
	return e.detail
}

// refused reads the problem in a bad answer (RFC 9457). Whatever else answers there is no Haldane.
func (c *client) refused(response *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	var problem struct {
		Detail string `json:"detail"`
	}
	if err != nil || response.Header.Get("Content-Type") != "application/problem+json" || json.Unmarshal(text, &problem) != nil || problem.Detail == "" {
		return c.stranger()
	}
	return &answerError{response.StatusCode, printable(problem.Detail)}
}

// decode reads an answer.
func (c *client) decode(text []byte, into any) error {
	if err := json.Unmarshal(text, into); err != nil {
		return c.stranger()
	}
	return nil
}

// stranger says that somebody else answers; most often it is the proxy, whose address was taken for that of its admin side.
func (c *client) stranger() error {
	return fmt.Errorf("%s is not an admin address of Haldane: something else answers there, such as the proxy itself; "+
		"see admin.address in its configuration", c.where)
}
