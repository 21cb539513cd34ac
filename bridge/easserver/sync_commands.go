package easserver

import (
	"context"
	"errors"
	"fmt"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
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
	case isNotSent(err):
		return eas.SyncStatus(composeStatus(err))
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
	if len(f.request.Commands) > 0 {
		if err := f.whoMails(ctx); err != nil {
			return err
		}
	}
	if err := f.prepare(ctx); err != nil {
		return err
	}
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
		if errors.Is(err, syncengine.ErrNoFolder) {
			return err
		}
		if err != nil && !errors.Is(err, syncengine.ErrNoItem) && passing(err) {
			return fmt.Errorf("easserver: the phone's change: %w", err)
		}
		if out.Status = itemStatus(err); out.Status != eas.SyncOK {
			f.call.report(f.server, err)
			f.call.event.Add(slogItem(cmd.Do, err))
			f.lose(cmd, out.Status)
		} else if out.Data = f.answered(cmd, out); out.Data == nil && (cmd.Do == tag.AirSyncChange || cmd.Do == tag.AirSyncDelete) {
			continue
		}
		f.result.Responses = append(f.result.Responses, out)
	}
	if len(f.request.Commands) > 0 {
		f.round.Acknowledge() // the answer has a new key, also if nothing had to be written
	}
	return nil
}

// lose notes that the phone is told of an item which it changed or deleted that it is
// not there.
func (f *folderSync) lose(cmd *eas.SyncCommand, status eas.SyncStatus) {
	if status != eas.SyncNotFound || cmd.Do != tag.AirSyncChange && cmd.Do != tag.AirSyncDelete {
		return
	}
	if n, err := f.number(cmd.ServerID); err == nil {
		f.lost = append(f.lost, n)
	}
}

// answered is what a phone is told of a command that succeeded: the item of a
// Fetch, and the names of the files that came with an Add or a Change. See
// [MS-ASAIRS] "FileReference (Attachment)".
func (f *folderSync) answered(cmd *eas.SyncCommand, out eas.SyncOutcome) eas.Properties {
	made := f.drafts[cmd]
	if cmd.Do != tag.AirSyncAdd && cmd.Do != tag.AirSyncChange || f.class.attached == nil && made == nil || f.call.version < eas.V160 {
		return out.Data
	}
	o := f.translation(0)
	o.Item = out.ServerID
	if made != nil {
		return mail.Attached(made, o)
	}
	return f.class.attached(cmd.Data, o)
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
	if f.class.message != nil {
		return f.addDraft(ctx, cmd)
	}
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
	name := f.nextName(cmd.ClientID)
	made := f.create(cmd, name)
	if made.err != nil {
		return "", translated(made.err)
	}
	it := backend.Item{ID: backend.ItemID(name), MediaType: f.folder.Kind.MediaType(), Body: made.body}
	stored, err := f.session.Put(ctx, f.folder.Collection, it)
	if backend.KindOf(err) == backend.Conflict && stored.ID != "" {
		return f.met(ctx, cmd, stored.ID)
	}
	if backend.KindOf(err) == backend.NotFound {
		// There is nothing else that a new item could miss.
		return "", fmt.Errorf("%w: %w", syncengine.ErrNoFolder, err)
	}
	if err != nil {
		return "", err
	}
	if err := f.tellGuests(ctx, name, nil, made.body); err != nil {
		return "", err
	}
	stored.MediaType, stored.Body = it.MediaType, it.Body
	n, err := f.round.Added(ctx, cmd.ClientID, stored)
	if err != nil {
		return "", err
	}
	f.round.Hold(n, f.named(made, n).Bytes())
	return syncengine.ServerID(f.folder.ID, n), nil
}

// nextName is the name for an item that the phone adds. Of a merged folder it
// follows the merged folder's key: a part may have got another one since the
// phone said it first.
func (f *folderSync) nextName(clientID string) string {
	if f.head != nil {
		return f.head.round.NextName(clientID)
	}
	return f.round.NextName(clientID)
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
	_, err = f.met(ctx, cmd, row.ID)
	switch backend.KindOf(err) {
	case backend.NotFound, backend.Conflict:
		return nil // somebody was faster; it is there, as the phone said at first, or gone
	}
	if err != nil && !passing(err) {
		return nil
	}
	return err
}

// change patches the item with what the phone changed in it.
func (f *folderSync) change(ctx context.Context, cmd *eas.SyncCommand) error {
	if f.class.message != nil && cmd.InstanceID == "" {
		return f.changeMessage(ctx, cmd)
	}
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
	o := f.translation(n)
	if cmd.InstanceID != "" {
		return f.rewrite(ctx, n, row, left, f.occurrence(cmd, o, func(object []byte) ([]byte, error) {
			return f.class.mergeInstance(object, cmd.InstanceID, cmd.Data, o)
		}))
	}
	return f.rewrite(ctx, n, row, left, f.sifting(cmd.Data, tryOf(cmd), o))
}

// lookup finds the item of a command. One that left the filter's window while
// the phone's owner edited it is there all the same. One that was gone when the
// folder was listed last may be back: the phone, which was not told of either,
// means what is there now.
func (f *folderSync) lookup(ctx context.Context, n syncengine.Number) (row syncengine.Row, left bool, err error) {
	row, _, err = f.round.Lookup(ctx, n)
	if errors.Is(err, syncengine.ErrNoItem) && row.Removed && !f.relisted {
		f.relisted = true
		if _, err := f.server.Engine.Refresh(ctx, f.folder, f.session); err != nil {
			return row, false, err
		}
		row, _, err = f.round.Lookup(ctx, n)
	}
	if errors.Is(err, syncengine.ErrNoItem) && row.ID != "" && !row.Removed {
		return row, true, nil
	}
	return row, false, err
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
	gone := errors.Is(err, syncengine.ErrNoItem) && row.Removed
	if err != nil && !gone {
		return err
	}
	if err := f.removeLeft(ctx, cmd, row.ID); err != nil {
		return err
	}
	if gone {
		return f.round.Deleted(ctx, n) // on both sides
	}
	if cmd.InstanceID != "" {
		if f.class.deleteInstance == nil {
			return f.noInstances()
		}
		o := f.translation(n)
		return f.rewrite(ctx, n, row, left, f.occurrence(cmd, o, func(object []byte) ([]byte, error) {
			return f.class.deleteInstance(object, cmd.InstanceID, o)
		}))
	}
	if f.folder.ReadOnly {
		err = backend.Errorf(backend.ReadOnly, "easserver: delete", "folder %s is read-only", f.folder.ID)
	} else if f.class.message != nil {
		err = f.removeMessage(ctx, row.ID)
	} else if err = f.callOff(ctx, row.ID); err == nil {
		err = f.session.Delete(ctx, f.folder.Collection, row.ID, "")
	}
	switch backend.KindOf(err) {
	case backend.ReadOnly:
		return f.refused(ctx, n, false, err)
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
	if f.class.message != nil {
		return f.fetchMessage(ctx, n, row.ID)
	}
	now, err := f.current(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	if f.class.show == nil {
		return nil, translate.ErrUnreadable
	}
	shown, err := f.class.show(now.Body, f.translation(n))
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
