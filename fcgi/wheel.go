package fcgi

import (
	"sync"
	"time"
)

// wheelSlots is how many seconds lie on the wheel: more than an hour, the
// longest that phones wait. What waits longer stays for another turn.
const wheelSlots = 4096

// A wheel keeps the deadlines of detached requests with one timer for all of
// them. It turns only while there is something on it. Seconds are counted from
// when it began to, lest somebody who sets the clock of the computer ends, or
// keeps, every wait.
type wheel struct {
	mu     sync.Mutex
	slots  [wheelSlots][]*Detached // by second
	count  int
	began  time.Time
	turned int64         // the second whose deadlines were kept last
	stop   chan struct{} // of the goroutine that turns it; nil if none does
}

// A place is where something lies on the wheel.
type place struct {
	slot, index int32
	there       bool
}

// second is the first whole one that is not before t. w.mu is held.
func (w *wheel) second(t time.Time) int64 {
	after := t.Sub(w.began)
	s := int64(after / time.Second)
	if after%time.Second > 0 {
		s++
	}
	return s
}

// add puts d on the wheel, if it has a deadline.
func (w *wheel) add(d *Detached) {
	if d.due.IsZero() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop == nil {
		w.began, w.turned, w.stop = time.Now(), 0, make(chan struct{})
		go w.turn(w.began, w.stop)
	}
	slot := int32(max(w.second(d.due), w.turned+1) % wheelSlots)
	d.place = place{slot: slot, index: int32(len(w.slots[slot])), there: true}
	w.slots[slot] = append(w.slots[slot], d)
	w.count++
}

// remove takes d off the wheel, if it is there.
func (w *wheel) remove(d *Detached) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d.place.there {
		w.take(d)
	}
}

// take takes d off the wheel, and stops it if d was the last. w.mu is held.
func (w *wheel) take(d *Detached) {
	at := &w.slots[d.place.slot]
	last := len(*at) - 1
	moved := (*at)[last]
	(*at)[d.place.index], moved.place.index = moved, d.place.index
	(*at)[last] = nil
	*at = (*at)[:last]
	if last == 0 {
		*at = nil
	}
	d.place.there = false
	if w.count--; w.count == 0 {
		close(w.stop)
		w.stop = nil
	}
}

// turn ends what is due, second by second, until it is stopped. Nobody has to
// wait for it: it holds nothing, and what it ends waits for itself.
func (w *wheel) turn(began time.Time, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Second - time.Since(began)%time.Second):
		}
		for _, d := range w.due(int64(time.Since(began)/time.Second), stop) {
			d.End(ErrDeadline)
		}
	}
}

// due takes off what has to end by now.
func (w *wheel) due(now int64, stop <-chan struct{}) (due []*Detached) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop == nil || w.stop != stop {
		return nil // stopped, and perhaps started again
	}
	for s := max(w.turned+1, now-wheelSlots+1); s <= now; s++ {
		at := w.slots[s%wheelSlots]
		for i := len(at) - 1; i >= 0; i-- { // take moves the last one
			if d := at[i]; w.second(d.due) <= now {
				due = append(due, d)
			}
		}
	}
	for _, d := range due {
		w.take(d)
	}
	w.turned = now
	return due
}
