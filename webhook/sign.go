package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// SignatureField is the field of a request to a webhook that holds its signature: "t=1735689600,v1=5257a869...".
const SignatureField = "Haldane-Signature"

// Sign is the value of SignatureField: the time in Unix seconds, and the HMAC (RFC 2104) with SHA-256, in hexadecimal, of
// these seconds as decimal digits, a dot, and the body as it is sent. The time is that of the attempt, so that a receiver can
// refuse what is old and was recorded.
func Sign(secret string, now time.Time, body []byte) string {
	seconds := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
