package rulebook

import (
	"errors"

	"github.com/pushbridge/pushbridge/bridge/device"
)

// A Waiting knows the phones that wait for a change.
type Waiting interface {
	Waits(user, device string) bool

	// Order ends the wait of a phone with a reason.
	Order(user, device string, why error) bool

	// Again makes a phone that waits come again, as if its heartbeat were over.
	Again(user, device string) bool
}

// Tell lets the waiting ones of the phones know what changed for them, and answers
// for how many that is.
func Tell(before, after *Ready, phones []device.Phone, w Waiting) (told int) {
	for _, p := range phones {
		if !w.Waits(p.User, p.Device) {
			continue
		}
		why, again := changed(before, after, p)
		switch {
		case why != nil && w.Order(p.User, p.Device, why):
			told++
		case again && w.Again(p.User, p.Device):
			told++
		}
	}
	return told
}

// changed says why a phone that waits is to come: with a reason, or only again.
func changed(before, after *Ready, p device.Phone) (why error, again bool) {
	_, was := before.admits(p)
	_, is := after.admits(p)
	switch {
	case errors.Is(is, device.ErrBlocked), errors.Is(is, device.ErrUserOff):
		return is, false
	case !errors.Is(is, was): // into quarantine, or out of it
		return nil, true
	}
	y := after.Policy(p.ID)
	if y.Require && y.Revision() != before.Policy(p.ID).Revision() {
		return device.ErrStale, false
	}
	return nil, false
}

// admits is Admits with the block list, for a phone that nobody blocked.
func (r *Ready) admits(p device.Phone) (string, error) {
	if why, yes := r.Listed(p.Device); yes {
		return why, device.ErrBlocked
	}
	return r.Admits(p)
}

// Affected are the phones of whom something else is asked than before.
func Affected(before, after *Ready, phones []device.Phone) (list []device.Phone) {
	for _, p := range phones {
		if after.Policy(p.ID).Revision() != before.Policy(p.ID).Revision() {
			list = append(list, p)
		}
	}
	return list
}
