package hooks

import (
	"fmt"
	"maps"
	"net/http"
	"time"

	"haldane/config"
	"haldane/webhook"
)

// key finds a hook.
type key struct{ service, point, name string }

// door is how a hook is reached.
type door struct {
	target   webhook.Target
	timeout  time.Duration
	retries  int
	metadata map[string]string
	client   *http.Client
}

// Settings are the hooks of all services, with what their files hold. They are never changed.
type Settings struct{ doors map[key]*door }

// Read understands the hooks of services, which config has validated, and reads the files they name. An error shows no secret.
func Read(services map[string]config.Hooks) (*Settings, error) {
	s := &Settings{doors: make(map[key]*door)}
	for service, hooks := range services {
		for _, point := range config.HookPoints() {
			for _, h := range hooks.At(point) {
				to, err := webhook.Source{URL: h.URL, URLFile: h.URLFile, Secret: h.Secret, SecretFile: h.SecretFile}.Read()
				if err != nil {
					return nil, fmt.Errorf("the hook %s (%s) of %s: %w", h.Name, point, service, err)
				}
				s.doors[key{service, point, h.Name}] = &door{
					target: to, timeout: time.Duration(h.Timeout), retries: h.Retries, metadata: maps.Clone(h.Metadata),
					client: webhook.NewClient(time.Duration(h.Timeout)),
				}
			}
		}
	}
	return s, nil
}

// close lets go of connections that are kept for later.
func (s *Settings) close() {
	for _, d := range s.doors {
		d.client.CloseIdleConnections()
	}
}
