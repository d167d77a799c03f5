package admin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"haldane/config"
	"haldane/rollout"
)

// linkPath is where signed links lead.
const linkPath = "/link"

// linkKeyBytes is the shortest key of links.
const linkKeyBytes = 32

// Links makes and reads links that give one order with one click. A link is signed, and good for one step of one attempt for a while;
// the signature is the only credential it needs.
type Links struct {
	base     *url.URL
	lifetime time.Duration
	key      []byte
}

// claim is what a link says.
type claim struct {
	// Service and Place say what it is about, Order is what it orders.
	Service string              `json:"s"`
	Place   rollout.Place       `json:"p"`
	Order   rollout.CommandKind `json:"o"`
	// Via is the name of whom it was sent to, Expires the Unix second from which it is worth nothing.
	Via     string `json:"v"`
	Expires int64  `json:"e"`
}

// OpenLinks reads the key of links from a file, which is made when it does not exist, with mode 0600.
func OpenLinks(section config.Admin, path string) (*Links, error) {
	base, err := url.Parse(section.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("admin.public_url: %w", err)
	}
	text, err := tokenFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("the key of links: %w", err)
	}
	key, err := hex.DecodeString(text)
	if err != nil || len(key) < linkKeyBytes {
		return nil, fmt.Errorf("the key of links: %s does not hold %d bytes in hexadecimal; remove it to get another one", path, linkKeyBytes)
	}
	return &Links{base: base, lifetime: time.Duration(section.LinkLifetime), key: key}, nil
}

// Link is the address at which one click gives the order about the rollout as it is shown, as one of via; empty where a link
// cannot give it.
func (l *Links) Link(v *rollout.View, order rollout.CommandKind, via string, now time.Time) string {
	if !clickable(order) || v.Place.Rollout == "" {
		return ""
	}
	text, err := json.Marshal(claim{Service: v.Service, Place: v.Place, Order: order, Via: via, Expires: now.Add(l.lifetime).Unix()})
	if err != nil { // plain data
		return ""
	}
	payload := base64.RawURLEncoding.EncodeToString(text)
	address := *l.base.JoinPath(linkPath)
	address.RawQuery = "t=" + payload + "." + base64.RawURLEncoding.EncodeToString(l.sign(payload))
	address.Fragment = ""
	return address.String()
}

// clickable says whether a link can give an order.
func clickable(order rollout.CommandKind) bool {
	return order == rollout.CommandPromote || order == rollout.CommandAbort
}

// sign is the HMAC (RFC 2104) with SHA-256 of a payload.
func (l *Links) sign(payload string) []byte {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte("haldane link 1 " + payload))
	return mac.Sum(nil)
}

// errForged and errExpired say why a link is worth nothing.
var (
	errForged  = errors.New("this link is not genuine, or was not copied whole")
	errExpired = errors.New("this link has expired")
)

// read is what a token says: what we have signed, and that is not too old.
func (l *Links) read(token string, now time.Time) (claim, error) {
	var c claim
	payload, signature, _ := strings.Cut(token, ".")
	given, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || !hmac.Equal(given, l.sign(payload)) {
		return c, errForged
	}
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || json.Unmarshal(text, &c) != nil || !clickable(c.Order) {
		return c, errForged
	}
	if now.Unix() >= c.Expires {
		return c, errExpired
	}
	return c, nil
}

// origin is that of the pages that links lead to, as browsers send it.
func (l *Links) origin() string { return strings.ToLower(l.base.Scheme + "://" + l.base.Host) }
