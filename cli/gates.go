package cli

import (
	"io"
	"strconv"

	"haldane/rollout"
)

// showGates is what a rollout waits for besides the judge: the checklist and the hooks of the step.
func showGates(w io.Writer, g *rollout.GatesView) error {
	if g.Frozen != "" {
		if err := say(w, "\nchanges are frozen: %s\n", g.Frozen); err != nil {
			return err
		}
	}
	rows := newGrid(w)
	if len(g.Checklist) > 0 {
		rows.line("")
		rows.row("ITEM", "DONE", "BY", "CHECKLIST")
		for i, item := range g.Checklist {
			done := "no"
			if item.Done {
				done = "yes"
			}
			rows.row(strconv.Itoa(i+1), done, item.Actor, item.Item)
		}
	}
	if len(g.Hooks) > 0 {
		if err := rows.flush(); err != nil {
			return err
		}
		rows.line("")
		rows.row("HOOK", "POINT", "ANSWER", "FAILED", "TEXT")
		for _, h := range g.Hooks {
			rows.row(h.Name, h.Point, answer(h.Answer), failed(&h), h.Text)
		}
	}
	return rows.flush()
}

func answer(a rollout.HookAnswer) string {
	if a == "" {
		return "asked"
	}
	return string(a)
}

// failed is how often a hook has refused, and of how many times, where that ends something.
func failed(h *rollout.HookView) string {
	if h.Failures == 0 {
		return ""
	}
	return strconv.Itoa(h.Failed) + " of " + strconv.Itoa(h.Failures)
}
