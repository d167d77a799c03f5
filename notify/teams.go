package notify

import (
	"encoding/json"
	"strings"
)

// teamsMessage is what a webhook of Workflows in Microsoft Teams takes: an Adaptive Card as an attachment.
type teamsMessage struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string    `json:"contentType"`
	Content     teamsCard `json:"content"`
}

type teamsCard struct {
	Schema  string        `json:"$schema"`
	Type    string        `json:"type"`
	Version string        `json:"version"`
	Body    []teamsBlock  `json:"body"`
	Actions []teamsAction `json:"actions,omitempty"`
}

// teamsBlock is a RichTextBlock. Its runs are shown as they stand; a TextBlock would read Markdown.
type teamsBlock struct {
	Type    string     `json:"type"`
	Inlines []teamsRun `json:"inlines"`
}

type teamsRun struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	FontType string `json:"fontType,omitempty"`
}

type teamsAction struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// teams is a message for a webhook of Workflows.
func teams(m *message) ([]byte, error) {
	block := func(runs ...teamsRun) teamsBlock { return teamsBlock{"RichTextBlock", runs} }
	run := func(text string) teamsRun { return teamsRun{Type: "TextRun", Text: text} }
	card := teamsCard{
		Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4",
		Body: []teamsBlock{block(run(m.sentence()))},
	}
	for _, a := range m.actions {
		command := run(a.command)
		command.FontType = "Monospace"
		card.Body = append(card.Body, block(run("To "+a.does+": "), command))
	}
	for _, a := range m.actions {
		if a.link != "" {
			card.Actions = append(card.Actions, teamsAction{"Action.OpenUrl", sentenceCase(a.does), a.link})
		}
	}
	if m.link != "" {
		card.Actions = append(card.Actions, teamsAction{"Action.OpenUrl", "Open", m.link})
	}
	return json.Marshal(teamsMessage{
		Type:        "message",
		Attachments: []teamsAttachment{{"application/vnd.microsoft.card.adaptive", card}},
	})
}

// sentenceCase begins with a capital letter.
func sentenceCase(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
