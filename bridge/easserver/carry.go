package easserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A carrier carries one item from store to store.
type carrier struct {
	*syncengine.Move
	from, to backend.Session
	at       syncengine.Folder // where the copy is: in Target, unless somebody took it on
	engine   *syncengine.Engine
	user     string
}

// carry moves an item: the store does it where it can, else it is copied, and
// removed when the copy is there. At no moment it is in neither folder.
func (s *Server) carry(ctx context.Context, c *call, m *syncengine.Move) (syncengine.Number, error) {
	k := carrier{Move: m, at: m.Target, engine: s.Engine, user: c.phone.User}
	var err error
	if k.from, err = c.account.Session(ctx, m.Source.Backend); err != nil {
		return 0, err
	}
	if k.to, err = c.account.Session(ctx, m.Target.Backend); err != nil {
		return 0, err
	}
	moved, err := k.whole(ctx)
	if backend.KindOf(err) == backend.Unsupported {
		moved, err = k.copied(ctx)
	}
	if err != nil {
		return 0, err
	}
	return m.Moved(ctx, moved)
}

// whole lets the store move the item. Where the item is gone, and one of the same
// name that was not there before is in the other folder, an earlier try did it. A
// message is moved as a whole also where one of its name was there: no copy was
// received when it was.
func (k *carrier) whole(ctx context.Context) (backend.Item, error) {
	if k.Source.Backend != k.Target.Backend || k.Taken && k.Source.Kind != backend.Mail || k.Sum != nil {
		return backend.Item{}, backend.Errorf(backend.Unsupported, "easserver: move", "not as a whole")
	}
	moved, err := k.from.Move(ctx, k.Source.Collection, k.ID, k.Target.Collection)
	if backend.KindOf(err) != backend.NotFound || k.Taken {
		return moved, err
	}
	before, looked := getOne(ctx, k.to, k.Target.Collection, k.ID)
	if looked != nil {
		return backend.Item{}, err
	}
	return before, nil
}

// sumOf is what a move remembers of a copy.
func sumOf(body []byte) []byte {
	sum := sha256.Sum256(body)
	return sum[:]
}

// copied puts a copy of the item into the other folder and removes the item in
// that very revision. What somebody edits meanwhile, here or there, stays.
func (k *carrier) copied(ctx context.Context) (backend.Item, error) {
	for range maxMerges {
		now, err := getOne(ctx, k.from, k.Source.Collection, k.ID)
		if backend.KindOf(err) == backend.NotFound && k.copyID() != "" {
			there, err := getOne(ctx, k.to, k.Target.Collection, k.copyID())
			if err != nil {
				return there, err
			}
			return k.gone(ctx, there) // an earlier try removed it, or somebody else
		}
		if err != nil {
			return backend.Item{}, err
		}
		if err := k.quiet(ctx, now.Body); err != nil {
			return backend.Item{}, err
		}
		there, err := k.place(ctx, now)
		if errors.Is(err, errAgain) {
			continue
		}
		if err != nil {
			return backend.Item{}, err
		}
		err = k.from.Delete(ctx, k.Source.Collection, k.ID, now.Revision)
		switch kind := backend.KindOf(err); {
		case kind == backend.Conflict:
			continue // somebody changed it since it was copied
		case kind == backend.NotFound && !k.takenOn():
			return k.gone(ctx, there)
		case kind == backend.ReadOnly, kind == backend.Unsupported, kind == backend.Invalid:
			if err := k.undo(ctx, there); err != nil {
				return backend.Item{}, err // to be sent again, lest it stays in both
			}
			return backend.Item{}, err
		case err != nil && kind != backend.NotFound:
			return backend.Item{}, err
		case k.takenOn():
			return backend.Item{}, errors.Join(k.elsewhere(k.at), k.Uncopied(ctx))
		}
		return there, nil
	}
	return backend.Item{}, errAgain
}

// elsewhere refuses a move: somebody else was faster.
func (k *carrier) elsewhere(f syncengine.Folder) error {
	return fmt.Errorf("%w: somebody else moved it to folder %v", errMoveSource, f.ID)
}

// takenOn tells whether somebody took the copy on to another folder.
func (k *carrier) takenOn() bool { return k.at.ID != k.Target.ID }

// copyID is what the copy is called that an earlier try made; empty if none did. Of
// one that was about to be made, and nobody knows whether it was, it is what most
// stores would make of its name.
func (k *carrier) copyID() backend.ItemID {
	if k.Copy != "" || k.Sum == nil {
		return k.Copy
	}
	return backend.ItemID(k.Name) + extensions[k.Target.Kind.MediaType()]
}

// extensions are the usual ones of the media types of items.
var extensions = map[string]backend.ItemID{"text/vcard": ".vcf", "text/calendar": ".ics", "message/rfc822": ".eml"}

// find looks where the copy is that an earlier try made. Who saw it in its folder
// may have taken it on to a third one, or back: then that is the item, and what is
// still in Source is one too many, and no other copy is wanted. A copy that is
// nowhere was deleted while the item was not, and is made again.
//
// Names of a store's own mean something in one folder only; only where the copy
// has the name that was made up for it, it is known again.
func (k *carrier) find(ctx context.Context) (found bool, err error) {
	k.at = k.Target
	id := k.copyID()
	if id == "" {
		return false, nil
	}
	_, err = getOne(ctx, k.to, k.Target.Collection, id)
	if backend.KindOf(err) != backend.NotFound {
		return err == nil, err
	}
	if !strings.Contains(string(id), k.Name) {
		return false, nil
	}
	folders, err := k.engine.Folders(ctx, k.user)
	if err != nil {
		return false, err
	}
	for _, f := range folders {
		if f.Kind != k.Target.Kind || f.Backend != k.Target.Backend || f.ID == k.Target.ID {
			continue
		}
		_, err := getOne(ctx, k.to, f.Collection, id)
		if err == nil {
			k.at = f // where met sees whether it was edited
		}
		if backend.KindOf(err) != backend.NotFound {
			return err == nil, err
		}
	}
	return false, nil
}

// gone is asked for when the item is gone and its copy is there. That is how a
// move ends; unless somebody else took the item to a third folder, or to this one,
// at the same moment: then it is there, and the copy is one too many. Where that is
// not certain the copy stays.
func (k *carrier) gone(ctx context.Context, there backend.Item) (backend.Item, error) {
	folders, err := k.engine.Folders(ctx, k.user)
	if err != nil {
		return there, nil
	}
	for _, f := range folders {
		if !k.came(ctx, f, there) {
			continue
		}
		if err := k.undo(ctx, there); err != nil {
			return backend.Item{}, err
		}
		return backend.Item{}, k.elsewhere(f)
	}
	return there, nil
}

// came tells whether the item came to another folder meanwhile: it is there, and
// none of its name was in any other folder when the copy was begun.
func (k *carrier) came(ctx context.Context, f syncengine.Folder, there backend.Item) bool {
	if k.Scattered || f.Kind != k.Source.Kind || f.Backend != k.Source.Backend || f.ID == k.Source.ID ||
		f.ID == k.Target.ID && k.ID == there.ID {
		return false
	}
	it, err := getOne(ctx, k.from, f.Collection, k.ID)
	return err == nil && bytes.Equal(it.Body, there.Body)
}

// errAgain means that the item changes faster than it can be copied.
var errAgain = backend.Errorf(backend.Conflict, "easserver: move", "the item changes faster than it can be moved")

// quiet refuses to copy a meeting where a store would invite its guests anew, or
// tell them that it is off when the first one is removed. See RFC 6638, section 3.2.
func (k *carrier) quiet(ctx context.Context, body []byte) error {
	if upper := strings.ToUpper(string(body)); !strings.Contains(upper, "\nATTENDEE") && !strings.Contains(upper, "\nORGANIZER") {
		return nil
	}
	one, err := schedules(ctx, k.from, k.Source)
	if err != nil {
		return err
	}
	two, err := schedules(ctx, k.to, k.Target)
	if err == nil && (one || two) {
		err = errMoveMeeting
	}
	return err
}

// place sees to it that the copy is there, and says what is.
func (k *carrier) place(ctx context.Context, now backend.Item) (backend.Item, error) {
	sum := sumOf(now.Body)
	first, err := k.Copying(ctx, sum)
	if err != nil {
		return backend.Item{}, err
	}
	found, err := k.find(ctx)
	if err == nil && !found && k.Copy != "" && !bytes.Equal(k.Sum, sum) {
		err = k.Copied(ctx, "", sum) // that one is gone, and what is written now is another
	}
	if err != nil {
		return backend.Item{}, err
	}
	media := k.Target.Kind.MediaType()
	var there backend.Item
	if k.takenOn() {
		there, err = k.met(ctx, k.copyID(), now, false)
	} else {
		there, err = k.to.Put(ctx, k.Target.Collection, backend.Item{ID: backend.ItemID(k.Name), MediaType: media, Body: now.Body, Flags: now.Flags})
		if backend.KindOf(err) == backend.Conflict && there.ID != "" {
			there, err = k.met(ctx, there.ID, now, first)
		} else if err == nil {
			there.Body = now.Body
		}
	}
	if err != nil {
		return backend.Item{}, err
	}
	there.MediaType = media
	return there, k.Copied(ctx, there.ID, sumOf(there.Body))
}

// met is a copy that meets something: an earlier try's, which may have been
// edited since or may lack what was edited since, or something else with the same
// UID, which stays as it is, and so does the item.
func (k *carrier) met(ctx context.Context, id backend.ItemID, now backend.Item, first bool) (backend.Item, error) {
	there, err := getOne(ctx, k.to, k.at.Collection, id)
	if backend.KindOf(err) == backend.NotFound {
		return there, errAgain
	}
	if err != nil {
		return there, err
	}
	ours := strings.Contains(string(id), k.Name) || !first && id == k.Copy
	switch sum := sumOf(there.Body); {
	case !ours:
		if err := k.forget(ctx, first); err != nil {
			return there, err
		}
		return there, backend.Errorf(backend.Conflict, "easserver: move", "%.70q is there already", id)
	case bytes.Equal(there.Body, now.Body), bytes.Equal(k.Sum, sumOf(now.Body)):
		return there, nil
	case !bytes.Equal(k.Sum, sum):
		return there, backend.Errorf(backend.Conflict, "easserver: move", "the item and its copy were both edited")
	}
	if err := k.Copied(ctx, id, sumOf(now.Body)); err != nil {
		return there, err
	}
	put, err := k.to.Put(ctx, k.at.Collection, backend.Item{ID: id, Revision: there.Revision, MediaType: now.MediaType, Body: now.Body})
	if backend.KindOf(err) == backend.Conflict || backend.KindOf(err) == backend.NotFound {
		return there, errAgain
	}
	put.Body = now.Body
	return put, err
}

// forget notes that no copy was made, if this was the first try to make one.
func (k *carrier) forget(ctx context.Context, first bool) error {
	if !first {
		return nil
	}
	return k.Uncopied(ctx)
}

// undo removes the copy of an item that cannot be removed itself.
func (k *carrier) undo(ctx context.Context, there backend.Item) error {
	err := k.to.Delete(ctx, k.at.Collection, there.ID, there.Revision)
	if err != nil && backend.KindOf(err) != backend.NotFound {
		return err
	}
	return k.Uncopied(ctx)
}
