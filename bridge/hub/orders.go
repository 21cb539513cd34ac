package hub

import "time"

// All phones together are told so many at a time, and so long apart: each that
// is woken takes memory and a moment of the processor, and single changes are to
// find both. Ten thousand are told in two seconds.
const (
	portion = 128
	breath  = 25 * time.Millisecond
)

// An order is one of OrderAll for a phone whose turn is still to come.
type order struct {
	seat *Seat
	err  error
}

// OrderAll ends every wait with err, in portions, and tells how many there are.
// Who comes after the call is not told.
func (h *Hub) OrderAll(err error) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	idle := len(h.orders) == 0
	for _, u := range h.users {
		for _, s := range u.seats {
			h.orders = append(h.orders, order{s, err})
		}
	}
	if idle {
		h.tell()
	}
	return h.waiting
}

// turn is the next portion's.
func (h *Hub) turn() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tell()
}

// tell tells one portion, and has the next told later. hub.mu is held.
func (h *Hub) tell() {
	n := min(portion, len(h.orders))
	for i, o := range h.orders[:n] {
		o.seat.end(o.err) // nothing, if it has left
		h.orders[i] = order{}
	}
	if h.orders = h.orders[n:]; len(h.orders) == 0 {
		h.orders = nil
		return
	}
	if h.pacer == nil {
		h.pacer = time.AfterFunc(breath, h.turn)
	} else {
		h.pacer.Reset(breath)
	}
}

// endAll ends every wait at once. hub.mu is held.
func (h *Hub) endAll(err error) {
	for _, u := range h.users {
		for _, s := range u.seats {
			s.end(err)
		}
	}
}
