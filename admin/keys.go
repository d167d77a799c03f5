package admin

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"haldane/config"
)

// role is what a caller may do.
type role uint8

const (
	// roleNone has shown nothing, and may do what needs no token.
	roleNone role = iota
	// roleRead has shown the read token.
	roleRead
	// roleOperate has shown the token: it may do everything.
	roleOperate
	// rolePeer came through the unix socket, whose mode let it in: it may do everything.
	rolePeer
	// roleLink has a signed link, or says so: it may do what the link says.
	roleLink
)

// String is the role as the log has it.
func (r role) String() string {
	switch r {
	case roleNone:
		return "none"
	case roleRead:
		return "read"
	case roleOperate:
		return "operate"
	case rolePeer:
		return "socket"
	case roleLink:
		return "link"
	}
	return "unknown"
}

// keys are the tokens of the TCP listener, and the account of those who guess them.
type keys struct {
	operate token
	read    *token // nil: there is none
	guesses *guesses
}

// loadKeys takes both tokens from where the configuration says. A read token that is also the token would hand everything to
// whoever may read.
func loadKeys(section config.Admin) (*keys, error) {
	operate, err := loadToken(section)
	if err != nil {
		return nil, err
	}
	k := &keys{operate: operate, guesses: newGuesses()}
	text := string(section.ReadToken)
	if text == "" && section.ReadTokenFile == "" {
		return k, nil
	}
	if text == "" {
		if text, err = ReadTokenFile(section.ReadTokenFile); err != nil {
			return nil, fmt.Errorf("admin read token: %w", err)
		}
	}
	read, err := newToken(text)
	if err != nil {
		return nil, fmt.Errorf("admin read token: %w", err)
	}
	if read == operate {
		return nil, errors.New("the admin read token is the same as the token: whoever may read could change everything")
	}
	k.read = &read
	return k, nil
}

// of is the role of what a caller shows. Both tokens are compared, and each in constant time, so that the time says nothing.
func (k *keys) of(candidate string) role {
	operate := k.operate.matches(candidate)
	read := k.read != nil && k.read.matches(candidate)
	switch {
	case operate:
		return roleOperate
	case read:
		return roleRead
	}
	return roleNone
}

// unlock is the role of what a caller from an address shows. With wait above zero the address has guessed too often and
// nothing was compared.
func (k *keys) unlock(from netip.Addr, candidate string) (granted role, wait time.Duration) {
	wait = k.guesses.try(from, time.Now(), func() bool {
		granted = k.of(candidate)
		return granted != roleNone
	})
	return granted, wait
}
