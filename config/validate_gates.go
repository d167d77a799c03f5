package config

import "unicode"

const (
	// checklistItems and checklistItem bound a checklist and one of its items.
	checklistItems = 50
	// checklistItem is in bytes.
	checklistItem = 200
	// mostRetries bounds the attempts of one question.
	mostRetries = 10
)

// gates checks what else a policy waits for.
func (v *validator) gates(p *Policy, at place) {
	for i := range p.Windows {
		v.window(&p.Windows[i], at.key("windows").item(i))
	}
	v.freezes(p.Freezes, at.key("freezes"))
	for _, point := range HookPoints() {
		v.hooks(p.Hooks.At(point), at.key("hooks").key(point))
	}
	for i := range p.Steps {
		v.checklist(p.Steps[i].Checklist, at.key("steps").item(i).key("checklist"))
	}
}

func (v *validator) window(w *Window, at place) {
	switch {
	case w.From == w.To && !v.problems.unread(at.key("from")) && !v.problems.unread(at.key("to")):
		v.problems.wrong(at, "a window from %s to %s never opens; leave both out for the whole day", w.From, w.To)
	case w.From == dayMinutes:
		v.problems.wrong(at.key("from"), "a window cannot open at the end of the day; write 00:00 and the next day")
	}
}

func (v *validator) freezes(list []Freeze, at place) {
	for i := range list {
		f, in := &list[i], at.item(i)
		bad := false
		for _, end := range []struct {
			key    string
			moment Moment
		}{{"from", f.From}, {"to", f.To}} {
			if end.moment == 0 {
				bad = true
				v.needed(in.key(end.key), "")
			}
		}
		if !bad && f.To <= f.From {
			v.problems.wrong(in.key("to"), "a freeze cannot end (%s) before it has begun (%s)", f.To, f.From)
		}
		v.needed(in.key("reason"), f.Reason)
	}
}

func (v *validator) hooks(list []Hook, at place) {
	taken := make(map[string]bool)
	for i := range list {
		h, in := &list[i], at.item(i)
		switch {
		case h.Name == "":
			v.needed(in.key("name"), h.Name)
		case taken[h.Name]:
			v.problems.wrong(in.key("name"), "another hook of this point is called %q", h.Name)
		default:
			v.name(in.key("name"), "hook", h.Name)
		}
		taken[h.Name] = true
		v.hook(h, in)
	}
}

func (v *validator) hook(h *Hook, at place) {
	v.targetURL(&NotificationTarget{URL: h.URL, URLFile: h.URLFile}, at)
	v.targetSecret(&NotificationTarget{Type: TargetWebhook, Secret: h.Secret, SecretFile: h.SecretFile}, at)
	v.positive(at.key("timeout"), h.Timeout)
	v.atLeast(at.key("retries"), h.Retries, 0)
	if h.Retries > mostRetries {
		v.problems.wrong(at.key("retries"), "expected at most %d, got %d", mostRetries, h.Retries)
	}
	v.notBelow(at.key("every"), h.Every, seconds(1))
	v.atLeast(at.key("failures"), h.Failures, 1)
}

func (v *validator) checklist(items []string, at place) {
	if len(items) > checklistItems {
		v.problems.wrong(at, "expected at most %d items, got %d", checklistItems, len(items))
	}
	taken := make(map[string]bool)
	for i, item := range items {
		in := at.item(i)
		switch {
		case item == "":
			v.needed(in, item)
		case len(item) > checklistItem:
			v.problems.wrong(in, "expected at most %d bytes, got %d", checklistItem, len(item))
		case taken[item]:
			v.problems.wrong(in, "this item is there already")
		}
		for _, r := range item {
			if !unicode.IsPrint(r) {
				v.problems.wrong(in, "an item is one line of text that can be shown")
				break
			}
		}
		taken[item] = true
	}
}

// links checks the addresses of links in notifications.
func (v *validator) links(a *Admin, at place) {
	if a.PublicURL != "" {
		v.check(at.key("public_url"), WebAddress(a.PublicURL))
		if a.Address == Off {
			v.problems.wrong(at.key("public_url"), "links lead to the admin listener, which is off")
		}
	}
	v.positive(at.key("link_lifetime"), a.LinkLifetime)
}
