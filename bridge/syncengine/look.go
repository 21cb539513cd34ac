package syncengine

import (
	"context"
	"fmt"
	"slices"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Look is what one request of a phone sees of its folders, or one look of a phone
// that waits: it answers what the Engine's methods of the same names do, and asks
// the store for each thing once, when it is first wanted. What changes after that it
// does not see, so it ends with the request or the look. It is for one goroutine.
type Look struct {
	engine *Engine
	phone  Phone
	ids    []FolderID // the folders that it is about, without merged ones

	some      []FolderRecord // those that ids name
	all       []FolderRecord
	standings []FolderStanding // of ids, and of the folders themselves
	has       struct{ some, all, standings bool }
}

// Look begins a look, which is about some folders. Others may be asked for, too,
// and cost a question each.
func (e *Engine) Look(p Phone, ids ...FolderID) *Look {
	l := &Look{engine: e, phone: p}
	for _, id := range ids {
		if id != hierarchy && !id.Merged() {
			l.ids = append(l.ids, id)
		}
	}
	return l
}

// Folder is [Engine.Folder].
func (l *Look) Folder(ctx context.Context, id FolderID) (Folder, error) {
	switch {
	case id.Merged():
		all, err := l.folders(ctx)
		if err != nil {
			return Folder{}, fmt.Errorf("syncengine: folders: %w", err)
		}
		return mergedOf(parentsFirst(all), id)
	case !slices.Contains(l.ids, id):
		return l.engine.Folder(ctx, l.phone.User, id)
	}
	if !l.has.some {
		some, err := l.engine.store.FoldersAmong(ctx, l.phone.User, l.ids)
		if err != nil {
			return Folder{}, fmt.Errorf("syncengine: folder %v: %w", id, err)
		}
		l.some, l.has.some = some, true
	}
	i := slices.IndexFunc(l.some, func(r FolderRecord) bool { return r.ID == id })
	if i < 0 {
		return Folder{}, fmt.Errorf("syncengine: folder %v: %w", id, ErrNoFolder)
	}
	return l.some[i].there()
}

// Parts is [Engine.Parts].
func (l *Look) Parts(ctx context.Context, kind backend.CollectionKind, told map[FolderID]Key) ([]Part, error) {
	all, err := l.folders(ctx)
	if err != nil {
		return nil, fmt.Errorf("syncengine: the parts of a folder: %w", err)
	}
	return partsOf(all, kind, told), nil
}

// HierarchyPending is [Engine.HierarchyPending].
func (l *Look) HierarchyPending(ctx context.Context, show ...func(Folder) bool) (bool, error) {
	st, known, err := l.standing(ctx, hierarchy)
	if err != nil {
		return false, fmt.Errorf("syncengine: hierarchy: %w", err)
	}
	if !known {
		return true, nil
	}
	all, err := l.folders(ctx)
	if err != nil {
		return false, fmt.Errorf("syncengine: hierarchy: %w", err)
	}
	return hierarchyDiffers(st.Told, all, show), nil
}

// Pending is [Engine.Pending].
func (l *Look) Pending(ctx context.Context, id FolderID) (bool, error) {
	if !slices.Contains(l.ids, id) {
		return l.engine.Pending(ctx, l.phone, id)
	}
	st, known, err := l.standing(ctx, id)
	if err == nil && !known {
		err = ErrUnknown
	}
	if err != nil {
		return false, fmt.Errorf("syncengine: pending news: %w", err)
	}
	return l.engine.pendingFrom(ctx, l.phone, id, st.Standing)
}

// standing is how the phone stands with one of the folders that the look is about,
// or with the folders themselves; known tells whether it ever asked.
func (l *Look) standing(ctx context.Context, id FolderID) (st FolderStanding, known bool, err error) {
	if !l.has.standings {
		all, err := l.engine.store.Standings(ctx, l.phone, append([]FolderID{hierarchy}, l.ids...))
		if err != nil {
			return st, false, err
		}
		l.standings, l.has.standings = all, true
	}
	i := slices.IndexFunc(l.standings, func(s FolderStanding) bool { return s.Folder == id })
	if i < 0 {
		return st, false, nil
	}
	return l.standings[i], true, nil
}

// folders are all folders of the person, gone or not, in any order.
func (l *Look) folders(ctx context.Context) ([]FolderRecord, error) {
	if !l.has.all {
		all, err := l.engine.store.Folders(ctx, l.phone.User)
		if err != nil {
			return nil, err
		}
		l.all, l.has.all = all, true
	}
	return l.all, nil
}

// there is the folder of a record, or ErrNoFolder if it is gone.
func (r *FolderRecord) there() (Folder, error) {
	if r.Gone {
		return Folder{}, fmt.Errorf("%w: folder %v is gone", ErrNoFolder, r.ID)
	}
	return r.Folder, nil
}
