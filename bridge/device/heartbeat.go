package device

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// heartbeatName is the name under which a phone's Networks are remembered.
const heartbeatName = "heartbeat"

const (
	// MaxNetworks bounds how many networks are remembered of a phone: home,
	// work, the carrier, and some that it passes through. The one that was not
	// seen for the longest time is forgotten.
	MaxNetworks = 8

	// Losses is how many waits in a row have to be cut off before anything is
	// made of it: one may be a lift, two a tunnel.
	Losses = 3

	// Believed is how long it is believed that a network cuts waits off. After
	// that the phone may try again: routers are replaced.
	Believed = 7 * 24 * time.Hour

	// livedStep is how much longer a wait has to live to be worth a write.
	livedStep = 30
)

// Bounds are those of a heartbeat. Learn says that no longer one is granted than
// survived in the phone's network.
type Bounds struct {
	Min, Default, Max time.Duration
	Learn             bool
}

// Networks is what was seen of a phone's waits in each network, the one seen last
// first.
type Networks []Network

// A Network is a part of the internet, about what one provider has there, and
// what was seen of a phone's waits in it. Lengths are in seconds.
type Network struct {
	Net    string    `json:"net"`              // "192.0.0.0/16"; "" if the address is not known
	Lived  int       `json:"lived,omitempty"`  // the longest wait whose answer arrived
	Cut    int       `json:"cut,omitempty"`    // the shortest of those that were cut off in a row
	Losses int       `json:"losses,omitempty"` // how many were, while none as long lived
	Cuts   int       `json:"cuts,omitempty"`   // how many ever were
	Seen   time.Time `json:"seen"`             // when this was written last
	Lost   time.Time `json:"lost,omitzero"`    // when the last one was cut off
}

// NetworkOf names the network of an address: 16 bits of an IPv4 address, 32 of
// an IPv6 one, which is about what one provider has. Narrower ones would make a
// carrier, whose phones share many addresses, a hundred networks.
func NetworkOf(a netip.Addr) string {
	if a = a.Unmap(); !a.IsValid() {
		return ""
	}
	bits := 32
	if a.Is4() {
		bits = 16
	}
	p, _ := a.WithZone("").Prefix(bits) // an address has so many
	return p.String()
}

// Of answers what is known of a network.
func (n Networks) Of(name string) Network {
	if i := n.index(name); i >= 0 {
		return n[i]
	}
	return Network{Net: name}
}

func (n Networks) index(name string) int {
	return slices.IndexFunc(n, func(w Network) bool { return w.Net == name })
}

// put makes what is known of a network the newest.
func (n Networks) put(w Network) Networks {
	n = slices.DeleteFunc(slices.Clone(n), func(o Network) bool { return o.Net == w.Net })
	n = slices.Insert(n, 0, w)
	return n[:min(len(n), MaxNetworks)]
}

// Alive notes that the answer to a wait of this length arrived. It answers false
// if that is nothing new.
func (n Networks) Alive(name string, length time.Duration, now time.Time) (Networks, bool) {
	w, s := n.Of(name), int(length/time.Second)
	news := false
	if s >= w.Lived+livedStep || w.Lived == 0 && s > 0 {
		w.Lived, news = s, true
	}
	if w.Losses > 0 && s >= w.Cut {
		w.Losses, w.Cut, news = 0, 0, true
	}
	if !news {
		return n, false
	}
	w.Seen = now
	return n.put(w), true
}

// Dead notes that a wait was cut off after this long.
func (n Networks) Dead(name string, length time.Duration, now time.Time) Networks {
	w, s := n.Of(name), int(length/time.Second)
	if w.Losses == 0 || s < w.Cut {
		w.Cut = s
	}
	w.Losses, w.Cuts, w.Seen, w.Lost = w.Losses+1, w.Cuts+1, now, now
	if w.Losses >= Losses && w.Lived >= w.Cut {
		w.Lived = 0 // that was another time
	}
	return n.put(w)
}

// Cap is the longest wait that survives in the network, and why it is believed
// to be; 0 if there is no reason to think that any is cut off.
func (w Network) Cap(b Bounds, now time.Time) (time.Duration, string) {
	if w.Losses < Losses || now.Sub(w.Lost) >= Believed {
		return 0, ""
	}
	cut := time.Duration(w.Cut) * time.Second
	most, because := time.Duration(w.Lived)*time.Second, "the longest that lived"
	if most == 0 {
		most, because = min(b.Default, cut*3/4), "none lived; this is a guess"
	}
	most = max(most.Truncate(time.Second), b.Min)
	if most >= b.Max {
		return 0, ""
	}
	return most, fmt.Sprintf("%d waits in a row were cut off, after %v or more: %s", w.Losses, cut, because)
}

// NetworksOf answers what was seen of a phone's waits.
func NetworksOf(ctx context.Context, m Memory, id ID) (Networks, error) {
	var n Networks
	if err := recall(ctx, m, id, heartbeatName, &n); err != nil {
		return nil, err
	}
	return n, nil
}

// SetNetworks stores what was seen of a phone's waits.
func SetNetworks(ctx context.Context, m Memory, id ID, n Networks) error {
	return remember(ctx, m, id, heartbeatName, n)
}
