package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode"

	"haldane/config"
	"haldane/rollout"
)

const (
	// reasonLongest and actorLongest bound what is kept in the history for ever.
	reasonLongest = 1000
	// actorLongest bounds the name of who did it.
	actorLongest = 200
)

// reader takes a command from a request.
type reader func(*http.Request) (rollout.Command, error)

// signature is what every command may say: why, who, and whether a gate counts.
type signature struct {
	Reason string `json:"reason"`
	Actor  string `json:"actor"`
	// Force does it in spite of a freeze, a cool-down or an open checklist; it takes a reason.
	Force bool `json:"force"`
}

// command is a command of a kind, signed.
func (g signature) command(kind rollout.CommandKind) (rollout.Command, error) {
	for _, part := range []struct {
		name, text string
		longest    int
	}{{"reason", g.Reason, reasonLongest}, {"actor", g.Actor, actorLongest}} {
		if len(part.text) > part.longest {
			return rollout.Command{}, refuse(http.StatusBadRequest, "%s: at most %d bytes", part.name, part.longest)
		}
		// It is shown on terminals later, where control characters are commands.
		if strings.ContainsFunc(part.text, unicode.IsControl) {
			return rollout.Command{}, refuse(http.StatusBadRequest, "%s: control characters are not accepted", part.name)
		}
	}
	if g.Actor == "" {
		g.Actor = "api"
	}
	return rollout.Command{Kind: kind, Reason: g.Reason, Actor: g.Actor, Force: g.Force}, nil
}

// commands are the commands for one service, by the last part of their path.
func commands() map[string]reader {
	return map[string]reader{
		"start":      readPlain(rollout.CommandStart),
		"promote":    readPromote,
		"pause":      readPlain(rollout.CommandPause),
		"resume":     readPlain(rollout.CommandResume),
		"abort":      readPlain(rollout.CommandAbort),
		"retry":      readPlain(rollout.CommandRetry),
		"set-weight": readSetWeight,
		"override":   readOverride,
		"tick":       readTick,
	}
}

// readPlain reads a command that says nothing but why and who.
func readPlain(kind rollout.CommandKind) reader {
	return func(r *http.Request) (rollout.Command, error) {
		var body signature
		if err := decode(r, &body); err != nil {
			return rollout.Command{}, err
		}
		return body.command(kind)
	}
}

func readPromote(r *http.Request) (rollout.Command, error) {
	var body struct {
		signature
		Full bool `json:"full"`
	}
	if err := decode(r, &body); err != nil {
		return rollout.Command{}, err
	}
	if body.Full {
		return body.command(rollout.CommandPromoteFull)
	}
	return body.command(rollout.CommandPromote)
}

func readSetWeight(r *http.Request) (rollout.Command, error) {
	var body struct {
		signature
		Weight json.RawMessage `json:"weight"`
	}
	if err := decode(r, &body); err != nil {
		return rollout.Command{}, err
	}
	weight, err := parseWeight(body.Weight)
	if err != nil {
		return rollout.Command{}, err
	}
	command, err := body.command(rollout.CommandSetWeight)
	command.Weight = weight
	return command, err
}

// parseWeight reads "5%" or a bare number of percent, as text in both cases: a float would round 0.01.
func parseWeight(raw json.RawMessage) (config.Percent, error) {
	text := string(raw)
	if text == "" || text == "null" {
		return 0, refuse(http.StatusBadRequest, `weight: missing; write "5%%" or a number of percent`)
	}
	if text[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return 0, refuse(http.StatusBadRequest, "weight: %v", err)
		}
	}
	weight, err := config.ParsePercent(text)
	if err != nil {
		return 0, refuse(http.StatusBadRequest, "weight: %v", err)
	}
	return weight, nil
}

func readOverride(r *http.Request) (rollout.Command, error) {
	var body struct {
		signature
		Variant string `json:"variant"`
		Clear   bool   `json:"clear"`
	}
	if err := decode(r, &body); err != nil {
		return rollout.Command{}, err
	}
	if body.Clear == (body.Variant != "") {
		return rollout.Command{}, refuse(http.StatusBadRequest, `write either "variant" or "clear": true`)
	}
	if body.Clear {
		return body.command(rollout.CommandClearOverride)
	}
	command, err := body.command(rollout.CommandOverride)
	command.Variant = body.Variant
	return command, err
}

func readTick(r *http.Request) (rollout.Command, error) {
	var body struct {
		signature
		Item   string `json:"item"`
		Untick bool   `json:"untick"`
	}
	if err := decode(r, &body); err != nil {
		return rollout.Command{}, err
	}
	if body.Item == "" {
		return rollout.Command{}, refuse(http.StatusBadRequest, "item: missing; write its text, or its number")
	}
	kind := rollout.CommandTick
	if body.Untick {
		kind = rollout.CommandUntick
	}
	command, err := body.command(kind)
	command.Item = body.Item
	return command, err
}

// decode reads the body as one JSON object whose members are all known. No body is an empty object.
func decode(r *http.Request, into any) error {
	text, err := readBody(r)
	if err != nil {
		return err
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return nil
	}
	if text[0] != '{' {
		return refuse(http.StatusBadRequest, "the body is not a JSON object")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return refuse(http.StatusBadRequest, "the body cannot be read: %v", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return refuse(http.StatusBadRequest, "the body has something after the JSON object")
	}
	return nil
}

// readBody reads the body, which is bounded.
func readBody(r *http.Request) ([]byte, error) {
	text, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the body cannot be read: %v", err)
	}
	return text, nil
}
