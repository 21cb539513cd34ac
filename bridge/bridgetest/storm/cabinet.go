package storm

import (
	"fmt"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Registry is a cabinet that says what is in it, so that phones may rearrange
// it, too.
type Registry interface {
	Cabinet
	Collections() ([]backend.Collection, error)
}

// folderTypes are what phones make folders of a class as. See [MS-ASCMD] "Type
// (FolderCreate)".
var folderTypes = map[string]eas.FolderType{
	eas.ClassContacts: eas.FolderUserContacts, eas.ClassCalendar: eas.FolderUserCalendar,
	eas.ClassTasks: eas.FolderUserTasks, eas.ClassNotes: eas.FolderUserNotes,
}

// rearrange lets the phone's owner make, rename or delete a folder.
func (h *handset) rearrange() {
	w := h.world
	r, ok := w.shelf.(Registry)
	if !ok || h.phone.FolderKey() == "" {
		return
	}
	var extras []folder
	for _, f := range h.folders() {
		if f.place.extra {
			extras = append(extras, f)
		}
	}
	w.serial++
	w.count(func(r *Report) { r.Folders++ })
	name := fmt.Sprintf("Folder %d", w.serial)
	if n := w.rng.IntN(mostExtras); n >= len(extras) {
		h.create(r, name)
		return
	}
	f := extras[w.rng.IntN(len(extras))]
	if w.rng.IntN(2) == 0 {
		h.rename(r, f, name)
	} else {
		h.discard(r, f)
	}
}

// called finds a collection by its name, and any other thing than one of it is
// wrong; nil if there is none.
func (h *handset) called(r Registry, name string) *backend.Collection {
	all, err := r.Collections()
	if err != nil {
		h.problem("the collections cannot be listed: %v", err)
	}
	var found *backend.Collection
	for _, c := range all {
		if c.Name != name {
			continue
		}
		if found != nil {
			h.problem("there are two collections called %q", name)
		}
		found = &c
	}
	return found
}

func (h *handset) create(r Registry, name string) {
	w := h.world
	k := kinds[w.rng.IntN(len(kinds))]
	if h.version < k.min {
		return
	}
	w.note("%s makes the folder %q for %s", h, name, k.class)
	id := ""
	err := h.insist(func() (err error) {
		id, err = h.phone.CreateFolder(w.t.Context(), eas.RootFolder, name, folderTypes[k.class])
		return err
	})
	w.note("%s is told of the folder %q: %s, error %v", h, name, id, err)
	c := h.called(r, name)
	if c != nil {
		p := &place{id: c.ID, kind: k, name: name, extra: true}
		w.places, w.named[name] = append(w.places, p), p
	}
	if err != nil && !h.behind(err) || c == nil && err == nil {
		h.problem("making the folder %q: %v; collection %+v", name, err, c)
	}
}

// behind tells whether a command was refused for a key of the hierarchy that is
// not the newest: an answer was lost, and others changed something since. The
// phone then asks for the hierarchy. See [MS-ASCMD] "Status (FolderCreate)", 9.
func (h *handset) behind(err error) bool {
	if statusOf(err) != int(eas.FolderBadKey) {
		return false
	}
	h.folderSync()
	return true
}

func (h *handset) rename(r Registry, f folder, name string) {
	w, p := h.world, f.place
	before := p.name
	w.note("%s calls the folder %q %q", h, f.DisplayName, name)
	w.named[name] = p
	err := h.insist(func() error { return h.phone.RenameFolder(w.t.Context(), f.ServerID, "", name) })
	w.note("%s is told of the name %q: error %v", h, name, err)
	if h.called(r, name) != nil {
		p.name = name
	}
	switch {
	case err == nil && p.name != name, err != nil && p.name == name && p.name != before && statusOf(err) != int(eas.FolderBadKey):
		h.problem("calling %s %q: error %v, and it is called %q", p.id, name, err, p.name)
	case err == nil || p.stale() || p.readOnly || h.behind(err):
	default:
		h.problem("calling %s %q: %v", p.id, name, err)
	}
}

// stale tells whether a phone may name a folder that is no more, though the same
// collection may have come back since, as another folder.
func (p *place) stale() bool { return p.gone || p.vanished }

// discard deletes a folder with all that is in it.
func (h *handset) discard(r Registry, f folder) {
	w, p := h.world, f.place
	w.note("%s deletes the folder %q of %s", h, f.DisplayName, p.id)
	gone := p.stale()
	if !p.readOnly {
		w.empties(p, h.String())
	}
	err := h.insist(func() error { return h.phone.DeleteFolder(w.t.Context(), f.ServerID) })
	w.note("%s is told of the folder's end: error %v", h, err)
	h.tooLate()
	there := h.called(r, p.name) != nil
	switch {
	case err == nil && there, err != nil && !gone && !p.readOnly && !h.behind(err):
		h.problem("deleting %s: error %v, and it is there: %t", p.id, err, there)
	case there && !p.readOnly: // the request was not carried out, and what is in it stays
		w.restores(p, h.String())
	}
}

// restores takes back what a deletion would have done.
func (w *world) restores(p *place, by string) {
	p.gone = false
	for _, o := range w.objects {
		if o.where == p && o.gone == by+folderly {
			o.gone, o.perhaps = "", false
		}
	}
}

// folderly tells deletions of folders from those of what is in them.
const folderly = " with its folder"

// empties notes that a collection goes, with all that is in it or on its way there.
func (w *world) empties(p *place, by string) {
	p.gone, p.vanished = true, true
	for _, o := range w.objects {
		if o.where == p && o.gone == "" {
			w.deleted(o, by+folderly)
			o.perhaps = o.by != desktop
		}
	}
}
