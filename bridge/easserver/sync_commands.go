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
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// maxMerges is how often a phone's change is merged anew because somebody
	// else was faster, before the phone is told of a conflict.
	maxMerges = 4
)

// passing tells errors after which the phone has to send the whole request
// again: its changes must not get lost, and an answer without them would say
// that they were carried out.
func passing(err error) bool {
	switch backend.KindOf(err) {
	case backend.Transient, backend.Denied:
		return true
	}
	_, typed := errors.AsType[*backend.Error](err)
	return !typed && !errors.Is(err, translate.ErrInvalid) && !errors.Is(err, translate.ErrUnreadable) && !errors.Is(err, translate.ErrNotShown)
}

// translated marks what a translation says of an item: it concerns this item,
// and would say the same of it the next time.
func translated(err error) error {
	if err == nil || !passing(err) {
		return err
	}
	return fmt.Errorf("%w: %w", translate.ErrUnreadable, err)
}

// itemStatus tells a phone what came of its command. It is the one place where
// kinds of errors become statuses of items.
func itemStatus(err error) eas.SyncStatus {
	switch {
	case err == nil:
		return eas.SyncOK
	case errors.Is(err, translate.ErrInvalid), errors.Is(err, translate.ErrUnreadable):
		return eas.SyncBadItem
	case errors.Is(err, syncengine.ErrNoItem), errors.Is(err, translate.ErrNotShown):
		return eas.SyncNotFound
	}
	switch backend.KindOf(err) {
	case backend.NotFound:
		return eas.SyncNotFound
	case backend.Conflict, backend.ReadOnly:
		return eas.SyncConflict // the server's version stays, and the phone gets it
	case backend.Invalid, backend.TooLarge, backend.Unsupported:
		return eas.SyncBadItem
	}
	return eas.SyncServerError
}

// applyAll carries the phone's commands out, in their order. Success is said
// only of what the backend said yes to. See [MS-ASCMD] "Responses": Adds and
// Fetches are always answered, Changes and Deletes only if they failed.
func (f *folderSync) applyAll(ctx context.Context) error {
	clients := make(map[string]bool)
	for i := range f.request.Commands {
		cmd := &f.request.Commands[i]
		out := eas.SyncOutcome{Do: cmd.Do, ClientID: cmd.ClientID, ServerID: cmd.ServerID, InstanceID: cmd.InstanceID}
		var err error
		switch cmd.Do {
		case tag.AirSyncAdd:
			// A second Add of a name would be taken for the first one's repetition.
			if err = fmt.Errorf("%w: the ClientId stands twice in the request", translate.ErrInvalid); !clients[cmd.ClientID] {
				clients[cmd.ClientID] = true
				out.ServerID, err = f.add(ctx, cmd)
			}
		case tag.AirSyncChange:
			err = f.change(ctx, cmd)
		case tag.AirSyncDelete:
			err = f.remove(ctx, cmd)
		case tag.AirSyncFetch:
			out.Data, err = f.fetch(ctx, cmd)
		}
		if err != nil && !errors.Is(err, syncengine.ErrNoItem) && passing(err) {
			return fmt.Errorf("easserver: the phone's change: %w", err)
		}
		if out.Status = itemStatus(err); out.Status != eas.SyncOK {
			f.call.report(f.server, err)
			f.call.event.Add(slogItem(cmd.Do, err))
		} else if cmd.Do == tag.AirSyncChange || cmd.Do == tag.AirSyncDelete {
			continue
		}
		f.result.Responses = append(f.result.Responses, out)
	}
	if len(f.request.Commands) > 0 {
		f.round.Acknowledge() // the answer has a new key, also if nothing had to be written
	}
	return nil
}

// number finds the item that a command names.
func (f *folderSync) number(serverID string) (syncengine.Number, error) {
	folder, n, err := syncengine.ParseServerID(serverID)
	if err == nil && folder != f.folder.ID {
		err = fmt.Errorf("%w: %q is in another folder", syncengine.ErrNoItem, serverID)
	}
	return n, err
}

// add creates the phone's new item under a name that a repetition of the
// command would derive again, so that it meets its own first try.
func (f *folderSync) add(ctx context.Context, cmd *eas.SyncCommand) (serverID string, err error) {
	if f.class.make == nil {
		return "", backend.Errorf(backend.Unsupported, "easserver: add", "items of class %s cannot be added", f.class.name)
	}
	if before, ok := f.round.Earlier(cmd.ClientID); ok {
		return syncengine.ServerID(f.folder.ID, before.Number), f.addedBefore(ctx, cmd, before)
	}
	if cmd.Class != "" && cmd.Class != f.class.name {
		return "", fmt.Errorf("%w: an item of class %.40q does not belong here", translate.ErrInvalid, cmd.Class)
	}
	if f.folder.ReadOnly {
		return "", backend.Errorf(backend.Unsupported, "easserver: add", "folder %s is read-only", f.folder.ID)
	}
	name := f.round.NextName(cmd.ClientID)
	o := f.translation()
	body, err := f.class.make(name, cmd.Data, o)
	if err != nil {
		return "", translated(err)
	}
	it := backend.Item{ID: backend.ItemID(name), MediaType: f.folder.Kind.MediaType(), Body: body}
	stored, err := f.session.Put(ctx, f.folder.Collection, it)
	if backend.KindOf(err) == backend.Conflict && stored.ID != "" {
		stored, body, err = f.meet(ctx, stored, cmd.Data, o)
	}
	if err != nil {
		return "", err
	}
	stored.MediaType, stored.Body = it.MediaType, body
	n, err := f.round.Added(ctx, cmd.ClientID, stored)
	if err != nil {
		return "", err
	}
	return syncengine.ServerID(f.folder.ID, n), nil
}

// addedBefore is an Add that was carried out in the round which this one
// repeats. What others did to the item since, its deletion too, is newer than
// what the phone says again, and news to the phone.
func (f *folderSync) addedBefore(ctx context.Context, cmd *eas.SyncCommand, before syncengine.Result) error {
	row, _, err := f.round.Lookup(ctx, before.Number)
	if errors.Is(err, syncengine.ErrNoItem) {
		return nil
	}
	if err != nil {
		return err
	}
	now, err := f.current(ctx, row.ID)
	if backend.KindOf(err) == backend.NotFound {
		return nil
	}
	if err != nil || now.Revision != before.Revision && !f.set.phoneWins() {
		return err
	}
	merged, err := f.class.merge(now.Body, cmd.Data, f.translation())
	if err != nil || bytes.Equal(merged, now.Body) {
		return nil // it is there, as the phone said at first
	}
	now.Body = merged
	stored, err := f.session.Put(ctx, f.folder.Collection, now)
	if kind := backend.KindOf(err); kind == backend.Conflict || kind == backend.NotFound {
		return nil // somebody was faster
	}
	if err != nil {
		return err
	}
	stored.MediaType, stored.Body = now.MediaType, merged
	_, err = f.round.Added(ctx, cmd.ClientID, stored)
	return err
}

// meet is an Add whose item is there already: an earlier try of the same
// command made it. What the phone sends now may be newer than what it sent
// then.
func (f *folderSync) meet(ctx context.Context, there backend.Item, sent eas.Properties, o translate.Options) (backend.Item, []byte, error) {
	for range maxMerges {
		now, err := f.current(ctx, there.ID)
		if err != nil {
			return backend.Item{}, nil, err
		}
		merged, err := f.class.merge(now.Body, sent, o)
		if err != nil || bytes.Equal(merged, now.Body) {
			return now, now.Body, translated(err)
		}
		stored, err := f.session.Put(ctx, f.folder.Collection, backend.Item{ID: now.ID, Revision: now.Revision, MediaType: now.MediaType, Body: merged})
		if backend.KindOf(err) != backend.Conflict {
			return stored, merged, err
		}
	}
	return backend.Item{}, nil, backend.Errorf(backend.Conflict, "easserver: add", "the item changes faster than it can be merged")
}

// change patches the item with what the phone changed in it.
func (f *folderSync) change(ctx context.Context, cmd *eas.SyncCommand) error {
	n, err := f.number(cmd.ServerID)
	if err != nil {
		return err
	}
	row, left, err := f.lookup(ctx, n)
	if err != nil {
		return err
	}
	if cmd.InstanceID != "" && f.class.mergeInstance == nil {
		return f.noInstances()
	}
	if f.class.merge == nil {
		return backend.Errorf(backend.Unsupported, "easserver: change", "items of class %s cannot be changed", f.class.name)
	}
	o := f.translation()
	return f.rewrite(ctx, n, row, left, func(object []byte) ([]byte, error) {
		if cmd.InstanceID != "" {
			return f.class.mergeInstance(object, cmd.InstanceID, cmd.Data, o)
		}
		return f.class.merge(object, cmd.Data, o)
	})
}

// lookup finds the item of a command. One that left the filter's window while
// the phone's owner edited it is there all the same.
func (f *folderSync) lookup(ctx context.Context, n syncengine.Number) (row syncengine.Row, left bool, err error) {
	row, _, err = f.round.Lookup(ctx, n)
	if errors.Is(err, syncengine.ErrNoItem) && row.ID != "" && !row.Removed {
		return row, true, nil
	}
	return row, false, err
}

// rewrite replaces the present revision of an item by an edited one. Where the
// item is not what this phone was told last, the phone's wish decides whose
// version stays; an edit that changes nothing is no conflict. left says that the
// phone does not hold the item any more.
func (f *folderSync) rewrite(ctx context.Context, n syncengine.Number, row syncengine.Row, left bool, edit func([]byte) ([]byte, error)) error {
	for range maxMerges {
		now, err := f.current(ctx, row.ID)
		if err != nil {
			return err
		}
		edited, err := edit(now.Body)
		if errors.Is(err, translate.ErrInvalid) {
			return errors.Join(err, f.round.Again(ctx, n, true)) // the phone shall see what really is there
		}
		if err != nil {
			return translated(err)
		}
		if bytes.Equal(edited, now.Body) {
			// Perhaps an earlier try did it, of which nothing but this is known.
			// What the phone edits next, it edits upon this.
			f.mine[n] = now.Revision
			return nil
		}
		told := now.Revision == row.Told
		if !told && now.Revision != f.mine[n] && !f.set.phoneWins() {
			return backend.Errorf(backend.Conflict, "easserver: change", "the item was changed on the server, too")
		}
		if f.folder.ReadOnly {
			err = backend.Errorf(backend.ReadOnly, "easserver: change", "folder %s is read-only", f.folder.ID)
			return errors.Join(err, f.round.Again(ctx, n, true))
		}
		stored, err := f.session.Put(ctx, f.folder.Collection, backend.Item{ID: now.ID, Revision: now.Revision, MediaType: now.MediaType, Body: edited})
		switch backend.KindOf(err) {
		case backend.Conflict:
			continue // somebody was faster: merge with what is there now
		case backend.ReadOnly, backend.Invalid, backend.TooLarge:
			return errors.Join(err, f.round.Again(ctx, n, true)) // the phone shall see what really is there
		}
		if err != nil {
			return err
		}
		err = f.round.Changed(ctx, n, stored.Revision)
		if err == nil && (!told || left) { // what others did beside it is news to the phone
			err = f.round.Again(ctx, n, !left)
		}
		return err
	}
	return backend.Errorf(backend.Conflict, "easserver: change", "the item changes faster than it can be merged")
}

// remove deletes an item, or one occurrence of a series. A deletion beats a
// change: it concerns the item, whatever its revision. See [MS-ASCMD]
// "Conflict".
func (f *folderSync) remove(ctx context.Context, cmd *eas.SyncCommand) error {
	n, err := f.number(cmd.ServerID)
	if err != nil {
		return err
	}
	row, left, err := f.lookup(ctx, n)
	if errors.Is(err, syncengine.ErrNoItem) && row.Removed {
		return f.round.Deleted(ctx, n) // gone on both sides
	}
	if err != nil {
		return err
	}
	if cmd.InstanceID != "" {
		if f.class.deleteInstance == nil {
			return f.noInstances()
		}
		o := f.translation()
		return f.rewrite(ctx, n, row, left, func(object []byte) ([]byte, error) {
			return f.class.deleteInstance(object, cmd.InstanceID, o)
		})
	}
	if f.folder.ReadOnly {
		err = backend.Errorf(backend.ReadOnly, "easserver: delete", "folder %s is read-only", f.folder.ID)
	} else {
		err = f.session.Delete(ctx, f.folder.Collection, row.ID, "")
	}
	switch backend.KindOf(err) {
	case backend.ReadOnly:
		return errors.Join(err, f.round.Again(ctx, n, false))
	case backend.NotFound:
		err = nil
	}
	if err != nil {
		return err
	}
	return f.round.Deleted(ctx, n)
}

// noInstances refuses an edit of one occurrence where items have none: the
// item as a whole is not what the phone meant.
func (f *folderSync) noInstances() error {
	return fmt.Errorf("%w: items of class %s have no occurrences", translate.ErrInvalid, f.class.name)
}

// fetch answers an item that the phone asks for by name.
func (f *folderSync) fetch(ctx context.Context, cmd *eas.SyncCommand) (eas.Properties, error) {
	n, err := f.number(cmd.ServerID)
	if err != nil {
		return nil, err
	}
	row, _, err := f.round.Lookup(ctx, n)
	if err != nil {
		return nil, err
	}
	now, err := f.current(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	if f.class.show == nil {
		return nil, translate.ErrUnreadable
	}
	shown, err := f.class.show(now.Body, f.translation())
	var t tally
	t.add(row.ID, err)
	f.server.tell(ctx, f.call, f.folder, t)
	return shown, translated(err)
}

// current reads one item as it is in the backend now; NotFound if it is gone.
func (f *folderSync) current(ctx context.Context, id backend.ItemID) (backend.Item, error) {
	return getOne(ctx, f.session, f.folder.Collection, id)
}

func getOne(ctx context.Context, s backend.Session, c backend.CollectionID, id backend.ItemID) (backend.Item, error) {
	var got *backend.Fetched
	err := s.Get(ctx, c, []backend.ItemID{id}, func(it backend.Fetched) error {
		if it.ID == id {
			got = &it
		}
		return nil
	})
	switch {
	case err != nil:
		return backend.Item{}, err
	case got == nil:
		return backend.Item{}, backend.Errorf(backend.NotFound, "easserver: get", "the item is gone")
	}
	return got.Item, got.Err
}

// commandNames are for the log.
var commandNames = map[wbxml.Tag]string{
	tag.AirSyncAdd: "add", tag.AirSyncChange: "change", tag.AirSyncDelete: "delete", tag.AirSyncFetch: "fetch",
}
