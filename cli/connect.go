package cli

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
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
	caFile    string
	context   string
	output    string
}

// addConnectionFlags adds them.
func addConnectionFlags(root *cobra.Command, e env) *connection {
	c := &connection{env: e}
	flags := root.PersistentFlags()
	flags.StringVar(&c.socket, "socket", "", "unix `socket` of the running Haldane (HALDANE_SOCKET; default "+defaultSocket+" if it exists)")
	flags.StringVar(&c.address, "address", "", "admin `address` of the running Haldane, host:port or URL (HALDANE_ADDRESS; default "+defaultAddress+")")
	flags.StringVar(&c.tokenFile, "token-file", "", "`file` with the admin token, for changes over --address (HALDANE_TOKEN_FILE; default "+defaultTokenFile+" if it exists)")
	flags.StringVar(&c.caFile, "ca-file", "", "`file` with the authorities that the certificate of --address is verified with (HALDANE_CA_FILE; default those of the system)")
	flags.StringVar(&c.context, "context", "", "`name` of a connection of the contexts file (HALDANE_CONTEXT; default its current one; see haldane context)")
	flags.StringVarP(&c.output, "output", "o", formatTable, "`format` of what is printed: table, json or yaml")
	return c
}

// open finds the running Haldane. Flags win over the environment, that over the current context, and that over the defaults; the
// socket wins over the address.
func (c *connection) open() (*client, error) {
	if err := c.wantFormat(); err != nil {
		return nil, err
	}
	t, err := c.target()
	if err != nil {
		return nil, err
	}
	if t.Socket != "" {
		return newSocketClient(t.Socket), nil
	}
	base, err := parseAddress(t.Address)
	if err != nil {
		return nil, err
	}
	secret, err := c.token(base, t.TokenFile)
	if err != nil {
		return nil, err
	}
	trust, err := authorities(t.CAFile)
	if err != nil {
		return nil, err
	}
	return newAddressClient(base, secret, trust), nil
}

// target is where the running Haldane is, with what belongs to it. A token file or an authority that a flag names is good for any.
func (c *connection) target() (target, error) {
	t, err := c.place()
	if c.tokenFile != "" {
		t.TokenFile = c.tokenFile
	}
	if c.caFile != "" {
		t.CAFile = c.caFile
	}
	if t.TokenFile == "" {
		t.TokenFile = c.env.lookup("HALDANE_TOKEN_FILE", "")
	}
	if t.CAFile == "" {
		t.CAFile = c.env.lookup("HALDANE_CA_FILE", "")
	}
	return t, err
}

// place is where it is.
func (c *connection) place() (target, error) {
	if c.socket != "" && c.address != "" {
		return target{}, wrongUsage("--socket and --address exclude each other")
	}
	if c.socket != "" || c.address != "" {
		if c.context != "" {
			return target{}, wrongUsage("--context excludes --socket and --address")
		}
		return target{Socket: c.socket, Address: c.address}, nil
	}
	name := c.context
	if name == "" {
		name = c.env.lookup("HALDANE_CONTEXT", "")
	}
	if name == "" {
		if socket := c.env.lookup("HALDANE_SOCKET", ""); socket != "" {
			return target{Socket: socket}, nil
		}
		if address := c.env.lookup("HALDANE_ADDRESS", ""); address != "" {
			return target{Address: address}, nil
		}
	}
	all, err := readContexts(c.env)
	if err != nil {
		return target{}, err
	}
	if name == "" {
		name = all.Current
	}
	if name != "" {
		return all.find(name)
	}
	if _, err := os.Stat(defaultSocket); err == nil {
		return target{Socket: defaultSocket}, nil
	}
	return target{Address: defaultAddress}, nil
}

// authorities are those of a file; nil for those of the system.
func authorities(path string) (*tls.Config, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("read the authorities: %s has no certificate in PEM", path)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
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
func (c *connection) token(base *url.URL, path string) (string, error) {
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
