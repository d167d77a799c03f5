package config

import (
	"errors"
	"net/url"
	glob "path"
	"strings"
)

// minSecret is the shortest key of a signature.
const minSecret = 16

func (v *validator) notifications(n *Notifications, top place) {
	at := top.key("notifications")
	if n.Link != "" {
		v.check(at.key("link"), WebAddress(n.Link))
	}
	v.notNegative(at.key("hold_after"), n.HoldAfter)
	for _, name := range names(n.Targets) {
		in := at.key("targets").key(name)
		v.name(in, "target", name)
		t := n.Targets[name]
		v.notificationTarget(&t, in)
		v.notified(t.Services, in.key("services"), top)
	}
}

func (v *validator) notificationTarget(t *NotificationTarget, at place) {
	if t.Type == "" && !at.key("type").written() {
		v.needed(at.key("type"), t.Type)
	} else {
		v.oneOf(at.key("type"), t.Type, TargetSlack, TargetTeams, TargetWebhook, TargetAlertmanager)
	}
	v.targetURL(t, at)
	v.targetSecret(t, at)
	v.oneOf(at.key("when"), t.When, WhenNeedsPerson, WhenEnded, WhenAll)
	if t.Type == TargetAlertmanager && (t.When == WhenEnded || t.When == WhenAll) {
		v.problems.wrong(at.key("when"), "an alert is a condition that lasts: an Alertmanager is told only of what needs a person")
	}
	v.positive(at.key("timeout"), t.Timeout)
	v.positive(at.key("give_up"), t.GiveUp)
}

// targetURL checks where a target is. No message shows it.
func (v *validator) targetURL(t *NotificationTarget, at place) {
	switch {
	case t.URL != "" && t.URLFile != "":
		v.problems.wrong(at.key("url_file"), "url and url_file exclude each other")
	case t.URL != "":
		if WebAddress(string(t.URL)) != nil {
			v.problems.wrong(at.key("url"), "expected a URL that begins with http:// or https:// and names a host")
		}
	case t.URLFile == "" && !v.problems.unread(at.key("url")) && !v.problems.unread(at.key("url_file")):
		v.problems.wrong(at, "one of url and url_file is required")
	}
}

func (v *validator) targetSecret(t *NotificationTarget, at place) {
	for _, given := range []struct{ key, value string }{{"secret", string(t.Secret)}, {"secret_file", t.SecretFile}} {
		if given.value != "" && t.Type != TargetWebhook {
			v.problems.wrong(at.key(given.key), "only a webhook is signed")
		}
	}
	if n := len(t.Secret); n > 0 && n < minSecret {
		v.problems.wrong(at.key("secret"), "a secret has at least %d characters, this one has %d", minSecret, n)
	}
	if t.Secret != "" && t.SecretFile != "" {
		v.problems.wrong(at.key("secret_file"), "secret and secret_file exclude each other")
	}
}

// notified checks the names of services, and patterns of names.
func (v *validator) notified(services []string, at, top place) {
	for i, service := range services {
		in := at.item(i)
		switch _, err := glob.Match(service, ""); {
		case service == "":
			v.needed(in, service)
		case err != nil:
			v.problems.wrong(in, "%q is not a pattern of names", service)
		case !strings.ContainsAny(service, `*?[\`):
			v.serviceName(in, service, top.key("services"))
		}
	}
}

// WebAddress checks an absolute URL of HTTP. The error does not show it.
func WebAddress(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r == 0x7f
	}) {
		return errors.New("expected a URL that begins with http:// or https:// and names a host")
	}
	return nil
}
