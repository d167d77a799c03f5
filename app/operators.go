package app

import (
	"sync"

	"haldane/rollout"
)

// operators is what operators see and command: the rollouts, except while another process takes them over. An order that came
// between the last time they are stored here and the first time they are read there would be lost, so it is refused.
type operators struct {
	*rollout.Manager

	mu    sync.RWMutex // held for reading by each order
	leave bool         // guarded by mu
}

// suspend refuses orders from now on, and waits for those that have begun.
func (o *operators) suspend() { o.set(true) }

// resume takes orders again.
func (o *operators) resume() { o.set(false) }

func (o *operators) set(leave bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.leave = leave
}

// Do carries out one command.
func (o *operators) Do(service string, command rollout.Command) (rollout.View, error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if o.leave {
		return rollout.View{}, errReleased
	}
	return o.Manager.Do(service, command)
}

// Post takes totals of a business metric.
func (o *operators) Post(service string, p rollout.Post) (again bool, err error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if o.leave {
		return false, errReleased
	}
	return o.Manager.Post(service, p)
}

// AbortAll rolls every running rollout back.
func (o *operators) AbortAll(order rollout.Command) ([]rollout.View, error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if o.leave {
		return nil, errReleased
	}
	return o.Manager.AbortAll(order)
}
