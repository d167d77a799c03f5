package admin

import (
	"errors"
	"net/http"
	"strings"
	"syscall"

	"go.uber.org/zap"

	"haldane/rollout"
)

// rollouts lists the state of every rollout.
func (s *Server) rollouts(w http.ResponseWriter, _ *http.Request) error {
	return writeViews(w, s.options.Rollouts.Views())
}

// writeViews answers with a list, which is a list also when it is empty.
func writeViews(w http.ResponseWriter, views []rollout.View) error {
	if views == nil {
		views = []rollout.View{}
	}
	writeJSON(w, struct {
		Rollouts []rollout.View `json:"rollouts"`
	}{views})
	return nil
}

// rollout is the state of one rollout.
func (s *Server) rollout(w http.ResponseWriter, r *http.Request) error {
	view, ok := s.options.Rollouts.View(r.PathValue("service"))
	if !ok {
		return s.unknown(r.PathValue("service"))
	}
	if unchanged(r, &view) {
		w.Header().Set("ETag", tag(&view))
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeView(w, &view)
	return nil
}

// history is what happened in one rollout so far.
func (s *Server) history(w http.ResponseWriter, r *http.Request) error {
	view, ok := s.options.Rollouts.View(r.PathValue("service"))
	if !ok {
		return s.unknown(r.PathValue("service"))
	}
	events := view.History
	if events == nil {
		events = []rollout.Event{}
	}
	writeJSON(w, struct {
		History []rollout.Event `json:"history"`
	}{events})
	return nil
}

// unknown says whether there is no such service or only no rollout of it.
func (s *Server) unknown(name string) *problem {
	if _, known := s.options.Service(name); known {
		return refuse(http.StatusNotFound, "service %q has no rollout: its configuration names no canary", name)
	}
	return s.nobody(name)
}

// nobody says that there is no such service, and which there are if they are few.
func (s *Server) nobody(name string) *problem {
	const few = 10
	services := s.options.Services()
	if len(services) == 0 || len(services) > few {
		return refuse(http.StatusNotFound, "no service is called %q", name)
	}
	names := make([]string, len(services))
	for i, service := range services {
		names[i] = service.Name
	}
	return refuse(http.StatusNotFound, "no service is called %q; there is %s", name, strings.Join(names, ", "))
}

// command is the handler of one command. read takes its own members from the body.
func (s *Server) command(name string, read reader) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		service := r.PathValue("service")
		order, err := readOrder(r, read)
		if err != nil {
			return err
		}
		before, known := s.options.Rollouts.View(service)
		switch done, err := s.repeats(service, &order); {
		case err != nil:
			return err
		case done && known:
			w.Header().Set(replayedField, "true")
			writeView(w, &before)
			return nil
		}
		view, err := s.options.Rollouts.Do(service, order)
		fields := append(orderFields(order), zap.String("service", service))
		if known {
			fields = append(fields, zap.Object("before", standing(before)), zap.Object("after", standing(view)))
		}
		s.audit(r, name, err, fields...)
		switch {
		case errors.Is(err, rollout.ErrChanged):
			return changed(err, &view)
		case err != nil:
			return s.explain(service, err)
		}
		writeView(w, &view)
		return nil
	}
}

// readOrder reads a command with its condition, where it came from, and its key.
func readOrder(r *http.Request, read reader) (order rollout.Command, err error) {
	if order, err = read(r); err != nil {
		return order, err
	}
	order.Caller, order.Key = callerOf(r).String(), r.Header.Get(keyField)
	order.IfRevision, err = ifRevision(r)
	return order, err
}

// abortAll rolls every running rollout back.
func (s *Server) abortAll(w http.ResponseWriter, r *http.Request) error {
	order, err := readOrder(r, readPlain(rollout.CommandAbort))
	if err != nil {
		return err
	}
	if order.IfRevision != "" {
		return refuse(http.StatusBadRequest, "If-Match: there is no revision of all rollouts")
	}
	before := s.options.Rollouts.Views()
	views, err := s.options.Rollouts.AbortAll(order)
	s.audit(r, "abort all", err, append(orderFields(order), zap.Array("before", standings(before)), zap.Array("after", standings(views)))...)
	if err != nil {
		return s.explain("", err)
	}
	return writeViews(w, views)
}

// explain turns what stopped a command into an answer.
func (s *Server) explain(service string, err error) error {
	var impossible *rollout.ImpossibleError
	var frozen *rollout.FrozenError
	var open *rollout.ChecklistError
	switch {
	case errors.Is(err, rollout.ErrUnknown):
		return s.unknown(service)
	case errors.Is(err, rollout.ErrBadCommand):
		return refuse(http.StatusBadRequest, "%v", err)
	case errors.As(err, &impossible):
		return &problem{
			Type: "urn:haldane:problem:impossible", Title: "This is not possible now", Status: http.StatusConflict,
			Detail: impossible.Error(), Phase: impossible.Phase.String(), Possible: impossible.Possible,
		}
	case errors.As(err, &frozen):
		return &problem{Type: "urn:haldane:problem:frozen", Title: "Changes are frozen", Status: http.StatusConflict, Detail: frozen.Error()}
	case errors.As(err, &open):
		return &problem{Type: "urn:haldane:problem:checklist", Title: "The checklist is not done", Status: http.StatusConflict, Detail: open.Error()}
	case errors.Is(err, rollout.ErrMoved):
		return refuse(http.StatusConflict, "%v", err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return refuse(http.StatusInsufficientStorage, "the disk is full: %v", err)
	}
	// What is left is the store: the message says what it could not store.
	return refuse(http.StatusServiceUnavailable, "%v", err)
}
