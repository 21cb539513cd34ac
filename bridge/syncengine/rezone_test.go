package syncengine_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// changes names what a phone is told, each of which has to be a Change.
func (p *phone) changes(when string, want ...backend.ItemID) {
	p.w.t.Helper()
	var got []backend.ItemID
	for _, n := range p.once() {
		if got = append(got, n.ID); n.Op != syncengine.Change {
			p.fail("%s: told %v", when, n)
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		p.fail("%s: told of %q, want %q", when, got, want)
	}
}

// Where a folder's zone becomes another one, what is in it is told again, to each
// phone once, and nothing else is; also if items cannot be read at first.
func TestZoneOfAFolderChanges(t *testing.T) {
	w := newWorld(t)
	w.steady, w.home = true, "home"
	w.restart()
	zone := func(name string) syncengine.Folder {
		w.backend.SetCollection(user, backend.Collection{ID: "calendar", Kind: backend.Events, Name: "Calendar", Default: true, Zone: name})
		w.list()
		return w.folder("calendar")
	}
	f := zone("")
	const many = 300 // more than are read at a time
	for n := range many {
		text := "fixed"
		if n%100 == 7 {
			text = "floats"
		}
		w.backend.Store(user, "calendar", backend.ItemID(fmt.Sprintf("%03d", n)), body(syncengine.Forever, false, text))
	}
	floating := []backend.ItemID{"007", "107", "207"}
	p, q := w.phone("P", f), w.phone("Q", f)
	p.all()
	q.all()
	p.changes("nothing happened")

	p.folder = zone("home")
	p.changes("the zone is what it was")
	p.folder = zone("away")
	w.backend.Fail(memory.Failure{Op: memory.OpGet, Err: backend.Errorf(backend.Transient, "test", "not now")})
	if _, err := w.engine.Refresh(t.Context(), p.folder, w.session); backend.KindOf(err) != backend.Transient {
		t.Errorf("items that cannot be read: %v", err)
	}
	w.backend.Mend()
	p.changes("the zone is another", floating...)
	p.changes("once more")
	q.folder = p.folder
	q.changes("another phone", floating...)

	w.home = "moved"
	p.changes("people have another zone, the folder has its own")
	p.folder = zone("")
	p.changes("the folder has none any more", floating...)
	w.home = "home"
	p.changes("people have another zone", floating...)

	// A new phone, and a program that knew of no zones.
	r := w.phone("R", p.folder)
	r.all()
	w.home = ""
	r.changes("no zones")
	w.home = "home"
	r.changes("zones again")
}
