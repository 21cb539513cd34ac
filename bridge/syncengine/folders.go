package syncengine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// SetFolders takes complete lists of the named backends' collections; folders
// of backends that are not named stay as they are. It tells whether anything
// that a phone can see is different now. A collection that vanishes and comes
// back gets its old FolderID. One folder of each kind is the Default: the
// store's own first choice, else the first listed, and rather one that can be
// written to; it stays the Default as long as it exists. Options.Prefer goes
// before all of that.
func (e *Engine) SetFolders(ctx context.Context, user string, listings []Listing) (changed bool, err error) {
	// Nearly always nothing changed, and that can be seen without a
	// transaction.
	records, err := e.store.Folders(ctx, user)
	if err != nil {
		return false, fmt.Errorf("syncengine: folders: %w", err)
	}
	if todo := e.arrange(user, records, listings); len(todo) == 0 {
		return false, nil
	}
	err = e.store.Update(ctx, user, func(w Writer) error {
		changed = false
		// Twice: the parents of new folders have no ID before they are saved.
		for range 2 {
			records, err := w.Folders(ctx, user)
			if err != nil {
				return err
			}
			for _, r := range e.arrange(user, records, listings) {
				if _, err := w.SaveFolder(ctx, r); err != nil {
					return err
				}
				changed = changed || r.ID == 0 || !sameToPhones(r, records)
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("syncengine: folders: %w", err)
	}
	return changed, nil
}

// sameToPhones tells whether r differs from what was recorded only in what no
// phone is told.
func sameToPhones(r FolderRecord, records []FolderRecord) bool {
	i := slices.IndexFunc(records, func(o FolderRecord) bool { return o.ID == r.ID })
	o := records[i]
	return o.Gone == r.Gone && seen(o.Folder) == seen(r.Folder)
}

// A place names a collection among all of a user's.
type place struct {
	backend    string
	collection backend.CollectionID
}

func (r *FolderRecord) place() place { return place{r.Backend, r.Collection} }

// arrange answers the records that have to be saved so that they say what the
// listings say. A folder that is new has ID 0, and a child of a new folder has
// no parent yet: once that is saved, arrange answers the child again.
func (e *Engine) arrange(user string, records []FolderRecord, listings []Listing) []FolderRecord {
	all := slices.Clone(records)
	at := map[place]int{}
	named := map[string]bool{}
	for i := range all {
		at[all[i].place()] = i
	}
	first := map[place]bool{} // the stores' own choices
	listed := map[place]backend.Collection{}
	for _, l := range listings {
		named[l.Backend] = true
		for order, c := range l.Collections {
			pl := place{l.Backend, c.ID}
			listed[pl], first[pl] = c, c.Default
			i, ok := at[pl]
			if !ok {
				i = len(all)
				at[pl] = i
				all = append(all, FolderRecord{Folder: Folder{User: user, Backend: l.Backend, Collection: c.ID}})
			}
			r := &all[i]
			r.Kind, r.Name, r.ReadOnly, r.Colour, r.Owner, r.Role, r.Zone = c.Kind, c.Name, c.ReadOnly, c.Colour, c.Owner, c.Role, c.Zone
			r.Order, r.Gone = order, false
		}
	}
	for i := range all {
		r := &all[i]
		c, ok := listed[r.place()]
		if !named[r.Backend] {
			continue
		}
		if !ok {
			r.Gone, r.Parent = true, 0
			continue
		}
		r.Parent = 0
		if p, ok := at[place{r.Backend, c.Parent}]; ok && c.Parent != c.ID && !all[p].Gone {
			r.Parent = all[p].ID
		}
	}
	e.chooseDefaults(all, first)
	var todo []FolderRecord
	for i := range all {
		if i >= len(records) || all[i] != records[i] {
			todo = append(todo, all[i])
		}
	}
	return todo
}

// chooseDefaults sees to it that of each kind of folders that are there just
// one is the Default. "Exactly one of each default type": [MS-ASCMD] "Type
// (FolderSync)".
func (e *Engine) chooseDefaults(all []FolderRecord, first map[place]bool) {
	chosen := map[backend.CollectionKind]bool{}
	kinds := map[backend.CollectionKind][]int{}
	preferred := func(r *FolderRecord) bool {
		if r.Kind == backend.Mail { // where nobody has a choice
			return !r.Gone && r.Role == backend.RoleInbox
		}
		return e.prefer != nil && !r.Gone && e.prefer(r.Folder)
	}
	wished := map[backend.CollectionKind]bool{}
	for i := range all {
		wished[all[i].Kind] = wished[all[i].Kind] || preferred(&all[i])
	}
	for i := range all {
		r := &all[i]
		if r.plays() {
			continue
		}
		r.Default = r.Default && !r.Gone && !chosen[r.Kind] && (!wished[r.Kind] || preferred(r))
		if r.Default {
			chosen[r.Kind] = true
		}
		if !r.Gone {
			kinds[r.Kind] = append(kinds[r.Kind], i)
		}
	}
	// New items of a phone go to the Default: better a folder that takes them,
	// and one's own.
	rank := func(r *FolderRecord) int {
		n := 0
		if wished[r.Kind] && !preferred(r) {
			n += 8
		}
		if r.ReadOnly {
			n += 4
		}
		if r.Owner != "" {
			n += 2
		}
		if !first[r.place()] {
			n++
		}
		return n
	}
	for kind, candidates := range kinds {
		if chosen[kind] {
			continue
		}
		best := slices.MinFunc(candidates, func(a, b int) int {
			return cmp.Or(
				cmp.Compare(rank(&all[a]), rank(&all[b])),
				cmp.Compare(all[a].Order, all[b].Order),
				cmp.Compare(a, b))
		})
		all[best].Default = true
	}
	chooseRoles(all)
}

// plays tells whether a folder has one of the roles beside the inbox's that phones
// know. See [MS-ASCMD] "Type (FolderSync)".
func (r *FolderRecord) plays() bool {
	switch r.Role {
	case backend.RoleDrafts, backend.RoleSent, backend.RoleTrash, backend.RoleOutbox:
		return r.Kind == backend.Mail
	}
	return false
}

// chooseRoles makes those folders Default that have a role at the backend of the
// main inbox: phones have one mailbox with one folder of each role.
func chooseRoles(all []FolderRecord) {
	main := slices.IndexFunc(all, func(r FolderRecord) bool { return r.Kind == backend.Mail && r.Default && !r.plays() })
	taken := map[backend.Role]bool{}
	for i := range all {
		if r := &all[i]; r.plays() {
			r.Default = main >= 0 && !r.Gone && r.Backend == all[main].Backend && !taken[r.Role]
			taken[r.Role] = taken[r.Role] || r.Default
		}
	}
}

// Folders lists what the user has, parents before their children.
func (e *Engine) Folders(ctx context.Context, user string) ([]Folder, error) {
	records, err := e.store.Folders(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("syncengine: folders: %w", err)
	}
	return parentsFirst(records), nil
}

// parentsFirst lists the folders that are there in the order in which phones
// want to hear of them. Where parents go round in a circle one of them is put
// to the top.
func parentsFirst(records []FolderRecord) []Folder {
	slices.SortStableFunc(records, func(a, b FolderRecord) int {
		return cmp.Or(cmp.Compare(a.Backend, b.Backend), cmp.Compare(a.Order, b.Order), cmp.Compare(a.ID, b.ID))
	})
	byID := map[FolderID]*FolderRecord{}
	for i := range records {
		byID[records[i].ID] = &records[i]
	}
	var list []Folder
	done, placed := map[FolderID]bool{}, map[FolderID]bool{}
	var visit func(r *FolderRecord)
	visit = func(r *FolderRecord) {
		if r.Gone || done[r.ID] {
			return
		}
		done[r.ID] = true
		f := r.Folder
		if f.Parent != 0 {
			p := byID[f.Parent]
			if p == nil || p.Gone {
				f.Parent = 0
			} else if visit(p); !placed[f.Parent] {
				f.Parent = 0 // it waits for us: a circle
			}
		}
		placed[f.ID] = true
		list = append(list, f)
	}
	for i := range records {
		visit(&records[i])
	}
	return list
}

// Folder finds one of the user's folders; ErrNoFolder if it is gone, never was
// or is somebody else's.
func (e *Engine) Folder(ctx context.Context, user string, id FolderID) (Folder, error) {
	if id.Merged() {
		return e.mergedFolder(ctx, user, id)
	}
	r, err := e.store.Folder(ctx, user, id)
	if err != nil {
		return Folder{}, fmt.Errorf("syncengine: folder %v: %w", id, err)
	}
	return r.there()
}
