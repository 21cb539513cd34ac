package storm

import (
	"fmt"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Cabinet is a shelf on which collections come and go.
type Cabinet interface {
	Shelf
	SetCollection(backend.Collection) error // makes it, or calls it something else
	RemoveCollection(backend.CollectionID) error
}

// mostExtras bounds the collections beside the first of each kind.
const mostExtras = 4

// place finds a collection.
func (w *world) place(id backend.CollectionID) *place {
	for _, p := range w.places {
		if p.id == id {
			return p
		}
	}
	return nil
}

// furnish names the collections that there are, and makes one that nobody may
// write to.
func (w *world) furnish() {
	for _, k := range kinds {
		w.places = append(w.places, &place{id: w.shelf.Collection(k.kind), kind: k})
	}
	if c, ok := w.shelf.(Cabinet); ok {
		w.keepPlace(c, &place{id: "archive", kind: kinds[0], name: "Archive", extra: true, readOnly: true})
	}
}

// keepPlace brings a collection to the server.
func (w *world) keepPlace(c Cabinet, p *place) {
	if w.place(p.id) == nil {
		w.places = append(w.places, p)
	}
	w.named[p.name] = p
	err := c.SetCollection(backend.Collection{ID: p.id, Kind: p.kind.kind, Name: p.name, ReadOnly: p.readOnly})
	if err != nil {
		w.problem("%s keeps %s: %v", desktop, p.id, err)
	}
}

// rearrange lets a collection appear, vanish, come back or get another name.
func (w *world) rearrange() {
	c, ok := w.shelf.(Cabinet)
	if !ok {
		return
	}
	w.serial++
	w.count(func(r *Report) { r.Folders++ })
	name := fmt.Sprintf("Folder %d", w.serial)
	var extras []*place
	for _, p := range w.places {
		if p.extra && !p.readOnly {
			extras = append(extras, p)
		}
	}
	if n := w.rng.IntN(mostExtras); n >= len(extras) {
		k := kinds[w.rng.IntN(len(kinds))]
		p := &place{id: backend.CollectionID(fmt.Sprintf("extra%d", w.serial)), kind: k, name: name, extra: true}
		w.note("%s makes %s, called %q", desktop, p.id, name)
		w.keepPlace(c, p)
		return
	}
	p := extras[w.rng.IntN(len(extras))]
	switch {
	case p.gone:
		p.gone, p.name = false, name
		w.note("%s makes %s again, called %q", desktop, p.id, name)
		w.keepPlace(c, p)
	case w.rng.IntN(2) == 0:
		p.name = name
		w.note("%s calls %s %q", desktop, p.id, name)
		w.keepPlace(c, p)
	default:
		w.vanish(c, p)
	}
}

// vanish removes a collection, and all that is in it or on its way there.
func (w *world) vanish(c Cabinet, p *place) {
	w.note("%s removes %s", desktop, p.id)
	w.empties(p, desktop)
	if err := c.RemoveCollection(p.id); err != nil {
		w.problem("%s removes %s: %v", desktop, p.id, err)
	}
}

// folder is one of the phone's that the storm plays with.
type folder struct {
	phone.Folder
	place *place // of what is added
}

// stands lists the collections that a folder stands for.
func (h *handset) stands(f folder) []*place {
	if !h.merges {
		return []*place{f.place}
	}
	var list []*place
	for _, p := range h.world.places {
		if p.kind == f.place.kind && !p.gone {
			list = append(list, p)
		}
	}
	return list
}

func (h *handset) folders() []folder {
	var list []folder
	for _, f := range h.phone.Folders() {
		if p := h.placeOf(f); p != nil {
			list = append(list, folder{f, p})
		}
	}
	return list
}

// placeOf finds the collection that a folder is. All have had a name of their
// own, always.
func (h *handset) placeOf(f phone.Folder) *place {
	w := h.world
	p := w.named[f.DisplayName]
	if h.merges {
		p = nil // it stands for all of them; what is new goes to the first
	}
	for _, main := range w.places {
		if p == nil && !main.extra && main.kind.class == f.Class && f.Type < eas.FolderUserMail {
			p = main
		}
	}
	if p != nil {
		w.folders[f.ServerID] = p
	}
	return p
}

// checkFolders compares the phone's folders with the collections of the server.
func (h *handset) checkFolders() {
	here := make(map[*place]int)
	for _, f := range h.folders() {
		here[f.place]++
		if f.place.extra && f.DisplayName != f.place.name {
			h.problem("calls the folder %q of the collection %s, which is called %q", f.DisplayName, f.place.id, f.place.name)
		}
	}
	var wrong []string
	for _, p := range h.world.places {
		want := 1
		if p.gone || h.version < p.kind.min || h.absorbs(p) {
			want = 0
		}
		if here[p] != want {
			wrong = append(wrong, fmt.Sprintf("%d folders for %s, want %d", here[p], p.id, want))
		}
	}
	if len(wrong) > 0 {
		h.problem("has %s", strings.Join(wrong, ", "))
	}
}
