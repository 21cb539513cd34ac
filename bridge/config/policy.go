package config

import (
	"path/filepath"

	"github.com/pushbridge/pushbridge/bridge/device/policy"
)

// policyTable is the table with what is asked of phones.
const policyTable = "policy."

// withSettings adds a key for each setting of a policy.
func withSettings(keys map[string]taker) map[string]taker {
	for _, s := range policy.Settings {
		keys[policyTable+s.Name] = func(f *File, v any) *problem {
			value, wrong := s.Take(v)
			if wrong != nil {
				return &problem{describe(v), wrong.Remedy}
			}
			if f.Policy.Document == nil {
				f.Policy.Document = make(policy.Document)
			}
			f.Policy.Document[s.Name] = value
			return nil
		}
	}
	return keys
}

// checkPolicy complains of settings that have no effect, or contradict each
// other.
func (l *loader) checkPolicy() {
	p := l.file.Policy
	for _, name := range p.Document.Names() {
		if !p.Require {
			l.complain(policyTable+name, "write require = true in the table, or leave the setting out", "policy.%s has no effect, since no policy is required", name)
		}
	}
	for _, c := range p.Document.Check() {
		l.complain(policyTable+c.Setting, c.Remedy, "policy.%s %s", c.Setting, c.Wrong)
	}
	const attempts = "max_device_password_failed_attempts"
	if _, ok := p.Document[attempts]; ok && p.NeverFullWipe {
		l.complain(policyTable+attempts, "leave one of the two out", "policy.%s has phones erase themselves, and never_full_wipe says never", attempts)
	}
	if p.RecoveryKeys != "" && !filepath.IsAbs(p.RecoveryKeys) {
		l.complain("policy.recovery_keys", "write the whole path from /", "policy.recovery_keys is %.80q", p.RecoveryKeys)
	}
}
