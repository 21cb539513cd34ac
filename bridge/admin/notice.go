package admin

import (
	"cmp"
	"context"

	"github.com/pushbridge/pushbridge/bridge/device"
)

// An Incident is what a notice is about.
type Incident string

// The incidents.
const (
	WipeOrdered        Incident = "wipe"         // of the whole phone
	AccountWipeOrdered Incident = "account-wipe" // of this account on it
	RecoveryRevealed   Incident = "recovery"     // somebody was told its recovery password
)

// A Notice is something that was done about a phone, and that its owner should
// hear of.
type Notice struct {
	What         Incident
	User, Device string
	Phone        string // what it says of itself that people know it by
	By           string // who did it
}

// tell has a phone's owner hear of something once it is true.
func (s *Server) tell(v *visit, what Incident, p device.Phone) {
	if s.Tell == nil {
		return
	}
	n := Notice{What: what, User: p.User, Device: p.Device, Phone: cmp.Or(p.Called, p.FriendlyName, p.Model, p.Type, p.Device), By: v.Name}
	v.afterwards(func(context.Context) { s.Tell(n) })
}
