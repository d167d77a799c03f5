package notify

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/rollout"
)

// nasty is what an upstream, a service or an operator may have written.
const nasty = "<!channel> *bold* `code` [text](https://evil.example) <https://evil.example|click>\r\n# heading\x1b[31m \u202eback\u200b @here &amp; \u2028end"

func sample() *message {
	v := rollout.View{Service: "shop", ID: "f138", Attempt: 1, Stable: "v1", Canary: "v2", Policy: "careful", Phase: rollout.PhasePaused, Pause: rollout.PauseGate, Steps: 4}
	e := rollout.Event{
		Sequence: 7, Time: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC), Service: "shop", Rollout: "f138", Kind: rollout.EventPaused,
		Phase: rollout.PhasePaused, Step: 1, StepName: "5%", Weight: 5 * percent, Reason: nasty,
	}
	f := &follower{settings: &Settings{link: "https://haldane.example/{service}?r={rollout}"}}
	m := f.telling(&v, &e, nil, needApproval)
	m.count, m.kinds = 3, []string{"started", "step", "paused"}
	return &m
}

// pretty is JSON that can be compared.
func pretty(t *testing.T, body []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, body, "", " "); err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(b.String())
}

const sampleText = "shop: v2 waits for an approval at 5 %: <!channel> *bold* `code` [text](https://evil.example) <https://evil.example|click> " +
	"# heading [31m back @here &amp; end. (3 events, the last: started, step, paused)"

// Whatever a sentence holds stands in elements that are shown literally, or is escaped.
func TestSlack(t *testing.T) {
	body, err := slack(sample())
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(sampleText)
	want := `{
 "text": "` + escaped + `",
 "blocks": [
  {
   "type": "rich_text",
   "elements": [
    {
     "type": "rich_text_section",
     "elements": [
      {
       "type": "text",
       "text": "` + sampleText + `"
      },
      {
       "type": "text",
       "text": "\nTo approve: "
      },
      {
       "type": "text",
       "text": "haldane promote shop",
       "style": {
        "code": true
       }
      },
      {
       "type": "text",
       "text": "\nTo roll back: "
      },
      {
       "type": "text",
       "text": "haldane abort shop",
       "style": {
        "code": true
       }
      },
      {
       "type": "text",
       "text": "\n"
      },
      {
       "type": "link",
       "text": "https://haldane.example/shop?r=f138",
       "url": "https://haldane.example/shop?r=f138"
      }
     ]
    }
   ]
  }
 ]
}`
	if diff := cmp.Diff(want, pretty(t, body, err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTeams(t *testing.T) {
	body, err := teams(sample())
	want := `{
 "type": "message",
 "attachments": [
  {
   "contentType": "application/vnd.microsoft.card.adaptive",
   "content": {
    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
    "type": "AdaptiveCard",
    "version": "1.4",
    "body": [
     {
      "type": "RichTextBlock",
      "inlines": [
       {
        "type": "TextRun",
        "text": "` + sampleText + `"
       }
      ]
     },
     {
      "type": "RichTextBlock",
      "inlines": [
       {
        "type": "TextRun",
        "text": "To approve: "
       },
       {
        "type": "TextRun",
        "text": "haldane promote shop",
        "fontType": "Monospace"
       }
      ]
     },
     {
      "type": "RichTextBlock",
      "inlines": [
       {
        "type": "TextRun",
        "text": "To roll back: "
       },
       {
        "type": "TextRun",
        "text": "haldane abort shop",
        "fontType": "Monospace"
       }
      ]
     }
    ],
    "actions": [
     {
      "type": "Action.OpenUrl",
      "title": "Open",
      "url": "https://haldane.example/shop?r=f138"
     }
    ]
   }
  }
 ]
}`
	if diff := cmp.Diff(want, pretty(t, body, err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCloudEvent(t *testing.T) {
	body, err := cloudEvent(sample(), "/haldane/test")
	want := `{
 "specversion": "1.0",
 "id": "f138-7",
 "source": "/haldane/test",
 "type": "haldane.rollout.paused",
 "subject": "shop",
 "time": "2025-01-02T03:04:05Z",
 "datacontenttype": "application/json",
 "data": {
  "text": "` + sampleText + `",
  "kind": "paused",
  "needs_person": true,
  "needs": "approval",
  "commands": [
   "haldane promote shop",
   "haldane abort shop"
  ],
  "link": "https://haldane.example/shop?r=f138",
  "events": 3,
  "kinds": [
   "started",
   "step",
   "paused"
  ],
  "service": "shop",
  "rollout": "f138",
  "attempt": 1,
  "stable": "v1",
  "canary": "v2",
  "policy": "careful",
  "phase": "paused",
  "pause": "gate",
  "step": 2,
  "steps": 4,
  "weight": "5%",
  "reason": "<!channel> *bold* ` + "`code`" + ` [text](https://evil.example) <https://evil.example|click> # heading [31m back @here &amp; end"
 }
}`
	if diff := cmp.Diff(want, pretty(t, body, err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		" a\n\n\tb ":                  "a b",
		"\x00\x1b[2Ja\u202eb\ufeff":   "[2Ja b",
		"1 in 3,400 \u2264 µs":        "1 in 3,400 \u2264 µs",
		"bad \xff utf":                "bad utf",
		strings.Repeat("ä", 10_000):   strings.Repeat("ä", textLongest) + "...",
		strings.Repeat("\n", 100_000): "",
	} {
		if got := plain(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
