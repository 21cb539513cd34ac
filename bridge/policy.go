package bridge

import (
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/device/recovery"
)

// SetPolicy replaces what is asked of phones. Those that wait are told to come,
// and hear of it.
func (b *Bridge) SetPolicy(p policy.Policy) {
	before := b.devices.PolicyFor(device.Phone{}).Revision()
	b.devices.SetPolicy(p)
	if p.Require && p.Revision() != before {
		told := b.hub.OrderAll(device.ErrStale)
		b.logger.Info("the policy changed", "revision", p.Revision(), "told", told)
	}
}

// looping says in the log that a phone goes in circles about provisioning.
func (b *Bridge) looping(p device.Phone) {
	b.logger.Warn("a phone goes in circles about provisioning", "user", p.User, "phone", p.Device, "type", p.Type, "agent", p.UserAgent,
		"version", p.Version, "loop", string(p.Policy.Turns.Loop))
}

// recoveryKeys opens the file with the keys of recovery passwords. Without it
// everything else works: the passwords that are kept cannot be read, and no new
// ones are taken.
func (b *Bridge) recoveryKeys() *recovery.Box {
	path := b.config.Policy.RecoveryKeys
	if path == "" {
		return nil
	}
	box, err := recovery.Open(path)
	if err != nil {
		b.logger.Error("recovery passwords are neither taken nor shown: the file that policy.recovery_keys names is of no use; put it back as it was", "file", path, "error", err)
		return nil
	}
	return box
}
