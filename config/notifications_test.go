package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNotificationOptions(t *testing.T) {
	target := func(text string) string { return "notifications: {targets: {room: {" + text + "}}}" }
	const hook, at = `url: "https://hooks.example/T0/B0/hunter2"`, "targets.room."
	const noURL = "expected a URL that begins with http:// or https:// and names a host"
	testOptions(t, inTop, "notifications.",
		good("notifications: {link: \"https://haldane.example/{service}\", hold_after: 0}"),
		bad("notifications: {link: haldane.example}", "link: "+noURL),
		bad("notifications: {hold_after: -1s}", "hold_after: a duration cannot be negative, got -1s"),
		good(target("type: slack, "+hook)),
		good(target("type: teams, url_file: teams.url, when: all")),
		good(target("type: webhook, "+hook+", secret: abcdefghijklmnop, when: ended, services: [shop, sh*]")),
		good(target("type: webhook, "+hook+", secret_file: key, timeout: 1s, give_up: 1d")),
		good(target("type: alertmanager, "+hook)),
		bad(target("type: slack"), "targets.room: one of url and url_file is required"),
		bad(target(hook), at+"type: this is required"),
		bad(target("type: pager, "+hook), at+`type: expected slack, teams, webhook or alertmanager, got "pager"`),
		bad(target("type: slack, url_file: u, "+hook), at+"url_file: url and url_file exclude each other"),
		bad(target("type: slack, url: hooks.example/hunter2"), at+"url: "+noURL),
		bad(target("type: slack, url: \"ftp://hooks.example\""), at+"url: "+noURL),
		bad(target("type: slack, url: \"http://\""), at+"url: "+noURL),
		bad(target("type: slack, url: \"http://a b\""), at+"url: "+noURL),
		bad(target("type: slack, secret: abcdefghijklmnop, "+hook), at+"secret: only a webhook is signed"),
		bad(target("type: teams, secret_file: key, "+hook), at+"secret_file: only a webhook is signed"),
		bad(target("type: webhook, secret: hunter2, "+hook), at+"secret: a secret has at least 16 characters, this one has 7"),
		bad(target("type: webhook, secret: abcdefghijklmnop, secret_file: key, "+hook),
			at+"secret_file: secret and secret_file exclude each other"),
		bad(target("type: slack, when: always, "+hook), at+`when: expected needs_person, ended or all, got "always"`),
		bad(target("type: alertmanager, when: all, "+hook),
			at+"when: an alert is a condition that lasts: an Alertmanager is told only of what needs a person"),
		bad(target("type: slack, timeout: 0, give_up: -1s, "+hook),
			at+"timeout: expected a duration above zero, got 0s", at+"give_up: expected a duration above zero, got -1s"),
		bad(target("type: slack, services: [shpo, \"[\", s?op], "+hook),
			at+`services[0]: there is no service "shpo" (did you mean "shop"?)`, at+`services[1]: "[" is not a pattern of names`),
		bad("notifications: {targets: {\"a b\": {type: slack, "+hook+"}}}",
			`targets["a b"]: the name of a target is made of letters, digits, ".", "_" and "-" and begins with a letter or `+
				`a digit, got "a b"`),
	)
}

func TestNotificationDefaults(t *testing.T) {
	c := mustParse(t, "version: 1\nnotifications: {targets: {a: {type: webhook, url_file: u, secret_file: /k}}}"+small)
	want := Notifications{HoldAfter: minutes(15), Targets: map[string]NotificationTarget{"a": {
		Type: TargetWebhook, URLFile: "/etc/haldane/u", SecretFile: "/k", When: WhenNeedsPerson, Timeout: seconds(10), GiveUp: minutes(60),
	}}}
	if diff := cmp.Diff(want, c.Notifications); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	problems := c.CheckFiles()
	if len(problems) != 2 || problems[0].Path != "notifications.targets.a.url_file" || problems[1].Path != "notifications.targets.a.secret_file" {
		t.Errorf("two files are missing: %v", problems)
	}
}

func TestNotificationSecretsStayHidden(t *testing.T) {
	c := mustParse(t, "version: 1\nnotifications: {targets: {a: {type: webhook, url: \"https://h.example/hunter2\", secret: hunter2hunter2hunter2}}}"+small)
	text, err := c.Dump()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hunter2") || !strings.Contains(string(text), "url: '***'") || !strings.Contains(string(text), "secret: '***'") {
		t.Errorf("the URL or the secret shows, or not that there is one:\n%s", text)
	}
}
