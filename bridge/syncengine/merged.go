package syncengine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A merged folder stands for all of a person's folders of one kind, for phones
// that show one folder per kind. It has no items of its own: each item keeps its
// folder and its number, and so its ServerId, and a phone's rounds are those of
// the folders behind it, its parts. Of the merged folder itself there is a
// partnership, whose Settings say which parts the phone was told of, and their
// keys: so all of them go back together when an answer is lost.
//
// It is another folder than any of its parts. A phone that is to see folders
// merged from now on, or not any more, is told that the ones go and the others
// come, and never holds an item in both.

// mergedKinds give merged folders their IDs, -1 and so on. The list only grows.
var mergedKinds = []backend.CollectionKind{backend.Contacts, backend.Events, backend.Tasks, backend.Notes}

// mergedPrefix begins the ServerId of a merged folder.
const mergedPrefix = "m"

// Merged is the ID of the folder that stands for all of a kind; 0 if there is
// none.
func Merged(kind backend.CollectionKind) FolderID {
	return FolderID(-1 - slices.Index(mergedKinds, kind))
}

// Merged tells whether the folder stands for others.
func (f FolderID) Merged() bool { return f < 0 }

func (f FolderID) mergedName() string { return mergedPrefix + strconv.FormatInt(-int64(f), 10) }

// parseMerged reads what mergedName wrote; 0 if it is none.
func parseMerged(s string) FolderID {
	digits, ok := strings.CutPrefix(s, mergedPrefix)
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n <= 0 || n > int64(len(mergedKinds)) || FolderID(-n).String() != s {
		return 0
	}
	return FolderID(-n)
}

// merge lists the merged folders that stand for some of the folders. Each is
// called like the main one of its kind.
func merge(folders []Folder) []Folder {
	var list []Folder
	for _, kind := range mergedKinds {
		var m Folder
		for _, f := range folders {
			switch {
			case f.Kind != kind:
			case m.ID == 0 || f.Default:
				m = Folder{ID: Merged(kind), User: f.User, Kind: kind, Name: f.Name, Default: true, Colour: f.Colour}
			}
		}
		if m.ID != 0 {
			list = append(list, m)
		}
	}
	return list
}

// mergedFolder finds a merged folder; ErrNoFolder if there is nothing that it
// would stand for.
func (e *Engine) mergedFolder(ctx context.Context, user string, id FolderID) (Folder, error) {
	folders, err := e.Folders(ctx, user)
	if err != nil {
		return Folder{}, err
	}
	return mergedOf(folders, id)
}

// mergedOf is mergedFolder among a person's folders.
func mergedOf(folders []Folder, id FolderID) (Folder, error) {
	for _, m := range merge(folders) {
		if m.ID == id {
			return m, nil
		}
	}
	return Folder{}, fmt.Errorf("%w: there is nothing in folder %v", ErrNoFolder, id)
}

// A Part is a folder behind a merged one.
type Part struct {
	Folder
	Leaves bool // it is none any more: what the phone has of it is to go
}

// Parts lists the folders behind a merged one, the Default first; and those of
// told, which a phone was told of, that are none any more.
func (e *Engine) Parts(ctx context.Context, user string, kind backend.CollectionKind, told map[FolderID]Key) ([]Part, error) {
	records, err := e.store.Folders(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("syncengine: the parts of a folder: %w", err)
	}
	return partsOf(records, kind, told), nil
}

// partsOf is Parts among a person's folders, whose order it changes.
func partsOf(records []FolderRecord, kind backend.CollectionKind, told map[FolderID]Key) []Part {
	slices.SortStableFunc(records, func(a, b FolderRecord) int {
		if a.Default != b.Default {
			if a.Default {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Backend, b.Backend), cmp.Compare(a.Order, b.Order), cmp.Compare(a.ID, b.ID))
	})
	var parts []Part
	for _, r := range records {
		_, known := told[r.ID]
		leaves := r.Gone || r.Kind != kind
		if known || !leaves {
			parts = append(parts, Part{r.Folder, leaves})
		}
	}
	return parts
}

// PresentSettings are the Settings of a phone and a folder at the present key;
// ErrUnknown if the phone never synchronized it, or has to begin anew.
func (e *Engine) PresentSettings(ctx context.Context, p Phone, id FolderID) ([]byte, error) {
	stored, err := e.store.PresentState(ctx, p, id)
	if err != nil {
		return nil, fmt.Errorf("syncengine: a folder's settings: %w", err)
	}
	s, err := decodeState(stored.State)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return s.settings, nil
}

// Knows tells whether a phone was told of a folder when it asked for folders
// last.
func (e *Engine) Knows(ctx context.Context, p Phone, id FolderID) (bool, error) {
	stored, err := e.store.PresentState(ctx, p, hierarchy)
	if errors.Is(err, ErrUnknown) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("syncengine: a phone's folders: %w", err)
	}
	told, err := decodeSights(stored.State)
	return slices.ContainsFunc(told, func(s sight) bool { return s.ID == id }), err
}

// Leave makes it the round's only news that all goes which the phone has of the
// folder.
func (r *Round) Leave() {
	r.leaves = true
	r.again()
}

// leftovers are the next items that a phone which leaves a folder still has.
func (r *Round) leftovers(limit int) []News {
	r.queue = nil
	for it := r.state.held.Iterator(); it.HasNext() && len(r.queue) < limit; {
		r.queue = append(r.queue, News{Op: Delete, Number: Number(it.Next()), after: r.state.progress()})
	}
	return slices.Clone(r.queue)
}
