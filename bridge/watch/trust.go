package watch

import (
	"strings"
	"time"
)

const (
	// grace is how much later than a question an event may come for what the
	// question found. A source that needs longer is not trusted, as polling is
	// about as good.
	grace = 30 * time.Second

	// mostProofs bounds how often a source that left something out has to prove
	// itself before it is trusted again; the number doubles each time.
	mostProofs = 64

	// maxVouches bounds what is remembered of Vouch; the rest is polled.
	maxVouches = 200_000
)

// A source is one that is to tell of every change in a backend.
type source struct {
	proofs int // events for changes that nobody else had found, since it was doubted
	need   int // so many make it trusted
}

// A scope is what somebody vouched for.
type scope struct{ backend, user, path string }

func scopeOf(h Hint) scope { return scope{h.Backend, h.User, strings.Join(segments(h.Path), "/")} }

const (
	// ownEvents are those of the backend itself: they come for some people, and
	// not for all.
	ownEvents = "\x00own"

	// ownLists is for changes of the list of collections, whoever tells of them.
	// It is among the sources once somebody did not.
	ownLists = "\x00lists"
)

// trust is what a Desk knows of the sources of events. Desk.mu guards it.
type trust struct {
	sources map[string]map[string]*source // by backend and name
	vouches map[scope]time.Time           // until when
}

// prove notes that an event of a source led to a change.
func (t *trust) prove(backend, name string) {
	if name == "" {
		return
	}
	byName := t.sources[backend]
	if byName == nil {
		byName = make(map[string]*source)
		if t.sources == nil {
			t.sources = make(map[string]map[string]*source)
		}
		t.sources[backend] = byName
	}
	s := byName[name]
	if s == nil {
		s = &source{need: 1}
		byName[name] = s
	}
	s.proofs++
}

// proven tells whether a source of a backend is trusted.
func (t *trust) proven(backend, name string) bool {
	s := t.sources[backend][name]
	return s != nil && s.proofs >= s.need
}

// told notes that somebody told of a change of the list of a backend's
// collections.
func (t *trust) told(backend string) {
	if s := t.sources[backend][ownLists]; s != nil {
		s.proofs++
	}
}

// untold notes that nobody did.
func (t *trust) untold(backend string) {
	if t.sources[backend][ownLists] == nil {
		t.prove(backend, ownLists)
	}
	s := t.sources[backend][ownLists]
	s.proofs, s.need = 0, min(2*s.need, mostProofs)
}

// tells tells whether nothing speaks against it that changes of the list of a
// backend's collections are told.
func (t *trust) tells(backend string) bool {
	return t.sources[backend][ownLists] == nil || t.proven(backend, ownLists)
}

// doubt notes that nobody told of a change at p.
func (t *trust) doubt(p place) {
	for name, s := range t.sources[p.backend] {
		if name != ownLists {
			s.proofs, s.need = 0, min(2*s.need, mostProofs)
		}
	}
	for _, s := range p.scopes() {
		delete(t.vouches, s)
	}
}

// healthy tells whether a source of events is trusted with p.
func (t *trust) healthy(p place, now time.Time) bool {
	for name, s := range t.sources[p.backend] {
		if name != ownEvents && name != ownLists && s.proofs >= s.need {
			return true
		}
	}
	if len(t.vouches) == 0 {
		return false
	}
	for _, s := range p.scopes() {
		if until, ok := t.vouches[s]; ok && now.Before(until) {
			return true
		}
	}
	return false
}

// scopes are those that a place lies in.
func (p place) scopes() [3]scope {
	return [3]scope{{p.backend, "", ""}, {p.backend, p.user, ""}, {p.backend, p.user, strings.Join(p.segments, "/")}}
}

// vouch remembers that a source tells of every change in s until a time.
func (t *trust) vouch(s scope, until, now time.Time) {
	if !until.After(now) {
		delete(t.vouches, s)
		return
	}
	if t.vouches == nil {
		t.vouches = make(map[scope]time.Time)
	}
	if _, known := t.vouches[s]; !known && len(t.vouches) >= maxVouches {
		for old, end := range t.vouches {
			if !end.After(now) {
				delete(t.vouches, old)
			}
		}
		if len(t.vouches) >= maxVouches {
			return
		}
	}
	t.vouches[s] = until
}
