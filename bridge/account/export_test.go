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
	MaxVerifying = maxVerifying
	MaxQueued    = maxQueued
	MaxQueueing  = maxQueueing
	MaxCallers   = maxCallers
	AskingPause  = askingPause
)

// Shorten leaves room for so many requests that wait for their turn.
func Shorten(a *Accounts, most int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queue.most = most
}

// Queued is how many requests wait for their turn.
func Queued(a *Accounts) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.queue.waiting
}

// Kept is all that there is because of questions.
func Kept(a *Accounts) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.asking) + a.verifying + a.queue.waiting + len(a.queue.lanes) + a.queue.turns.Len()
}

// Network is network.
func Network(a netip.Addr) (netip.Prefix, bool) { return network(a) }
