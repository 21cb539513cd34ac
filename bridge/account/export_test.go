package account

import (
	"fmt"
	"net/netip"
)

// Passwords is how many passwords are kept for the next request.
func Passwords(a *Accounts) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.live)
}

// Flood has so many users, devices and places fail, and answers how many of each
// are remembered.
func Flood(n int) [3]int {
	t := newThrottle(Limits{})
	for i := range n {
		name := fmt.Sprint(i)
		from := Caller{Device: name, Address: netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)})}
		t.take(name, from)
		t.settle(name, from)
	}
	return [3]int{t.users.Len(), t.devices.Len(), t.places.Len()}
}

// The bounds that tests talk about.
const (
	Linger       = linger
	MaxNegative  = maxNegative
	TrustedFor   = trustedFor
	ThrottleSize = throttleSize
)

// Network is network.
func Network(a netip.Addr) (netip.Prefix, bool) { return network(a) }
