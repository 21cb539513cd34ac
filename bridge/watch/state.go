package watch

import "time"

// Relied tells whether a source that names itself in its hints is relied on to
// tell of every change in a backend.
func (d *Desk) Relied(backend, name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.trust.sources[backend][name]
	return s != nil && s.proofs >= s.need
}

// OwnEvent is when a backend last told of a change itself, as a
// backend.Watcher, while somebody waited; zero if never.
func (d *Desk) OwnEvent(backend string) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.own[backend]
}

// ownEvent notes that it did.
func (d *Desk) ownEvent(backend string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.own == nil {
		d.own = make(map[string]time.Time)
	}
	d.own[backend] = time.Now()
}
