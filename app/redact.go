package app

import (
	"maps"
	"strings"

	"haldane/config"
)

// hidden stands where a credential was, as for secrets of the configuration.
const hidden = "***"

// redacted is the configuration without the values of fields that carry credentials: what is added to requests for the
// endpoints is not for everybody who may read the API. The one it is given stays as it is.
func redacted(services map[string]config.Service) map[string]config.Service {
	shown := maps.Clone(services)
	for name, service := range shown {
		service.Variants = maps.Clone(service.Variants)
		for variant, deployed := range service.Variants {
			deployed.RequestFields = withoutCredentials(deployed.RequestFields)
			deployed.ResponseFields = withoutCredentials(deployed.ResponseFields)
			service.Variants[variant] = deployed
		}
		shown[name] = service
	}
	return shown
}

// withoutCredentials is a copy with hidden values.
func withoutCredentials(changes config.FieldChanges) config.FieldChanges {
	changes.Add, changes.Set = maps.Clone(changes.Add), maps.Clone(changes.Set)
	for _, fields := range []map[string]string{changes.Add, changes.Set} {
		for name := range fields {
			if isCredential(name) {
				fields[name] = hidden
			}
		}
	}
	return changes
}

// isCredential says whether a field carries a credential, by its name: Authorization, Proxy-Authorization, Cookie,
// Set-Cookie, X-Api-Key, X-Auth-Token and whatever else is called so. Better one value too many is hidden.
func isCredential(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"auth", "cookie", "token", "secret", "password", "passwd", "credential", "key", "session", "signature"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
