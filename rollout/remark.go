package rollout

import (
	"encoding/json"
	"fmt"
	"time"

	"haldane/store"
)

// CommandDrill is an order that is no command to a rollout: it is in the audit alone.
const CommandDrill CommandKind = "drill"

// Remark puts into the audit what was ordered about a service without touching its rollout. Time, Service and where the rollout is are
// filled in. It is stored with the next checkpoint; without a rollout of the service it is not kept.
func (m *Manager) Remark(service string, e AuditEntry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.runners[service]
	if r == nil || !r.awake() {
		return
	}
	e.Time, e.Service, e.Rollout = time.Now(), service, drawID(r.state.ID, r.state.Attempt)
	e.Before = r.state.standing()
	e.After = e.Before
	text, err := json.Marshal(e)
	if err != nil { // plain data
		return
	}
	key := fmt.Sprintf("%s %s %s %d", e.Service, e.Rollout, e.Command, e.Time.UnixNano())
	r.owe(nil, []store.Entry{{Time: e.Time, Key: key, Value: text}})
}
