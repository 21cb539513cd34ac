package bridge

import (
	"context"
	"fmt"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/device/recovery"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
)

// SetPolicy replaces the policy that the configuration has for everyone. Those
// that wait are told to come, and hear of it.
func (b *Bridge) SetPolicy(ctx context.Context, p policy.Policy) error {
	before, err := b.rules.SetConfigured(ctx, p)
	if err != nil {
		return err
	}
	phones, err := b.devices.Store.Phones(ctx, "")
	if err != nil {
		return fmt.Errorf("bridge: telling phones of the policy: %w", err)
	}
	told := rulebook.Tell(before, b.rules.Present(), phones, waiting{b.hub})
	b.logger.Info("the policy changed", "revision", p.Revision(), "told", told)
	return nil
}

// looping says in the log that a phone goes in circles about provisioning.
func (b *Bridge) looping(p device.Phone) {
	b.logger.Warn("a phone goes in circles about provisioning", "user", p.User, "phone", p.Device, "type", p.Type, "agent", p.UserAgent,
		"version", p.Version, "loop", string(p.Policy.Turns.Loop))
}

// arrived says in the log, and by mail, that a new phone waits to be let in.
func (b *Bridge) arrived(p device.Phone, why string) {
	b.logger.Warn(`a new phone waits to be let in; "pushbridge admin allow" does so`, "user", p.User, "phone", p.Device, "type", p.Type, "agent", p.UserAgent, "why", why)
	if b.notices != nil {
		b.notices.Arrived(p, why)
	}
}

// recoveryKeys opens the file with the keys of recovery passwords and second factors.
// Without it everything else works: the passwords that are kept cannot be read, and no
// new ones are taken; codes cannot be verified of factors that were sealed with it.
func (b *Bridge) recoveryKeys() *recovery.Box {
	path := b.config.Policy.RecoveryKeys
	if path == "" {
		return nil
	}
	box, err := recovery.Open(path)
	if err != nil {
		b.logger.Error("recovery passwords are neither taken nor shown, and administrators with a second factor cannot sign in: the file that policy.recovery_keys names is of no use; put it back as it was", "file", path, "error", err)
		return nil
	}
	return box
}
