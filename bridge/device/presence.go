package device

import (
	"sync"
	"time"
)

// maxPresent bounds how many phones are remembered to have been here lately. What
// is beyond is known from the register alone.
const maxPresent = 20_000

// A Presence knows what phones do at this moment, in memory. The zero value is
// ready for use.
type Presence struct {
	mu   sync.Mutex
	here map[ID]Activity
	busy int // of them have requests under way
}

// An Activity is what a phone does, or did last.
type Activity struct {
	Requests int       // under way
	Seen     time.Time // its last request; zero if none was seen since the worker began

	// Refused is since when its password is not taken by the backend; zero if it is
	// taken.
	Refused time.Time
}

// Enter notes that a request of a phone begins, and answers what to call when it
// ends, or begins to wait.
func (p *Presence) Enter(id ID) (leave func()) {
	p.change(id, func(a *Activity) { a.Requests, a.Seen, a.Refused = a.Requests+1, time.Now(), time.Time{} })
	return sync.OnceFunc(func() { p.change(id, func(a *Activity) { a.Requests-- }) })
}

// Refuse notes that the password of a phone was not taken.
func (p *Presence) Refuse(id ID) {
	p.change(id, func(a *Activity) {
		a.Seen = time.Now()
		if a.Refused.IsZero() {
			a.Refused = a.Seen
		}
	})
}

// change is asked for before anybody looked whether there is such a phone, or
// whether the password is right: names that can be none's are not kept, so that
// nobody fills the memory with long ones.
func (p *Presence) change(id ID, f func(*Activity)) {
	if id.User == "" || !ValidID(id.Device) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	a, known := p.here[id]
	if !known && len(p.here) >= maxPresent {
		p.tidy()
	}
	before := a.Requests
	f(&a)
	switch {
	case before <= 0 && a.Requests > 0:
		p.busy++
	case before > 0 && a.Requests <= 0:
		p.busy--
	}
	if p.here == nil {
		p.here = map[ID]Activity{}
	}
	p.here[id] = a
}

// tidy forgets those that do nothing.
func (p *Presence) tidy() {
	for id, a := range p.here {
		if a.Requests <= 0 {
			delete(p.here, id)
		}
	}
}

// Busy is how many phones are being answered.
func (p *Presence) Busy() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.busy
}

// Of answers what a phone does.
func (p *Presence) Of(id ID) Activity {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.here[id]
}
