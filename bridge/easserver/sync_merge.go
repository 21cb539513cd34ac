package easserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// maxMerges is how often a phone's change is merged anew because somebody else
// was faster, before the phone is told of a conflict.
const maxMerges = 4

// An edit is what a command makes of an object.
type edit struct {
	body []byte

	// sifted tells whether the edit was compared with what the phone holds,
	// so that nothing in body undoes what others did.
	sifted bool

	// disputed: both sides changed one property to different values, and the
	// server's stayed, as the phone wished.
	disputed bool

	foreign bool             // the object has something of others that the phone does not know
	held    translate.Digest // of the phone after the command
	known   bool             // whether held is all that the phone holds

	try string // the try as which held is to be noted before body is written; empty if it was noted already
}

// An editor edits an object as it is now; told says that it is what the phone
// was told last. e has what the phone holds before the edit. Editors only
// translate: whatever they fail with concerns this edit.
type editor func(e edit, object []byte, told bool) (edit, error)

// sifting is the editor for a whole item: of what the phone sent only that is
// merged which differs from what this phone was last sent. See
// [translate.Sift]. Where that is not known, because an earlier program told
// the phone of the item, all of it is.
func (f *folderSync) sifting(sent eas.Properties, try string, o translate.Options) editor {
	return func(e edit, object []byte, same bool) (_ edit, err error) {
		told := same && !f.round.Repeated
		if told && e.known && f.folder.Kind == backend.Events {
			if now, err := f.class.show(object, o); err == nil && e.held.Adrift(now) {
				return f.adrift(e, object, now, sent, o)
			}
		}
		if told || !e.known {
			e.foreign = !same
			if e.body, err = f.class.merge(object, sent, o); err != nil {
				return e, err
			}
			return f.after(e, object, same, sent, o)
		}
		now, err := f.class.show(object, o)
		if err != nil {
			return e, err
		}
		s := translate.Sift(e.held, f.tried[try], sent, now, o)
		e.sifted, e.foreign = true, s.Foreign
		if e.body, e.disputed, err = f.settle(object, s, o); err != nil {
			return e, err
		}
		return f.after(e, object, same, sent, o)
	}
}

// adrift edits an event that is the same as when the phone was told of it, and
// takes place at another moment since, because its calendar is in another zone. The
// times that the phone did not edit are no edit, and the phone is told of them. By
// them it names the occurrences that it edits: those it does not know any more.
func (f *folderSync) adrift(e edit, object []byte, now, sent eas.Properties, o translate.Options) (_ edit, err error) {
	if e.held.Edits(sent, tag.CalendarExceptions) {
		return e, fmt.Errorf("%w: the occurrences begin at other times than the phone was told", translate.ErrInvalid)
	}
	e.sifted, e.foreign = true, true
	s := translate.Sift(e.held, translate.Digest{}, sent, now, o)
	if e.body, err = f.class.merge(object, s.Sent, o); err != nil {
		return e, err
	}
	return f.after(e, object, true, sent, o)
}

// settle merges what was sifted. In a dispute the phone's wish decides for the
// properties that both sides changed. See [MS-ASCMD] "Conflict". A difference
// that makes none to the object is no dispute.
func (f *folderSync) settle(object []byte, s translate.Sifted, o translate.Options) (body []byte, disputed bool, err error) {
	if !s.Disputed {
		body, err = f.class.merge(object, s.Sent, o)
		return body, false, err
	}
	theirs, err1 := f.class.merge(object, s.Kept, o)
	ours, err2 := f.class.merge(object, s.Sent, o)
	switch {
	case f.set.phoneWins():
		return ours, false, err2
	case err1 != nil:
		return nil, false, err1
	}
	return theirs, err2 != nil || !bytes.Equal(ours, theirs), nil
}

// after works out what the phone holds after its edit.
func (f *folderSync) after(e edit, object []byte, told bool, sent eas.Properties, o translate.Options) (edit, error) {
	before, err := f.class.show(object, o)
	if err != nil {
		return e, err
	}
	if !e.known && told {
		e.held, e.known = translate.DigestOf(before), true
	}
	if !e.known {
		return e, nil
	}
	held := e.held
	e.held = held.After(sent, o)
	if bytes.Equal(object, e.body) {
		return e, nil
	}
	shown, err := f.class.show(e.body, o)
	if err != nil {
		return e, err
	}
	e.held = e.held.Wrote(held, before, shown)
	return e, nil
}

// holds answers what the phone holds of an item, if that is known.
func (f *folderSync) holds(ctx context.Context, n syncengine.Number) (translate.Digest, bool, error) {
	b, err := f.round.Holds(ctx, n)
	if err != nil || b == nil {
		return translate.Digest{}, false, err
	}
	d, err := translate.ParseDigest(b)
	return d, err == nil, nil // what another program wrote is as good as nothing
}

// hold notes what the phone holds after an edit.
func (f *folderSync) hold(n syncengine.Number, e edit) {
	if e.known {
		f.round.Hold(n, e.held.Bytes())
	} else {
		f.round.Hold(n, nil)
	}
}

// rewrite replaces the present revision of an item by an edited one. An edit
// that changes nothing is no conflict. left says that the phone does not hold
// the item any more.
func (f *folderSync) rewrite(ctx context.Context, n syncengine.Number, row syncengine.Row, left bool, apply editor) error {
	var before edit
	var err error
	if before.held, before.known, err = f.holds(ctx, n); err != nil {
		return err
	}
	for range maxMerges {
		now, err := f.current(ctx, row.ID)
		if err != nil {
			return err
		}
		told := now.Revision == row.Told
		e, err := apply(before, now.Body, told)
		if errors.Is(err, translate.ErrInvalid) {
			return f.refused(ctx, n, true, err)
		}
		if err != nil {
			return translated(err)
		}
		same := bytes.Equal(e.body, now.Body)
		if same && !e.disputed {
			// Perhaps an earlier try did it, of which nothing but this is known.
			// What the phone edits next, it edits upon this.
			f.mine[n] = now.Revision
			f.hold(n, e)
			if e.sifted && !e.foreign && !told && !left {
				return f.round.Changed(ctx, n, now.Revision) // the phone holds all of it
			}
			return nil
		}
		if !e.sifted && !told && now.Revision != f.mine[n] && !f.set.phoneWins() {
			return errChangedThere
		}
		if f.folder.ReadOnly {
			err = backend.Errorf(backend.ReadOnly, "easserver: change", "folder %s is read-only", f.folder.ID)
			return f.refused(ctx, n, true, err)
		}
		if !same {
			if err := f.noteTry(ctx, e); err != nil {
				return err
			}
			if err := f.tellGuests(ctx, string(now.ID)+"\x00"+string(now.Revision), now.Body, e.body); err != nil {
				return err
			}
			stored, err := f.session.Put(ctx, f.folder.Collection, backend.Item{ID: now.ID, Revision: now.Revision, MediaType: now.MediaType, Body: e.body})
			switch backend.KindOf(err) {
			case backend.Conflict:
				continue // somebody was faster: merge with what is there now
			case backend.ReadOnly, backend.Invalid, backend.TooLarge:
				return f.refused(ctx, n, true, err)
			}
			if err != nil {
				return err
			}
			if err := f.round.Changed(ctx, n, stored.Revision); err != nil {
				return err
			}
		}
		return f.rewritten(ctx, n, e, left)
	}
	return backend.Errorf(backend.Conflict, "easserver: change", "the item changes faster than it can be merged")
}

// refused is the reason why a phone's edit of an item is refused, once it is
// noted that the phone shall see what really is there; held tells whether it has
// the item still. Without that note the phone is not to hear of the refusal: it
// would keep what its owner did.
func (f *folderSync) refused(ctx context.Context, n syncengine.Number, held bool, why error) error {
	if err := f.round.Again(ctx, n, held); err != nil {
		return err
	}
	return why
}

var errChangedThere = backend.Errorf(backend.Conflict, "easserver: change", "the item was changed on the server, too")

// rewritten ends an edit that was written, or refused in part: what others did
// beside it is news to the phone.
func (f *folderSync) rewritten(ctx context.Context, n syncengine.Number, e edit, left bool) error {
	f.hold(n, e)
	if e.foreign || left || e.disputed {
		if err := f.round.Again(ctx, n, !left); err != nil {
			return err
		}
	}
	if e.disputed {
		return errChangedThere
	}
	return nil
}

// A creation is what a phone's new item looks like.
type creation struct {
	body   []byte
	digest translate.Digest // of what the phone holds then
	err    error
}

// create makes the phone's new item, once for each command.
func (f *folderSync) create(cmd *eas.SyncCommand, name string) creation {
	if c, ok := f.created[cmd]; ok {
		return c
	}
	o := f.translation(0)
	c := creation{digest: translate.DigestOf(cmd.Data)}
	if c.body, c.err = f.class.make(name, cmd.Data, o); c.err == nil {
		var shown eas.Properties
		if shown, c.err = f.class.show(c.body, o); c.err == nil {
			c.digest = c.digest.Wrote(translate.Digest{}, nil, shown)
		}
	}
	if f.created == nil {
		f.created = make(map[*eas.SyncCommand]creation)
	}
	f.created[cmd] = c
	return c
}

// named is the digest of a new item that got its number, and with it the names
// of its files.
func (f *folderSync) named(c creation, n syncengine.Number) translate.Digest {
	if f.class.attached == nil {
		return c.digest
	}
	before, err1 := f.class.show(c.body, f.translation(0))
	shown, err2 := f.class.show(c.body, f.translation(n))
	if err1 != nil || err2 != nil {
		return c.digest // the phone gets the item once more
	}
	return c.digest.Wrote(c.digest, before, shown)
}

// met is an Add whose item is there already: an earlier try of the same command
// made it. What the phone says now otherwise than it said then is newer; what
// others did to the item meanwhile stays, and is news to the phone.
func (f *folderSync) met(ctx context.Context, cmd *eas.SyncCommand, id backend.ItemID) (serverID string, err error) {
	o := f.translation(0)
	said := f.create(cmd, string(id))
	for range maxMerges {
		now, err := f.current(ctx, id)
		if err != nil {
			return "", err
		}
		shown, err := f.class.show(now.Body, o)
		if err != nil {
			return "", translated(err)
		}
		// The first try may have ended before guests were told of the meeting.
		if err := f.tellGuests(ctx, string(id), nil, said.body); err != nil {
			return "", err
		}
		s := translate.Sifted{Sent: cmd.Data}
		if first, ok := f.tried[tryOf(cmd)]; ok {
			s = translate.Sift(first, translate.Digest{}, cmd.Data, shown, o)
		}
		merged, _, err := f.settle(now.Body, s, o)
		if err != nil {
			return "", translated(err)
		}
		stored := now
		if !bytes.Equal(merged, now.Body) {
			if err := f.tellGuests(ctx, string(id)+"\x00"+string(now.Revision), now.Body, merged); err != nil {
				return "", err
			}
			stored, err = f.session.Put(ctx, f.folder.Collection, backend.Item{ID: id, Revision: now.Revision, MediaType: now.MediaType, Body: merged})
			switch {
			case backend.KindOf(err) == backend.Conflict:
				continue
			case err != nil:
				return "", err
			}
			stored.MediaType, stored.Body = now.MediaType, merged
		}
		n, err := f.round.Added(ctx, cmd.ClientID, stored)
		if err != nil {
			return "", err
		}
		f.round.Hold(n, f.named(said, n).Bytes())
		if s.Foreign {
			err = f.round.Again(ctx, n, true)
		}
		return syncengine.ServerID(f.folder.ID, n), err
	}
	return "", backend.Errorf(backend.Conflict, "easserver: add", "the item changes faster than it can be merged")
}
