package admin

import (
	"fmt"
	"net/http"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"haldane/rollout"
)

// peer is the process at the other end of a unix socket.
type peer struct {
	known bool
	uid   uint32
	pid   int32
}

// caller is who sent a request, as far as we know it ourselves.
type caller struct {
	role     role
	listener string
	remote   string
	peer     peer
}

// callerKey finds the caller in the context of a request.
type callerKey struct{}

// callerOf is the caller of a request that has been let in.
func callerOf(r *http.Request) caller {
	who, _ := r.Context().Value(callerKey{}).(caller)
	return who
}

// String is the caller as the stored audit has it.
func (c caller) String() string {
	text := c.listener + ", " + c.role.String()
	switch {
	case c.listener == "":
		return ""
	case c.peer.known:
		return fmt.Sprintf("%s, uid %d, pid %d", c.listener, c.peer.uid, c.peer.pid)
	case c.remote != "" && c.remote != "@":
		text += ", " + c.remote
	}
	return text
}

// MarshalLogObject writes the caller into a line of the log.
func (c caller) MarshalLogObject(line zapcore.ObjectEncoder) error {
	line.AddString("role", c.role.String())
	line.AddString("listener", c.listener)
	line.AddString("remote", c.remote)
	if c.peer.known {
		line.AddUint32("uid", c.peer.uid)
		line.AddInt32("pid", c.peer.pid)
	}
	return nil
}

// standing is where a rollout is, as far as an order can move it.
type standing rollout.View

// MarshalLogObject writes the standing into a line of the log.
func (s standing) MarshalLogObject(line zapcore.ObjectEncoder) error {
	line.AddString("service", s.Service)
	line.AddString("rollout", s.ID)
	line.AddString("phase", s.Phase.String())
	line.AddInt("step", s.Step)
	line.AddString("weight", s.Weight.String())
	line.AddString("override", s.Override)
	line.AddUint64("split_revision", s.SplitRevision)
	return nil
}

// standings are those of several rollouts.
type standings []rollout.View

// MarshalLogArray writes them into a line of the log.
func (s standings) MarshalLogArray(list zapcore.ArrayEncoder) error {
	for _, view := range s {
		if err := list.AppendObject(standing(view)); err != nil {
			return err
		}
	}
	return nil
}

// audit writes one line about a change, or about the attempt: who, what, why, and what it changed. The actor is what the
// caller says it is; the rest we know ourselves.
func (s *Server) audit(r *http.Request, name string, err error, fields ...zap.Field) {
	fields = append([]zap.Field{zap.String("command", name), zap.Inline(callerOf(r))}, fields...)
	if err != nil {
		fields = append(fields, zap.Error(err))
	}
	s.options.Logger.Info("admin change", fields...)
}

// orderFields is the part of an audit line that the caller wrote.
func orderFields(order rollout.Command) []zap.Field {
	fields := []zap.Field{zap.String("kind", string(order.Kind)), zap.String("actor", order.Actor), zap.String("reason", order.Reason)}
	if order.Kind == rollout.CommandSetWeight {
		fields = append(fields, zap.Stringer("weight", order.Weight))
	}
	if order.Key != "" {
		fields = append(fields, zap.String("key", order.Key))
	}
	if order.IfRevision != "" {
		fields = append(fields, zap.String("if_revision", order.IfRevision))
	}
	if order.Item != "" {
		fields = append(fields, zap.String("item", order.Item))
	}
	if order.Force {
		fields = append(fields, zap.Bool("force", true))
	}
	if order.Variant != "" {
		fields = append(fields, zap.String("variant", order.Variant))
	}
	return fields
}
