package easserver

import (
	"context"
	"errors"
	"fmt"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/outbox"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Drafts are written by Sync, from 16.0 on: a phone adds them to the folder for
// drafts, changes them, and has them sent. A draft is a message, and messages do not
// change: the new one is put beside the old one, which goes then, and keeps its
// number, so that the phone has one draft throughout. See [MS-ASCMD] "Sync" and
// [MS-ASEMAIL] "Sending a Draft E-mail".

// draftFlags are those of a draft.
var draftFlags = []string{backend.FlagDraft, backend.FlagSeen}

// errNoDrafts refuses what is to be added or edited, and is no draft.
var errNoDrafts = fmt.Errorf("%w: the item is no draft, and all else of a message stays as it is", translate.ErrInvalid)

// draftsHere tells whether a phone may write drafts into the folder.
func (f *folderSync) draftsHere() error {
	switch {
	case f.call.version < eas.V160, f.folder.Role != backend.RoleDrafts:
		return errNoDrafts
	case f.folder.ReadOnly:
		return backend.Errorf(backend.Unsupported, "easserver: drafts", "folder %s is read-only", f.folder.ID)
	}
	return nil
}

// addDraft puts a phone's new draft into the folder, under a name that a repetition
// derives again, and sends it if that is what the phone wants.
func (f *folderSync) addDraft(ctx context.Context, cmd *eas.SyncCommand) (serverID string, err error) {
	if cmd.Class != "" && cmd.Class != f.class.name { // such as SMS
		return "", fmt.Errorf("%w: an item of class %.40q does not belong here", translate.ErrInvalid, cmd.Class)
	}
	if err := f.draftsHere(); err != nil {
		return "", err
	}
	name := f.nextName(cmd.ClientID)
	if before, ok := f.round.Earlier(cmd.ClientID); ok {
		serverID = syncengine.ServerID(f.folder.ID, before.Number)
		if cmd.Send {
			err = f.sentEarlier(ctx, name, before.Number)
		}
		return serverID, err
	}
	m, err := f.server.mailer(ctx, f.call)
	if err != nil {
		return "", err
	}
	draft, err := mail.NewDraft(cmd.Data, m.sending(m.token(name)))
	if err != nil {
		return "", translated(err)
	}
	stored, err := f.putDraft(ctx, name, draft)
	if err != nil {
		return "", err
	}
	n, err := f.round.Added(ctx, cmd.ClientID, stored)
	if err != nil {
		return "", err
	}
	f.made(cmd, draft)
	serverID = syncengine.ServerID(f.folder.ID, n)
	if cmd.Send {
		err = f.sendDraft(ctx, m, n, stored.ID, name)
	}
	return serverID, err
}

// made notes the draft that a command made, for the answer.
func (f *folderSync) made(cmd *eas.SyncCommand, draft *mail.Outgoing) {
	if f.drafts == nil {
		f.drafts = make(map[*eas.SyncCommand]*mail.Outgoing)
	}
	f.drafts[cmd] = draft
}

// putDraft stores a draft.
func (f *folderSync) putDraft(ctx context.Context, name string, draft *mail.Outgoing) (backend.Item, error) {
	body, err := bytesOf(ctx, draft.WithBcc())
	if err != nil {
		return backend.Item{}, err
	}
	it := backend.Item{ID: backend.ItemID(name), MediaType: f.folder.Kind.MediaType(), Body: body, Flags: draftFlags}
	stored, err := f.session.Put(ctx, f.folder.Collection, it)
	if backend.KindOf(err) == backend.Conflict && stored.ID != "" {
		return stored, nil // an earlier try of the same command put it there
	}
	return stored, err
}

// changeDraft puts an edited draft in the place of the one before, and sends it if
// that is what the phone wants.
func (f *folderSync) changeDraft(ctx context.Context, cmd *eas.SyncCommand, n syncengine.Number) error {
	if err := f.draftsHere(); err != nil {
		return err
	}
	name := f.nextName("draft " + cmd.ServerID)
	row, _, err := f.lookup(ctx, n)
	if errors.Is(err, syncengine.ErrNoItem) && row.Removed && cmd.Send {
		return f.sentEarlier(ctx, name, n)
	}
	if err != nil {
		return err
	}
	m, err := f.server.mailer(ctx, f.call)
	if err != nil {
		return err
	}
	id := row.ID
	if len(cmd.Data) > 0 {
		if id, err = f.replaceDraft(ctx, cmd, m, n, row, name); err != nil {
			return err
		}
	}
	if !cmd.Send {
		return nil
	}
	return f.sendDraft(ctx, m, n, id, name)
}

// replaceDraft writes the edited draft and answers its id.
func (f *folderSync) replaceDraft(ctx context.Context, cmd *eas.SyncCommand, m *mailer, n syncengine.Number, row syncengine.Row, name string) (backend.ItemID, error) {
	old, err := heldMessageOf(ctx, heldItem{backend.Item{ID: row.ID}, f.folder, f.class, f.session, n}, maxOriginal)
	if err != nil {
		return "", err
	}
	if !backend.HasFlag(old.Flags, backend.FlagDraft) {
		return "", errNoDrafts
	}
	draft, err := mail.EditDraft(old.original(), cmd.Data, m.sending(m.token(name)))
	if err != nil {
		return "", f.refused(ctx, n, true, translated(err))
	}
	stored, err := f.putDraft(ctx, name, draft)
	if err != nil {
		return "", err
	}
	if stored.ID == row.ID {
		return stored.ID, nil // an earlier try did it
	}
	if _, err := f.round.Replaced(ctx, n, stored); err != nil {
		return "", err
	}
	f.made(cmd, draft)
	err = f.session.Delete(ctx, f.folder.Collection, row.ID, "")
	if backend.KindOf(err) == backend.NotFound {
		err = nil
	}
	return stored.ID, err
}

// sendDraft sends a draft, which goes to the folder for sent mail then; the phone is
// told that it is gone here.
func (f *folderSync) sendDraft(ctx context.Context, m *mailer, n syncengine.Number, id backend.ItemID, name string) error {
	held, err := heldMessageOf(ctx, heldItem{backend.Item{ID: id}, f.folder, f.class, f.session, n}, maxOriginal)
	if err != nil {
		return err
	}
	p := post{name: "draft:" + name, token: m.token(name)}
	if p.out, err = mail.SendDraft(held.original(), m.sending(p.token)); err != nil {
		return &notSent{asComposition(err)}
	}
	p.after = func(ctx context.Context) error { return f.moveSent(ctx, m, held) }
	switch err := m.send(ctx, p); {
	case err == nil, errors.Is(err, errSentBefore):
	case backend.KindOf(err) == backend.Transient, backend.KindOf(err) == backend.Other:
		return err // to be sent again
	default:
		return &notSent{err}
	}
	return f.round.Went(ctx, n)
}

// moveSent takes a draft that was sent to where sent mail is.
func (f *folderSync) moveSent(ctx context.Context, m *mailer, held *heldMessage) error {
	to, err := m.sentFolder(ctx)
	if err != nil {
		return err
	}
	moved, err := f.session.Move(ctx, f.folder.Collection, held.ID, to)
	if backend.KindOf(err) == backend.NotFound {
		return nil // an earlier try moved it
	}
	if err != nil {
		return err
	}
	_, err = held.box.SetFlags(ctx, to, moved.ID, []string{backend.FlagSeen}, []string{backend.FlagDraft})
	return err
}

// sentEarlier is a draft that is gone when the phone has it sent: it was sent, if an
// earlier try of the same command sent it.
func (f *folderSync) sentEarlier(ctx context.Context, name string, n syncengine.Number) error {
	sent, err := f.server.Outbox.WasSent(ctx, outbox.Letter{User: f.call.phone.User, Device: f.call.phone.Device, Name: "draft:" + name})
	switch {
	case err != nil:
		return err
	case !sent:
		return fmt.Errorf("%w: the draft is gone, and was not sent", syncengine.ErrNoItem)
	}
	return f.round.Went(ctx, n)
}
