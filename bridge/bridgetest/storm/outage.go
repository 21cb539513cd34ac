package storm

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// An outage is what is wrong for a while, at every call.
type outage string

const (
	none   outage = ""
	down   outage = "the backend is down"
	locked outage = "the backend refuses the password"
	noRoom outage = "the backend has no room for what is written" // 507
	full   outage = "the disk with the state is full"
)

const (
	// longestOutage is how many steps an outage lasts at most.
	longestOutage = 6

	// forgiven is how long after the backend accepts the password again a phone
	// may be told that it is wrong: verdicts are remembered.
	forgiven = 20 * time.Minute
)

// suffer begins an outage.
func (w *world) suffer() {
	if w.outageEnds > 0 {
		return
	}
	list := []outage{down, noRoom}
	shelf, suffers := w.shelf.(Sufferer)
	switch {
	case suffers:
		list = append(list, locked)
	case w.options.Worker != nil: // nobody would notice
		return
	case !w.options.Awake: // there nobody can wait until the refusal is forgotten
		list = append(list, full, locked)
	}
	o := list[w.rng.IntN(len(list))]
	if suffers { // of each some, however short the storm is
		o = list[len(list)-1-w.outages%len(list)]
	}
	w.outages++
	w.outageEnds = w.report.Steps + 1 + w.rng.IntN(longestOutage)
	w.fault("%s", o)
	w.weather.suffer(o)
	if suffers {
		shelf.Suffer(statuses[o])
		for range 3 { // somebody shall notice before it ends
			w.any().sync()
		}
	}
}

// statuses are what a server answers in an outage.
var statuses = map[outage]int{down: http.StatusServiceUnavailable, locked: http.StatusUnauthorized, noRoom: http.StatusInsufficientStorage}

// relieve ends the outage.
func (w *world) relieve() {
	if w.outageEnds == 0 {
		return
	}
	w.note("everything works again")
	w.outageEnds = 0
	shelf, suffered := w.shelf.(Sufferer)
	if suffered {
		shelf.Suffer(0)
	}
	switch {
	case !w.weather.suffers(locked):
	case suffered: // nobody waits until the refusal is forgotten, and a new worker knows of none
		w.restart()
	default:
		w.pass(forgiven)
	}
	if w.weather.suffers(down) { // it was restarted, and has forgotten what was before
		for _, p := range w.places {
			if !p.gone {
				w.shelf.Forget(p.id)
			}
		}
	}
	w.weather.suffer(none)
}

// A disk is a state store that can be full: reading works, and no transaction
// comes true.
type disk struct {
	syncengine.Store
	weather *weather
}

var errFull = errors.New("database or disk is full (13)")

// Update fails as the database does: after all has been said, and with nothing
// of it done.
func (d disk) Update(ctx context.Context, user string, change func(syncengine.Writer) error) error {
	err := d.Store.Update(ctx, user, func(w syncengine.Writer) error {
		if err := change(w); err != nil {
			return err
		}
		if d.weather.suffers(full) {
			return errFull
		}
		return nil
	})
	if errors.Is(err, errFull) {
		err = backend.E(backend.Transient, "storm: Update", err)
	}
	return err
}

// An emptiness is how far a collection is that shows empty though it is not, as
// one whose disk was not mounted. That befalls each but once between two rests:
// a bridge that is told twice that nothing is there has to believe it.
type emptiness int

const (
	untouched emptiness = iota
	empty               // the next complete listing is
	refilled
)

// enough is more items than the least that the bridge looks twice at.
const enough = 14

// unmount lets a collection show empty, and tells whether it will.
func (s *weather) unmount(c backend.CollectionID) bool {
	p := s.world.place(c)
	known := 0
	for _, o := range s.world.objects {
		if o.where == p && o.base != nil && o.gone == "" && !o.wanders() {
			known++ // to the bridge, too: all have been at the last rest
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known < enough || s.emptied[c] != untouched {
		return false
	}
	if s.world.options.Worker == nil {
		s.emptied[c] = empty
	}
	return true
}

// hide lets a collection of a Worker's shelf show empty.
func (w *world) hide() {
	shelf, suffers := w.shelf.(Sufferer)
	if !suffers {
		return
	}
	for _, p := range w.places {
		if w.weather.unmount(p.id) {
			shelf.Empty(p.id, func() { w.weather.hid(p.id) })
			return
		}
	}
}

// hidAny tells whether a collection showed empty since the last rest.
func (s *weather) hidAny() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(slices.Collect(maps.Values(s.emptied)), refilled)
}

// hid is told that a collection showed empty.
func (s *weather) hid(c backend.CollectionID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emptied[c] = refilled
	s.world.fault("%s shows empty", c)
}

// unmounted is what a collection that shows empty answers.
func (s *weather) unmounted(c backend.CollectionID, since backend.Cursor) (backend.Cursor, error, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.emptied[c] != empty:
		return "", nil, false
	case since != "":
		return "", backend.E(backend.Expired, "storm: Changes", errStorm), true
	}
	s.emptied[c] = refilled
	s.world.fault("%s shows empty", c)
	return "of nothing", nil, true
}
