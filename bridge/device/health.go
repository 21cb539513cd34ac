package device

import (
	"errors"
	"fmt"
	"time"
)

// A Health says in one word how a phone is.
type Health string

// The words, from the worst to the best.
const (
	HealthWiping     Health = "to-be-erased"
	HealthOff        Health = "off"            // mobile access is off for its owner
	HealthBlocked    Health = "blocked"        // it is kept out
	HealthQuarantine Health = "quarantine"     // it waits to be let in
	HealthPassword   Health = "wrong-password" // the backend does not take its password
	HealthPolicy     Health = "refuses-policy" // it does not accept what is asked of it
	HealthProvisions Health = "provisioning"   // it has yet to accept the policy
	HealthAway       Health = "away"           // it was not here for AwayAfter
	HealthWaiting    Health = "waiting"        // for a change: all is well
	HealthSyncing    Health = "syncing"        // it asks for something right now
	HealthResting    Health = "resting"        // it was here lately
)

// AwayAfter is how long a phone may stay away before it is worth a word: phones
// that are switched on come several times a day.
const AwayAfter = 24 * time.Hour

// Health says how a phone is, and why, in words. waits tells whether it waits for
// a change.
func (r *Register) Health(p Phone, waits bool, now time.Time) (h Health, why string) {
	does := r.Presence.Of(p.ID)
	seen := p.LastSeen
	if does.Seen.After(seen) {
		seen = does.Seen
	}
	if p.Wipe.InForce() {
		return HealthWiping, fmt.Sprintf("told to %s by %s at %s: %s", p.Wipe.Order, p.Wipe.By, clock(p.Wipe.Ordered), p.Wipe.State)
	}
	switch why, err := r.Standing(p); {
	case errors.Is(err, ErrUserOff):
		return HealthOff, why
	case errors.Is(err, ErrQuarantined):
		return HealthQuarantine, why
	case err != nil:
		return HealthBlocked, why
	}
	if !does.Refused.IsZero() {
		return HealthPassword, "the backend does not take its password since " + clock(does.Refused)
	}
	if h, why := r.obedience(p); h != "" {
		return h, why
	}
	switch {
	case waits:
		return HealthWaiting, "it waits for a change"
	case does.Requests > 0:
		return HealthSyncing, "it asks for something right now"
	case now.Sub(seen) >= AwayAfter:
		return HealthAway, "not seen for " + ago(now.Sub(seen))
	}
	return HealthResting, "seen " + ago(now.Sub(seen)) + " ago"
}

// obedience is what is wrong about a phone and its policy.
func (r *Register) obedience(p Phone) (Health, string) {
	y := r.PolicyFor(p)
	if !y.Require || p.Policy.Accepted == y.Revision() && p.Policy.Turns.Loop == "" {
		return "", ""
	}
	since := clock(p.Policy.When)
	switch {
	case p.Policy.Turns.Loop == LoopRefuses, p.Policy.Turns.Loop == LoopDeaf:
		return HealthPolicy, string(p.Policy.Turns.Loop) + " since " + clock(p.Policy.Turns.LoopSince)
	case p.Policy.Accepted == y.Revision():
		return "", ""
	case p.Policy.Status == NotApplied:
		return HealthPolicy, "it refused the policy at " + since
	case p.Policy.Status == PartlyApplied && y.RefusePartial:
		return HealthPolicy, "it applied a part of the policy alone, at " + since
	case p.Policy.Status == ManagedByOthers && y.RefuseExternal:
		return HealthPolicy, "somebody else manages it, as it said at " + since
	case p.Policy.Key == 0 && y.AllowUnprovisionable:
		return "", ""
	case p.Policy.Accepted != "":
		return HealthProvisions, "it has yet to accept the policy as it is now"
	}
	return HealthProvisions, "it has yet to accept the policy"
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// ago says a time in one unit.
func ago(d time.Duration) string {
	for _, u := range []struct {
		of        time.Duration
		one, many string
	}{{24 * time.Hour, "day", "days"}, {time.Hour, "hour", "hours"}, {time.Minute, "minute", "minutes"}} {
		switch n := int(d / u.of); {
		case n == 1:
			return "1 " + u.one
		case n > 1:
			return fmt.Sprintf("%d %s", n, u.many)
		}
	}
	return "a moment"
}
