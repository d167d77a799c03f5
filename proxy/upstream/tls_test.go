package upstream

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"haldane/proxy/http1"
)

func TestTLSConnectionsAreKept(t *testing.T) {
	a := newAuthority(t)
	cert, _, _ := a.pair("a.test")
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Pointer[tls.ClientHelloInfo]
			config := &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: version, GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				asked.Store(h)
				return nil, nil
			}}
			s := serve(t, secured(config, answerTLS(okText)))
			e := s.over(load(t, TLSOptions{CAFile: a.path}), "a.test")
			for range 5 {
				if body := mustFetch(t, e, get()); body != "ok" {
					t.Errorf("body %q", body)
				}
				if body := mustFetch(t, e, post(http1.LengthChunked, onlyReader{strings.NewReader(strings.Repeat("x", 100_000))})); body != "ok" {
					t.Errorf("body %q", body)
				}
				wantConnections(t, e, 1, 1)
			}
			if n := s.accepted.Load(); n != 1 {
				t.Errorf("%d connections", n)
			}
			if h := asked.Load(); h.ServerName != "a.test" || len(h.SupportedProtos) != 1 || h.SupportedProtos[0] != "http/1.1" {
				t.Errorf("asked for %q with %q", h.ServerName, h.SupportedProtos)
			}
		})
	}
}

func TestTLSSessionsAreResumed(t *testing.T) {
	a := newAuthority(t)
	cert, _, _ := a.pair("a.test")
	var resumed atomic.Int32
	config := &tls.Config{Certificates: []tls.Certificate{cert}, VerifyConnection: func(s tls.ConnectionState) error {
		if s.DidResume {
			resumed.Add(1)
		}
		return nil
	}}
	e := serve(t, secured(config, answerTLS("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"))).
		over(load(t, TLSOptions{CAFile: a.path}), "a.test")
	for range 3 {
		mustFetch(t, e, get())
	}
	if n := resumed.Load(); n != 2 {
		t.Errorf("%d of 2 connections were resumed", n)
	}
}

func TestWhatTLSRefusesIsAFailureToConnect(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	cert, certFile, keyFile := a.pair("a.test")
	clients := x509.NewCertPool()
	clients.AddCert(a.cert)
	plain := &tls.Config{Certificates: []tls.Certificate{cert}}
	mutual := &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	mutual12 := mutual.Clone()
	mutual12.MaxVersion = tls.VersionTLS12
	old := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	trusting := TLSOptions{CAFile: a.path}
	for name, test := range map[string]struct {
		server  *tls.Config
		options TLSOptions
		name    string
		want    Kind
	}{
		"good":                            {plain, trusting, "a.test", 0},
		"another name":                    {plain, trusting, "b.test", KindConnect},
		"another authority":               {plain, TLSOptions{CAFile: stranger.path}, "a.test", KindConnect},
		"the system's authorities":        {plain, TLSOptions{}, "a.test", KindConnect},
		"not verified":                    {plain, TLSOptions{InsecureSkipVerify: true}, "b.test", 0},
		"client certificate":              {mutual, TLSOptions{CAFile: a.path, CertFile: certFile, KeyFile: keyFile}, "a.test", 0},
		"client certificate missing, 1.2": {mutual12, trusting, "a.test", KindConnect},
		"an old version":                  {old, trusting, "a.test", KindConnect},
	} {
		t.Run(name, func(t *testing.T) {
			e := serve(t, secured(test.server, answerTLS(okText))).over(load(t, test.options), test.name)
			_, _, err := fetch(e, get(), Exchange{})
			wantKind(t, err, test.want)
			if test.want != 0 {
				wantConnections(t, e, 0, 0)
			}
		})
	}
}

// In TLS 1.3 the refusal of a client certificate comes after the handshake.
func TestALateAlertIsAFailureToConnect(t *testing.T) {
	if !refusedByTLS(&net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}) {
		t.Error("an alert was not recognised")
	}
	a := newAuthority(t)
	cert, _, _ := a.pair("a.test")
	config := &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert}
	e := serve(t, func(p *peer) {
		_ = tls.Server(p.TCPConn, config).Handshake()
		p.rest() // so that the alert is not overtaken by a reset
	}).over(load(t, TLSOptions{CAFile: a.path}), "a.test")
	_, _, err := fetch(e, get(), Exchange{})
	wantKind(t, err, KindConnect)
}

func TestAHandshakeThatHangsIsBounded(t *testing.T) {
	hang := func(p *peer) { p.rest() }
	insecure := load(t, TLSOptions{InsecureSkipVerify: true})
	s := serve(t, hang)
	e := s.endpoint(func(o *Options) {
		o.TLS, o.ServerName, o.Timeouts.Connect = insecure, "a.test", 30*time.Millisecond
	})
	_, _, err := fetch(e, get(), Exchange{})
	wantKind(t, err, KindConnect)
	e = serve(t, hang).over(insecure, "a.test")
	_, _, err = fetch(e, get(), Exchange{Deadline: time.Now().Add(30 * time.Millisecond)})
	wantKind(t, err, KindTimeout)
	abort := new(Abort)
	time.AfterFunc(30*time.Millisecond, abort.Fire)
	_, _, err = fetch(e, get(), Exchange{Abort: abort})
	wantKind(t, err, KindAborted)
	wantConnections(t, e, 0, 0)
}

func TestATLSConnectionThatIsNotSilentIsNotUsedAgain(t *testing.T) {
	a := newAuthority(t)
	cert, _, _ := a.pair("a.test")
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	const poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON"
	for name, test := range map[string]struct {
		end  func(*tls.Conn)
		last string // sent together with the answer, in a record of its own
	}{
		"closed":                           {end: func(c *tls.Conn) { c.Close() }},
		"cut":                              {end: func(c *tls.Conn) { c.NetConn().Close() }},
		"a response nobody asked for":      {end: func(c *tls.Conn) { _, _ = io.WriteString(c, poison) }},
		"one that came with the last read": {last: poison, end: func(*tls.Conn) {}},
	} {
		t.Run(name, func(t *testing.T) {
			after := make(chan struct{})
			s := serve(t, func(p *peer) {
				joined := &joining{TCPConn: p.TCPConn}
				c := tls.Server(joined, config)
				if c.Handshake() != nil {
					return
				}
				in := bufio.NewReader(c)
				if _, err := http.ReadRequest(in); err != nil {
					return
				}
				joined.hold = test.last != ""
				_, _ = io.WriteString(c, okText)
				if test.last != "" {
					_, _ = io.WriteString(c, test.last)
					joined.release()
				}
				<-after
				test.end(c)
				p.rest()
			}, secured(config, answerTLS(okText)))
			e := s.over(load(t, TLSOptions{CAFile: a.path}), "a.test")
			mustFetch(t, e, get())
			close(after)
			if test.last == "" {
				waitReadable(t, &conn{net: e.pool.idle[0].under})
			}
			if body := mustFetch(t, e, get()); body != "ok" {
				t.Errorf("body %q", body)
			}
			if n := s.accepted.Load(); n != 2 {
				t.Errorf("%d connections, want a fresh one", n)
			}
		})
	}
}

// joining is a connection that can hold back what is written, so that two records leave in one packet.
type joining struct {
	*net.TCPConn
	hold bool
	held []byte
}

func (j *joining) Write(p []byte) (int, error) {
	if j.hold {
		j.held = append(j.held, p...)
		return len(p), nil
	}
	return j.TCPConn.Write(p)
}

func (j *joining) release() {
	j.hold = false
	_, _ = j.TCPConn.Write(j.held)
}

// What ends without saying so was cut: TLS knows the difference (RFC 8446 section 6.1).
func TestATLSResponseThatIsCutIsNotComplete(t *testing.T) {
	a := newAuthority(t)
	cert, _, _ := a.pair("a.test")
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	for name, test := range map[string]struct {
		end  func(*tls.Conn)
		want Kind
	}{
		"announced": {func(c *tls.Conn) { c.Close() }, 0},
		"cut":       {func(c *tls.Conn) { c.NetConn().Close() }, KindTruncated},
	} {
		e := serve(t, secured(config, func(c *tls.Conn, in *bufio.Reader) {
			if _, err := http.ReadRequest(in); err == nil {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nuntil close")
				test.end(c)
			}
		})).over(load(t, TLSOptions{CAFile: a.path}), "a.test")
		_, body, err := fetch(e, get(), Exchange{})
		if wantKind(t, err, test.want); body != "until close" {
			t.Errorf("%s: body %q", name, body)
		}
	}
}

func TestTheRaceForAnIdleTLSConnectionIsStale(t *testing.T) {
	a := newAuthority(t)
	cert, _, _ := a.pair("a.test")
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	e := serve(t, secured(config, func(c *tls.Conn, in *bufio.Reader) {
		if _, err := http.ReadRequest(in); err == nil {
			_, _ = io.WriteString(c, okText)
		}
		if _, err := http.ReadRequest(in); err == nil {
			c.NetConn().Close()
		}
	})).over(load(t, TLSOptions{CAFile: a.path}), "a.test")
	mustFetch(t, e, get())
	_, _, err := fetch(e, get(), Exchange{})
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != KindReset || !failed.Stale {
		t.Errorf("error %#v", err)
	}
}

func TestTLSFilesThatCannotBeUsed(t *testing.T) {
	a := newAuthority(t)
	_, certFile, keyFile := a.pair("a.test")
	_, otherCert, _ := a.pair("a.test")
	empty := write(t, "empty.pem", "NOTHING", nil)
	for name, o := range map[string]TLSOptions{
		"no such authority":   {CAFile: "/does/not/exist"},
		"empty authority":     {CAFile: empty},
		"no such certificate": {CertFile: "/does/not/exist", KeyFile: keyFile},
		"no such key":         {CertFile: certFile, KeyFile: "/does/not/exist"},
		"another's key":       {CertFile: otherCert, KeyFile: keyFile},
		"only a certificate":  {CertFile: certFile},
	} {
		if _, err := LoadTLS(o); err == nil {
			t.Errorf("%s: accepted", name)
		} else {
			t.Log(err)
		}
	}
}

// Endpoints keep their connections over a reload as long as the files say the same.
func TestTheSameFilesAreTheSameTLS(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	one := load(t, TLSOptions{CAFile: a.path})
	if !one.Same(load(t, TLSOptions{CAFile: a.path})) {
		t.Error("the same files are not the same")
	}
	content, err := os.ReadFile(b.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var none *TLS
	for name, other := range map[string]*TLS{
		"a new authority": load(t, TLSOptions{CAFile: a.path}),
		"not verified":    load(t, TLSOptions{InsecureSkipVerify: true}),
		"none":            none,
	} {
		if one.Same(other) || other.Same(one) {
			t.Errorf("%s is the same", name)
		}
	}
	if !none.Same(nil) {
		t.Error("none is not none")
	}
}
