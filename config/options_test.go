package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// messages is what is wrong with a file, each with its path.
func messages(t *testing.T, text string) []string {
	t.Helper()
	_, err := Parse("/etc/haldane/haldane.yaml", []byte(text), environment)
	var problems Problems
	if err != nil && !errors.As(err, &problems) {
		t.Fatal(err)
	}
	var list []string
	for _, p := range problems {
		list = append(list, p.Path+": "+p.Message)
	}
	return list
}

// optionCase is a value in its place, and all that is said about it; nothing for a good one.
type optionCase struct {
	value string
	want  []string
}

func good(value string) optionCase { return optionCase{value: value} }

func bad(value string, want ...string) optionCase { return optionCase{value, want} }

// testOptions puts every value into the place in a file that "VALUE" marks. Messages begin behind the prefix of their path.
// What is said about an item that was left empty comes first: it points at its list.
func testOptions(t *testing.T, file, prefix string, cases ...optionCase) {
	t.Helper()
	for _, c := range cases {
		var got []string
		for _, message := range messages(t, strings.Replace(file, "VALUE", c.value, 1)) {
			got = append(got, strings.TrimPrefix(message, prefix))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.value, diff)
		}
	}
}

const (
	inTop     = "version: 1\nVALUE" + small
	inVariant = "version: 1\nservices: {shop: {variants: {v1: {endpoints: [\"a:1\"], VALUE}}}}"
	inService = "version: 1\nservices: {shop: {variants: {v1: {endpoints: [\"a:1\"]}}, VALUE}}"
	inChecks  = "version: 1\npolicies: {quick: {steps: [5%], checks: {VALUE}}}" + small

	ofVariant = "services.shop.variants.v1."
	ofService = "services.shop."
	ofChecks  = "policies.quick.checks."
)

func TestListenOptions(t *testing.T) {
	const pair = "{cert_file: a.pem, key_file: a.key}"
	testOptions(t, inTop, "listen.",
		good("listen: {tls: {certificates: ["+pair+"]}}"),
		good("listen: {tls: {certificates: ["+pair+", "+pair+"], min_version: 1.3, client_ca_file: ca, client_auth: optional}}"),
		good("listen: {tls: off}"),
		good("listen: {tls: }"),
		bad("listen: {tls: {}}", "tls: at least one certificate is required"),
		bad("listen: {tls: {certificates: []}}", "tls: at least one certificate is required"),
		bad("listen: {tls: {certificates: "+pair+"}}", "tls.certificates: expected a list, got a mapping"),
		bad("listen: {tls: on}", `tls: expected off or a mapping of keys to values, got "on"`),
		bad("listen: {tls: {certificates: [{cert_file: a}, {key_file: k}]}}",
			"tls.certificates[0].key_file: this is required", "tls.certificates[1].cert_file: this is required"),
		bad("listen: {tls: {certificates: ["+pair+"], min_version: 1.1}}", `tls.min_version: expected 1.2 or 1.3, got "1.1"`),
		bad("listen: {tls: {certificates: ["+pair+"], client_ca_file: ca, client_auth: none}}",
			`tls.client_auth: expected require or optional, got "none"`),
		bad("listen: {tls: {certificates: ["+pair+"], client_auth: require}}",
			"tls.client_auth: client_auth needs client_ca_file: without it no client is asked for a certificate"),
		bad("listen: {tls: {certificates: ["+pair+"], client_auth: \"\"}}", `tls.client_auth: expected require or optional, got ""`),
		bad("listen: {tls: {address: nowhere, certificates: ["+pair+"]}}", `tls.address: expected host:port, got "nowhere"`),
		good("listen: {reuse_port: true}"),
		good("listen: {proxy_protocol: [10.0.0.0/8, 192.0.2.1, \"2001:db8::/32\", \"::1\"], trusted_proxies: []}"),
		bad("listen: {proxy_protocol: [balancer, 10.0.0.0/33], trusted_proxies: [~, \"::ffff:10.0.0.1\", \"fe80::1%eth0\"]}",
			`proxy_protocol[0]: expected an address or a network such as 10.0.0.0/8, got "balancer"`,
			`proxy_protocol[1]: expected an address or a network such as 10.0.0.0/8, got "10.0.0.0/33"`,
			`trusted_proxies[0]: expected an address or a network such as 10.0.0.0/8, got ""`,
			`trusted_proxies[1]: write "::ffff:10.0.0.1" as an IPv4 address`,
			`trusted_proxies[2]: expected an address or a network such as 10.0.0.0/8, got "fe80::1%eth0"`),
	)
}

func TestHTTPSNeedsAPortOfItsOwn(t *testing.T) {
	f := func(plain, tls string, same bool) {
		t.Helper()
		got := messages(t, "version: 1\nlisten: {address: \""+plain+"\", tls: {address: \""+tls+
			"\", certificates: [{cert_file: c, key_file: k}]}}"+small)
		var want []string
		if same {
			want = []string{"listen.tls.address: plain HTTP listens on " + plain + " already; HTTPS needs a port of its own"}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s and %s (-want +got):\n%s", plain, tls, diff)
		}
	}
	f(":8080", ":8080", true)
	f(":8080", "127.0.0.1:8080", true)
	f("[::]:8080", "127.0.0.1:8080", true)
	f("127.0.0.1:8080", "0.0.0.0:8080", true)
	f(":8080", ":08080", true)
	f("127.0.0.1:8080", "127.0.0.2:8080", false)
	f(":8080", ":8443", false)
	f(":0", ":0", false)
}

func TestAdminOptions(t *testing.T) {
	const token = "abcdefghijklmnop"
	testOptions(t, inTop, "admin.",
		good("admin: {token: "+token+", read_token: "+token+"q}"),
		good("admin: {token: "+token+", read_token_file: admin.token}"),
		good("admin: {hosts: [haldane.example, 192.0.2.1, \"[::1]\", Upper.Example], profiles: true}"),
		bad("admin: {token: "+token+", read_token: "+token+"}",
			"read_token: the read token is the same as the token: whoever may read could change everything"),
		bad("admin: {token_file: a/../t, read_token_file: t}",
			"read_token_file: the read token is in the file of the token: whoever may read could change everything"),
		bad("admin: {read_token_file: /var/lib/haldane/admin.token}",
			"read_token_file: the read token is in the file of the token: whoever may read could change everything"),
		bad("admin: {read_token: "+token+", read_token_file: f}", "read_token_file: read_token and read_token_file exclude each other"),
		bad("admin: {read_token: abcdefghijklmno}", "read_token: a token has at least 16 characters, this one has 15"),
		bad("admin: {read_token: \"abcdefgh ijklmnop\"}", "read_token: a token is made of printable ASCII characters without spaces"),
		bad("admin: {hosts: [\"*.example\", \"a:9901\", \"http://a\", ~]}",
			`hosts[3]: expected a host name or an address, without a port and written out, got ""`,
			`hosts[0]: expected a host name or an address, without a port and written out, got "*.example"`,
			`hosts[1]: expected a host name or an address, without a port and written out, got "a:9901"`,
			`hosts[2]: expected a host name or an address, without a port and written out, got "http://a"`),
		bad("admin: {profiles: true, socket: off}", "profiles: profiles are served on the socket, which is off"),
		good("admin: {tls: off}"),
	)
	c := mustParse(t, "version: 1\nadmin: {hosts: [Haldane.Example]}"+small)
	if diff := cmp.Diff([]string{"haldane.example"}, c.Admin.Hosts); diff != "" {
		t.Error(diff)
	}
}

func TestClientBounds(t *testing.T) {
	testOptions(t, inTop, "",
		good("limits: {connections_per_client: 0}\ntimeouts: {shutdown_delay: 0}"),
		good("limits: {connections_per_client: 1}\ntimeouts: {shutdown_delay: 5s}"),
		bad("limits: {connections_per_client: -1}", "limits.connections_per_client: expected at least 0, got -1"),
		bad("timeouts: {shutdown_delay: -1s}", "timeouts.shutdown_delay: a duration cannot be negative, got -1s"),
	)
}
