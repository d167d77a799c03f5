package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRetryAfterField(t *testing.T) {
	now := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	for field, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "-5": 0, "soon": 0, "999999": time.Hour, "99999999999999999999": 0,
		"Wed, 01 Jan 2025 12:00:30 GMT": 30 * time.Second, "Wed, 01 Jan 2025 11:00:00 GMT": 0, "Fri, 01 Jan 2027 11:00:00 GMT": time.Hour,
	} {
		if got := retryAfter(field, now); got != want {
			t.Errorf("%q is %v, want %v", field, got, want)
		}
	}
}

// verify is how a receiver checks a signature, and that it is not older than five minutes.
func verify(secret, field string, body []byte, now time.Time) bool {
	stamp, signature, _ := strings.Cut(field, ",")
	seconds, isTime := strings.CutPrefix(stamp, "t=")
	written, isSignature := strings.CutPrefix(signature, "v1=")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if !isTime || !isSignature || err != nil || now.Sub(time.Unix(unix, 0)).Abs() > 5*time.Minute {
		return false
	}
	given, err := hex.DecodeString(written)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(seconds + "." + string(body)))
	return hmac.Equal(given, mac.Sum(nil))
}

func ExampleSign() {
	const secret = "not-a-good-secret"
	now, body := time.Unix(1_735_689_600, 0), []byte(`{"specversion":"1.0"}`)
	field := Sign(secret, now, body)
	fmt.Println(field)
	fmt.Println(verify(secret, field, body, now.Add(time.Minute)))
	fmt.Println("changed:", verify(secret, field, []byte(`{"specversion":"1.1"}`), now))
	fmt.Println("old:", verify(secret, field, body, now.Add(time.Hour)))
	fmt.Println("made later:", verify(secret, strings.Replace(field, "t=1735689600", "t=1735693200", 1), body, now.Add(time.Hour)))
	// Output:
	// t=1735689600,v1=ad54615abfe93c8a1113739772dd4dbbd47db482351d56dc3c988ff4b348beed
	// true
	// changed: false
	// old: false
	// made later: false
}
