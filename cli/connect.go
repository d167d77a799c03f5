package cli

import (
	"errors"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"haldane/admin"
)

// Where a running Haldane is found when nothing is said.
const (
	defaultSocket    = "/var/lib/haldane/haldane.sock"
	defaultAddress   = "127.0.0.1:9901"
	defaultTokenFile = "/var/lib/haldane/admin.token"
)

// The formats of the flag --output.
const (
	formatTable = "table"
	formatJSON  = "json"
	formatYAML  = "yaml"
)

// connection holds the flags that all commands for a running Haldane share.
type connection struct {
	env       env
	socket    string
	address   string
	tokenFile string
	output    string
}

// addConnectionFlags adds them.
func addConnectionFlags(root *cobra.Command, e env) *connection {
	c := &connection{env: e}
	flags := root.PersistentFlags()
	flags.StringVar(&c.socket, "socket", "", "unix `socket` of the running Haldane (HALDANE_SOCKET; default "+defaultSocket+" if it exists)")
	flags.StringVar(&c.address, "address", "", "admin `address` of the running Haldane, host:port or URL (HALDANE_ADDRESS; default "+defaultAddress+")")
	flags.StringVar(&c.tokenFile, "token-file", "", "`file` with the admin token, for changes over --address (HALDANE_TOKEN_FILE; default "+defaultTokenFile+" if it exists)")
	flags.StringVarP(&c.output, "output", "o", formatTable, "`format` of what is printed: table, json or yaml")
	return c
}

// open finds the running Haldane. Flags win over the environment, and that over the defaults; the socket wins over the address.
func (c *connection) open() (*client, error) {
	if err := c.wantFormat(); err != nil {
		return nil, err
	}
	socket, address := c.socket, c.address
	if socket != "" && address != "" {
		return nil, wrongUsage("--socket and --address exclude each other")
	}
	if socket == "" && address == "" {
		if socket = c.env.lookup("HALDANE_SOCKET", ""); socket == "" {
			address = c.env.lookup("HALDANE_ADDRESS", "")
		}
	}
	if socket == "" && address == "" {
		if _, err := os.Stat(defaultSocket); err == nil {
			socket = defaultSocket
		} else {
			address = defaultAddress
		}
	}
	if socket != "" {
		return newSocketClient(socket), nil
	}
	base, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	secret, err := c.token(base)
	if err != nil {
		return nil, err
	}
	return newAddressClient(base, secret), nil
}

// wantFormat refuses a format that does not exist.
func (c *connection) wantFormat() error {
	switch c.output {
	case formatTable, formatJSON, formatYAML:
		return nil
	}
	return wrongUsage("--output: %q is none of table, json, yaml", c.output)
}

// parseAddress reads host:port or a URL without a path.
func parseAddress(address string) (*url.URL, error) {
	text := address
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	base, err := url.Parse(text)
	if err != nil || base.Host == "" || base.User != nil || strings.Trim(base.Path, "/") != "" || base.RawQuery != "" ||
		base.Scheme != "http" && base.Scheme != "https" {
		return nil, wrongUsage("--address: %q is neither host:port nor a URL like https://haldane.example:9901", address)
	}
	base.Path = ""
	return base, nil
}

// token reads the token file that was named, or else the usual one if we can. The usual one does not leave the machine in
// the open.
func (c *connection) token(base *url.URL) (string, error) {
	path := c.tokenFile
	if path == "" {
		path = c.env.lookup("HALDANE_TOKEN_FILE", "")
	}
	if path != "" {
		return admin.ReadTokenFile(path)
	}
	if base.Scheme != "https" && !isLoopback(base.Hostname()) {
		return "", nil
	}
	secret, err := admin.ReadTokenFile(defaultTokenFile)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return "", nil // the answer says if a token is needed
	}
	return secret, err
}

// isLoopback says whether the host is this machine.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
