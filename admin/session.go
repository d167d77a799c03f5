package admin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"haldane/config"
)

const (
	// sessionLasts is how long a login is good for.
	sessionLasts = 12 * time.Hour
	// sessionField carries the second half of a session: the key that the page got at the login.
	sessionField = "Haldane-Session"
	// sessionNonce is the length of what tells sessions apart.
	sessionNonce = 16
	// revokedMost is how many sessions that were logged out are remembered, until they would have ended by themselves.
	revokedMost = 1024
)

// sessions are the logins of browsers at one door. A session has two halves. The cookie lets its holder read; browsers send it to every port of the
// host, and so also to a backend that somebody visits through the proxy. To change something takes the key as well, which the page keeps to its own
// origin, port included, and sends in a field. Neither half is stored here: both are signed with a key that only whoever knows the tokens can make,
// so that a session outlives a restart, and none outlives a change of the token.
type sessions struct {
	secret [sha256.Size]byte
	name   string // of the cookie

	mu      sync.Mutex
	revoked map[[sessionNonce]byte]time.Time // until when; guarded by mu
}

// newSessions derives the secret from the tokens, so that none is worth anything without them.
func newSessions(section config.Admin, unlock *keys, port string) *sessions {
	s := &sessions{name: "haldane-" + port, revoked: make(map[[sessionNonce]byte]time.Time)}
	if section.TLS != nil {
		s.name = "__Host-" + s.name
	}
	read := token{}
	if unlock.read != nil {
		read = *unlock.read
	}
	mac := hmac.New(sha256.New, unlock.operate.seed[:])
	mac.Write([]byte("haldane session 1"))
	mac.Write(read.seed[:])
	mac.Sum(s.secret[:0])
	return s
}

// session is what a cookie says.
type session struct {
	nonce   [sessionNonce]byte
	role    role
	expires time.Time
}

// payload is the session as it is signed.
func (n *session) payload() []byte {
	text := append([]byte{byte(n.role)}, n.nonce[:]...)
	return binary.BigEndian.AppendUint64(text, uint64(n.expires.Unix()))
}

// sign is the HMAC (RFC 2104) with SHA-256 of a payload, for one of the two halves.
func (s *sessions) sign(half string, payload []byte) []byte {
	mac := hmac.New(sha256.New, s.secret[:])
	mac.Write([]byte(half))
	mac.Write(payload)
	return mac.Sum(nil)
}

// The two halves of a session.
const (
	halfCookie = "cookie "
	halfKey    = "key "
)

// begin makes a session for a role: its cookie and its key.
func (s *sessions) begin(granted role, now time.Time) (cookie *http.Cookie, key string) {
	n := session{role: granted, expires: now.Add(sessionLasts)}
	_, _ = rand.Read(n.nonce[:]) // never fails (crypto/rand)
	payload := n.payload()
	value := slices.Concat(payload, s.sign(halfCookie, payload))
	return s.cookie(base64.RawURLEncoding.EncodeToString(value), int(sessionLasts/time.Second)), base64.RawURLEncoding.EncodeToString(s.sign(halfKey, payload))
}

// cookie is the cookie with a value, for so many seconds; below zero it goes.
func (s *sessions) cookie(value string, seconds int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure with TLS; loopback has none, and browsers would drop the cookie
		Name: s.name, Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: strings.HasPrefix(s.name, "__Host-"),
	}
}

// of is the session of a request; its role is roleNone without a good one.
func (s *sessions) of(r *http.Request, now time.Time) (n session) {
	cookies := r.CookiesNamed(s.name)
	if len(cookies) != 1 {
		return session{}
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(cookies[0].Value)
	if err != nil || len(text) != len(n.payload())+sha256.Size {
		return session{}
	}
	payload, signature := text[:len(text)-sha256.Size], text[len(text)-sha256.Size:]
	if !hmac.Equal(signature, s.sign(halfCookie, payload)) {
		return session{}
	}
	n.role = role(payload[0])
	copy(n.nonce[:], payload[1:])
	n.expires = time.Unix(int64(binary.BigEndian.Uint64(payload[1+sessionNonce:])), 0)
	if !now.Before(n.expires) || s.isRevoked(n.nonce, now) {
		return session{}
	}
	return n
}

// holdsKey says whether a request shows the key of a session.
func (s *sessions) holdsKey(r *http.Request, n *session) bool {
	given, err := base64.RawURLEncoding.Strict().DecodeString(r.Header.Get(sessionField))
	return err == nil && hmac.Equal(given, s.sign(halfKey, n.payload()))
}

// revoke ends a session before its time.
func (s *sessions) revoke(n *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.revoked) >= revokedMost {
		for nonce := range s.revoked { // any: it is a long list
			delete(s.revoked, nonce)
			break
		}
	}
	s.revoked[n.nonce] = n.expires
}

func (s *sessions) isRevoked(nonce [sessionNonce]byte, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, found := s.revoked[nonce]
	if found && now.After(until) {
		delete(s.revoked, nonce)
	}
	return found
}
