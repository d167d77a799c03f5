package notify

import (
	"encoding/json"
	"strings"
)

// slackBlock and slackElement are the parts of Slack's Block Kit that are used: rich text, whose elements are shown as they
// stand. Nothing in a sentence becomes markup there, whoever wrote it.
type slackBlock struct {
	Type     string         `json:"type"`
	Elements []slackElement `json:"elements"`
}

type slackElement struct {
	Type     string         `json:"type"`
	Elements []slackElement `json:"elements,omitempty"`
	Text     string         `json:"text,omitempty"`
	URL      string         `json:"url,omitempty"`
	Style    *slackStyle    `json:"style,omitempty"`
}

type slackStyle struct {
	Code bool `json:"code"`
}

// slack is a message for an incoming webhook of Slack. The text beside the blocks is for notifications on screens, where "&",
// "<" and ">" are control characters that have to be escaped.
func slack(m *message) ([]byte, error) {
	literal := func(text string) slackElement { return slackElement{Type: "text", Text: text} }
	section := []slackElement{literal(m.sentence())}
	for _, a := range m.actions {
		section = append(section, literal("\nTo "+a.does+": "),
			slackElement{Type: "text", Text: a.command, Style: &slackStyle{Code: true}})
		if a.link != "" {
			section = append(section, literal(" or "), slackElement{Type: "link", URL: a.link, Text: "click"})
		}
	}
	if m.link != "" {
		section = append(section, literal("\n"), slackElement{Type: "link", URL: m.link, Text: m.link})
	}
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	return json.Marshal(struct {
		Text   string       `json:"text"`
		Blocks []slackBlock `json:"blocks"`
	}{
		escape.Replace(m.sentence()),
		[]slackBlock{{"rich_text", []slackElement{{Type: "rich_text_section", Elements: section}}}},
	})
}
