package peers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"time"
)

// draws is how many clients are drawn to see what share the second variant gets.
const draws = 400

// Check asks a running proxy whether it does its work: the split, the pin, the cookie and the forwarded fields. field is the
// response field that names the variant.
func (r *Running) Check(ctx context.Context, host, field string) error {
	if r.Bytes {
		return nil
	}
	c, err := r.ask(ctx, host, field)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	if err := c.pin(); err != nil {
		return fmt.Errorf("%s: the pin: %w", r.Name, err)
	}
	if r.Only {
		return nil
	}
	if err := c.split(); err != nil {
		return fmt.Errorf("%s: the split: %w", r.Name, err)
	}
	if err := c.stay(); err != nil {
		return fmt.Errorf("%s: the cookie: %w", r.Name, err)
	}
	return nil
}

// checker asks one question after the other on one connection.
type checker struct {
	conn        net.Conn
	reader      *bufio.Reader
	host, field string
	only        bool
}

func (r *Running) ask(ctx context.Context, host, field string) (*checker, error) {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", r.Plain.String())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Name, err)
	}
	c := &checker{conn: conn, reader: bufio.NewReader(conn), host: host, field: field, only: r.Only}
	return c, conn.SetDeadline(time.Now().Add(20 * time.Second))
}

// reply is what a question gave.
type reply struct{ variant, cookie, body string }

func (c *checker) get(fields string) (reply, error) {
	if _, err := fmt.Fprintf(c.conn, "GET /seen HTTP/1.1\r\nHost: %s\r\n%s\r\n", c.host, fields); err != nil {
		return reply{}, err
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return reply{}, err
	}
	if response.StatusCode != http.StatusOK {
		return reply{}, fmt.Errorf("status %d", response.StatusCode)
	}
	a := reply{variant: response.Header.Get(c.field), body: string(body)}
	for _, set := range response.Cookies() {
		a.cookie = set.Name + "=" + set.Value
	}
	return a, nil
}

// pin asks for each variant by name, and looks what reached it.
func (c *checker) pin() error {
	for _, wanted := range []string{"v1", "v2", "v2", "v1"} {
		if c.only {
			wanted = "v1"
		}
		a, err := c.get("X-Version: " + wanted + "\r\n")
		if err != nil {
			return err
		}
		if a.variant != wanted {
			return fmt.Errorf("asked for %s and got %s", wanted, a.variant)
		}
		seen := strings.ToLower(a.body)
		if !strings.Contains(seen, "x-forwarded-for: 127.0.0.1\r\n") || !strings.Contains(seen, "x-forwarded-proto: http\r\n") {
			return fmt.Errorf("a forwarded field is missing in %q", a.body)
		}
	}
	return nil
}

// split draws clients that are not known, which come to the second variant with the share that they should: within five
// standard deviations of a binomial.
func (c *checker) split() error {
	second := 0
	for range draws {
		a, err := c.get("")
		if err != nil {
			return err
		}
		if a.variant == "v2" {
			second++
		}
	}
	const p = Share / 100.0
	if off := math.Abs(float64(second) - p*draws); off > 5*math.Sqrt(draws*p*(1-p)) {
		return fmt.Errorf("%d of %d clients came to the second variant, of which %d %% should", second, draws, Share)
	}
	return nil
}

// stay comes back with the cookie that was set.
func (c *checker) stay() error {
	for range 8 {
		first, err := c.get("")
		if err != nil {
			return err
		}
		if first.cookie == "" {
			return errors.New("none was set")
		}
		for range 5 {
			again, err := c.get("Cookie: " + first.cookie + "\r\n")
			if err != nil {
				return err
			}
			if again.variant != first.variant {
				return fmt.Errorf("a client moved from %s to %s", first.variant, again.variant)
			}
		}
	}
	return nil
}
