package easserver

import (
	"context"
	"errors"
	"slices"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// mailbox is the session of a folder with messages. A backend whose messages have
// no flags and parts is none that phones could use.
func mailbox(s backend.Session) (backend.Mailbox, error) {
	m, ok := backend.As[backend.Mailbox](s)
	if !ok {
		return nil, backend.Errorf(backend.Unsupported, "easserver: mail", "the backend has messages and is no mailbox")
	}
	return m, nil
}

// A told is what a phone is told of a message.
type told struct {
	data     eas.Properties
	revision backend.Revision
	err      error
}

// takeMessages is takeBatch for messages. Of one that the phone has only the flags
// are told again, since its bytes never change; but a draft may have become another
// one, see changeDraft. Messages are translated as they come, so that what is kept
// of them is what the phone gets.
func (f *folderSync) takeMessages(ctx context.Context, room *room, o translate.Options) (any bool, err error) {
	wish := f.set.mail().wish(f.call.version)
	batch, err := f.round.Peek(ctx, min(room.items, wish.batch()))
	if err != nil || len(batch) == 0 {
		return false, err
	}
	wish.into(&o)
	all, err := f.fetchMessages(ctx, batch, wish, o)
	if err != nil {
		return false, err
	}
	var t tally
	defer func() { f.server.tell(ctx, f.call, f.folder, t) }()
	for _, n := range batch {
		cmd := eas.SyncCommand{Do: newsCommands[n.Op], ServerID: syncengine.ServerID(f.folder.ID, n.Number)}
		revision := backend.Revision("")
		if n.Op == syncengine.Add || n.Op == syncengine.Change {
			m, there := all[n.Number]
			switch {
			case !there:
				f.round.Missed(n)
				continue
			case m.err != nil && backend.KindOf(m.err) == backend.Transient && !errors.Is(m.err, translate.ErrUnreadable):
				return false, m.err // not now; it stays news
			}
			t.add(n.ID, m.err)
			if m.err != nil {
				f.call.report(f.server, m.err)
				f.skip(n, !errors.Is(m.err, translate.ErrNotShown))
				continue
			}
			cmd.Data, revision = m.data, m.revision
		}
		f.round.Told(n, revision)
		f.result.Commands = append(f.result.Commands, cmd)
		room.items--
		room.bytes -= contentSize(cmd.Data)
	}
	return true, nil
}

// fetchMessages reads what is to be told of a batch.
func (f *folderSync) fetchMessages(ctx context.Context, batch []syncengine.News, wish mailWish, o translate.Options) (map[syncengine.Number]told, error) {
	box, err := mailbox(f.session)
	if err != nil {
		return nil, err
	}
	numbers := make(map[backend.ItemID]syncengine.Number, len(batch))
	var whole, flags []backend.ItemID
	for _, n := range batch {
		switch n.Op {
		case syncengine.Add:
			whole = append(whole, n.ID)
		case syncengine.Change:
			flags = append(flags, n.ID)
		}
		numbers[n.ID] = n.Number
	}
	all := make(map[syncengine.Number]told, len(batch))
	if len(flags) > 0 {
		err := box.Messages(ctx, f.folder.Collection, flags, 0, func(m backend.Message) error {
			if m.Err == nil && backend.HasFlag(m.Flags, backend.FlagDraft) {
				whole = append(whole, m.ID)
				return nil
			}
			all[numbers[m.ID]] = told{f.class.state(m.Flags, o), m.Revision, m.Err}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(whole) == 0 {
		return all, nil
	}
	err = box.Messages(ctx, f.folder.Collection, whole, wish.limit, func(m backend.Message) error {
		n, ok := numbers[m.ID]
		if !ok {
			return nil
		}
		all[n] = f.show(m, n, o)
		return nil
	})
	return all, err
}

// show is what a phone is told of a message as a whole.
func (f *folderSync) show(m backend.Message, n syncengine.Number, o translate.Options) told {
	if m.Err != nil {
		return told{err: m.Err}
	}
	o.Item = syncengine.ServerID(f.folder.ID, n)
	data, err := f.class.message(messageOf(m), o)
	return told{data, m.Revision, translated(err)}
}

// mail is the form in which the phone takes messages of the folder.
func (s folderSettings) mail() mailForm {
	return mailForm{Bodies: s.Body, Part: s.BodyPart, MIMESupport: s.MIMESupport, Truncation: s.Truncation, MIMETruncation: s.MIMETruncation}
}

// getMessage reads one message, with as much of its body as limit says.
func getMessage(ctx context.Context, s backend.Session, c backend.CollectionID, id backend.ItemID, limit int) (backend.Message, error) {
	box, err := mailbox(s)
	if err != nil {
		return backend.Message{}, err
	}
	var got *backend.Message
	err = box.Messages(ctx, c, []backend.ItemID{id}, limit, func(m backend.Message) error {
		if m.ID == id {
			got = &m
		}
		return nil
	})
	switch {
	case err != nil:
		return backend.Message{}, err
	case got == nil:
		return backend.Message{}, backend.Errorf(backend.NotFound, "easserver: get", "the message is gone")
	}
	return *got, got.Err
}

// fetchMessage is fetch for a message: all of it that the phone takes. See
// [MS-ASCMD] "Fetch (Sync)".
func (f *folderSync) fetchMessage(ctx context.Context, n syncengine.Number, id backend.ItemID) (eas.Properties, error) {
	wish := f.set.mail().wish(f.call.version).whole()
	m, err := getMessage(ctx, f.session, f.folder.Collection, id, wish.limit)
	if err != nil {
		return nil, err
	}
	o := f.translation(n)
	wish.into(&o)
	shown := f.show(m, n, o)
	var t tally
	t.add(id, shown.err)
	f.server.tell(ctx, f.call, f.folder, t)
	return shown.data, shown.err
}

// changeMessage does to a message what the phone did: it was read or not, it has a
// flag and categories. All else of a message never changes, unless it is a draft.
// See [MS-ASEMAIL] "Updating E-Mail Flags".
func (f *folderSync) changeMessage(ctx context.Context, cmd *eas.SyncCommand) error {
	n, err := f.number(cmd.ServerID)
	if err != nil {
		return err
	}
	if cmd.Send || isDraftEdit(cmd.Data) {
		return f.changeDraft(ctx, cmd, n)
	}
	row, left, err := f.lookup(ctx, n)
	if err != nil {
		return err
	}
	box, err := mailbox(f.session)
	if err != nil {
		return err
	}
	now, err := getMessage(ctx, f.session, f.folder.Collection, row.ID, 0)
	if err != nil {
		return err
	}
	set, clear, err := f.class.flags(now.Flags, cmd.Data, f.translation(n))
	if err != nil {
		return translated(err)
	}
	foreign := now.Revision != row.Told // others did something to it, too
	if len(set)+len(clear) > 0 {
		if f.folder.ReadOnly {
			err = backend.Errorf(backend.ReadOnly, "easserver: change", "folder %s is read-only", f.folder.ID)
			return f.refused(ctx, n, true, err)
		}
		rev, err := box.SetFlags(ctx, f.folder.Collection, row.ID, set, clear)
		if backend.KindOf(err) == backend.ReadOnly {
			return f.refused(ctx, n, true, err)
		}
		if err != nil {
			return err
		}
		if err := f.round.Changed(ctx, n, rev); err != nil {
			return err
		}
	}
	if foreign || left {
		return f.round.Again(ctx, n, !left)
	}
	return nil
}

// stateTags are the properties of a message that phones may change at all.
var stateTags = []wbxml.Tag{tag.EmailRead, tag.EmailFlag, tag.EmailCategories}

// isDraftEdit tells whether an edit is of more than a message's flags.
func isDraftEdit(sent eas.Properties) bool {
	return slices.ContainsFunc(sent, func(e eas.Element) bool { return !slices.Contains(stateTags, e.Tag) })
}

// removeMessage deletes a message, or takes it to the folder for what is deleted:
// that is what the phone means unless it says otherwise. See [MS-ASCMD]
// "DeletesAsMoves".
func (f *folderSync) removeMessage(ctx context.Context, id backend.ItemID) error {
	if f.request.DeletesAsMoves == nil || *f.request.DeletesAsMoves {
		trash, err := f.server.folderFor(ctx, f.call, f.folder.Backend, backend.RoleTrash)
		if err != nil {
			return err
		}
		if trash.ID != 0 && trash.ID != f.folder.ID {
			_, err := moveMessage(ctx, f.session, f.folder.Collection, id, trash.Collection)
			if backend.KindOf(err) != backend.Unsupported {
				return err
			}
		}
	}
	return f.session.Delete(ctx, f.folder.Collection, id, "")
}

// moveMessage takes a message to another folder. Only if the message is gone the
// error is NotFound: where the folder is gone, though nobody knew, the message
// stays.
func moveMessage(ctx context.Context, s backend.Session, from backend.CollectionID, id backend.ItemID, to backend.CollectionID) (backend.Item, error) {
	moved, missing := s.Move(ctx, from, id, to)
	if backend.KindOf(missing) != backend.NotFound {
		return moved, missing
	}
	_, err := getMessage(ctx, s, from, id, 0)
	if err == nil {
		err = backend.E(backend.ReadOnly, "easserver: move", missing)
	}
	return backend.Item{}, err
}

// folderFor finds the folder that a backend has for a role; its ID is 0 if there is
// none.
func (s *Server) folderFor(ctx context.Context, c *call, backendName string, role backend.Role) (syncengine.Folder, error) {
	all, err := s.Engine.Folders(ctx, c.phone.User)
	if err != nil {
		return syncengine.Folder{}, err
	}
	for _, f := range all {
		if f.Kind == backend.Mail && f.Backend == backendName && f.Role == role && !f.ReadOnly {
			return f, nil
		}
	}
	return syncengine.Folder{}, nil
}
