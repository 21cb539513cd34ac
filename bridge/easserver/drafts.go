package easserver

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

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
		return syncengine.ServerID(f.folder.ID, before.Number), f.addedDraft(ctx, cmd, before.Number, name)
	}
	m, err := f.server.mailer(ctx, f.call)
	if err != nil {
		return "", err
	}
	draft, err := mail.NewDraft(cmd.Data, m.sending(m.token(name)))
	if err != nil {
		return "", m.unmade(err)
	}
	if err := f.beginDraft(ctx, cmd); err != nil {
		return "", err
	}
	stored, there, err := f.putDraft(ctx, name, draft, draftFlags)
	if err != nil {
		return "", err
	}
	n, err := f.round.Added(ctx, cmd.ClientID, stored)
	if err != nil {
		return "", err
	}
	serverID = syncengine.ServerID(f.folder.ID, n)
	if there {
		return serverID, f.metDraft(ctx, cmd, draft, n, stored.ID, name)
	}
	if err := f.noteDraft(ctx, cmd); err != nil { // an earlier try may have begun with other words
		return "", err
	}
	f.made(cmd, draft)
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

// putDraft stores a draft. there tells that something of that name was there, which
// an earlier try of the command put there, and it stays as it is.
func (f *folderSync) putDraft(ctx context.Context, name string, draft *mail.Outgoing, flags []string) (stored backend.Item, there bool, err error) {
	body, err := bytesOf(ctx, draft.WithBcc())
	if err != nil {
		return backend.Item{}, false, err
	}
	it := backend.Item{ID: backend.ItemID(name), MediaType: f.folder.Kind.MediaType(), Body: body, Flags: flags}
	stored, err = f.session.Put(ctx, f.folder.Collection, it)
	if backend.KindOf(err) == backend.Conflict && stored.ID != "" {
		return stored, true, nil
	}
	return stored, false, err
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
		id, err = f.replaceDraft(ctx, cmd, m, row, mail.EditDraft)
	}
	if err == nil && cmd.Send {
		err = f.sendDraft(ctx, m, n, id, name)
	}
	if cmd.Send && backend.KindOf(err) == backend.NotFound {
		return f.sentEarlier(ctx, name, n)
	}
	return err
}

// A draftEdit makes another message of a draft, as mail.EditDraft does.
type draftEdit = func(mail.Original, eas.Properties, mail.Sending) (*mail.Outgoing, error)

// replaceDraft writes the edited draft and answers its id. Its name is made of what
// the phone says, too: what it says in another way another time is another message.
// The flags go along, with what the phone says of them.
func (f *folderSync) replaceDraft(ctx context.Context, cmd *eas.SyncCommand, m *mailer, row syncengine.Row, edit draftEdit) (backend.ItemID, error) {
	n, was := row.Number, row.ID
	old, err := heldMessageOf(ctx, heldItem{backend.Item{ID: was}, f.folder, f.class, f.session, n}, maxOriginal)
	if err != nil {
		return "", err
	}
	if !backend.HasFlag(old.Flags, backend.FlagDraft) {
		return "", errNoDrafts
	}
	set, clear, err := f.class.flags(old.Flags, cmd.Data, f.translation(n))
	if err != nil {
		return "", f.refused(ctx, n, true, translated(err))
	}
	name := f.nextName(fmt.Sprintf("draft %s %x", tryOf(cmd), sumOfProperties(cmd.Data)))
	draft, err := edit(old.original(), cmd.Data, m.sending(m.token(name)))
	if err != nil {
		if err = m.unmade(err); backend.KindOf(err) == backend.Transient {
			return "", err
		}
		return "", f.refused(ctx, n, true, err)
	}
	if err := f.noteFormer(ctx, cmd, was, name); err != nil {
		return "", err
	}
	stored, _, err := f.putDraft(ctx, name, draft, backend.ChangeFlags(old.Flags, append(set, draftFlags...), clear))
	if err != nil {
		return "", err
	}
	if stored.ID != was { // else an earlier try did it
		kept, err := f.round.Replaced(ctx, n, stored)
		if err != nil {
			return "", err
		}
		if kept && old.Revision != row.Told { // others did something to it, too
			if err := f.round.Again(ctx, n, true); err != nil {
				return "", err
			}
		}
		f.made(cmd, draft)
	}
	return stored.ID, f.removeFormer(ctx, cmd, stored.ID, name, draft)
}

// sendDraft sends a draft, which goes to the folder for sent mail then; the phone is
// told that it is gone here.
func (f *folderSync) sendDraft(ctx context.Context, m *mailer, n syncengine.Number, id backend.ItemID, name string) error {
	held, err := heldMessageOf(ctx, heldItem{backend.Item{ID: id}, f.folder, f.class, f.session, n}, maxOriginal)
	if err != nil {
		return err
	}
	p := post{name: "draft:" + name, token: m.token(name), question: f.draftSum(held)[:len(m.token(name))], draft: true}
	if p.out, err = mail.SendDraft(held.original(), m.sending(p.token)); err != nil {
		if err = m.known(err); backend.KindOf(err) == backend.Transient {
			return err
		}
		return &notSent{asComposition(err)}
	}
	p.after = func(ctx context.Context) error { return f.moveSent(ctx, m, held) }
	if err := f.noteSending(ctx, p); err != nil {
		return err
	}
	switch err := f.alone(ctx, held, p, m); {
	case err == nil, errors.Is(err, errSentBefore):
		return f.wentOut(ctx, m, n, held)
	case backend.KindOf(err) == backend.NotFound:
		return err
	case backend.KindOf(err) == backend.Transient:
		return err
	case backend.KindOf(err) == backend.Other: // nobody knows: the phone says the same again, under the same name
		return backend.E(backend.Transient, "easserver: drafts", err)
	default:
		return &notSent{err}
	}
}

// wentOut tells the phone that a draft which went out is gone. While it cannot be taken
// away the phone is to say the same again; where that does not pass, the draft is still
// there, for the phone, too, and is not sent again whoever says so.
func (f *folderSync) wentOut(ctx context.Context, m *mailer, n syncengine.Number, held *heldMessage) error {
	_, err := getMessage(ctx, f.session, f.folder.Collection, held.ID, 0)
	if err == nil {
		err = f.moveSent(ctx, m, held)
	}
	switch {
	case err == nil, backend.KindOf(err) == backend.NotFound:
		// Whoever takes it back from among sent mail may send it another time.
		if err := f.server.Outbox.Forget(ctx, f.guard(held)); err != nil {
			return err
		}
		return f.round.Went(ctx, n)
	case backend.KindOf(err) == backend.Transient, backend.KindOf(err) == backend.Denied:
		return err
	}
	f.call.note(slog.Any("sent_draft_stays", err))
	return f.round.Again(ctx, n, true)
}

// alone sends a draft while none of the person's other phones does: one that waited
// finds it gone. What was sent and could not be taken away stays noted, lest another
// phone sends it once more; and so does that nobody knows whether it was.
func (f *folderSync) alone(ctx context.Context, held *heldMessage, p post, m *mailer) error {
	var untold error
	before, err := f.server.Outbox.Send(ctx, f.guard(held), outbox.Post{
		Message: strings.NewReader(""),
		Send: func(ctx context.Context, end io.Reader) (err error) {
			if _, err := getMessage(ctx, f.session, f.folder.Collection, held.ID, 0); err != nil {
				return err
			}
			p := p
			p.given = func() error { _, err := io.Copy(io.Discard, end); return err }
			untold, err = m.sendGuarded(ctx, p)
			return err
		},
		Tell: func(ctx context.Context) error {
			if untold != nil {
				return untold
			}
			if sent, err := f.server.Outbox.WasSent(ctx, m.letter(&p)); err != nil || sent {
				return err
			}
			return m.tellUnsure(ctx, p)
		},
	})
	if !before {
		return err
	}
	given, err := f.server.Outbox.WasGiven(ctx, m.letter(&p))
	if err != nil || !given {
		return cmp.Or(err, errSentBefore)
	}
	return m.send(ctx, p) // which does what was left to do
}

// sendGuarded is send for what others of the person's phones may send, too. untold is why
// the person could not be told that nobody knows whether it went out; err is untyped then,
// so that the others go on holding it for a mail that may have gone out.
func (m *mailer) sendGuarded(ctx context.Context, p post) (untold, err error) {
	err = m.send(ctx, p)
	if err == nil || errors.Is(err, errSentBefore) {
		return nil, nil
	}
	given, failed := m.server.Outbox.WasGiven(ctx, m.letter(&p))
	if failed == nil && !given {
		return nil, err
	}
	return cmp.Or(failed, err), errUnknown
}

// errUnknown means that nobody knows whether a draft went out.
var errUnknown = errors.New("easserver: whether the draft went out is not known")

// guard is the note that a draft is being sent by some phone of the person's.
func (f *folderSync) guard(held *heldMessage) outbox.Letter {
	return outbox.Letter{User: f.call.phone.User, Name: "draft being sent:" + f.draftSum(held)}
}

// draftSum is the same for the same draft, whichever phone sends it.
func (f *folderSync) draftSum(held *heldMessage) string {
	sum := sha256.Sum256([]byte(f.folder.ID.String() + "\x00" + string(held.ID)))
	return hex.EncodeToString(sum[:])
}

// moveSent takes a draft that was sent to where sent mail is. Only if the draft is gone
// the error is NotFound.
func (f *folderSync) moveSent(ctx context.Context, m *mailer, held *heldMessage) error {
	to, err := m.sentFolder(ctx)
	if backend.KindOf(err) == backend.NotFound {
		return backend.E(backend.Unsupported, "easserver: drafts", err)
	}
	if err != nil {
		return err
	}
	moved, err := moveMessage(ctx, f.session, f.folder.Collection, held.ID, to)
	if backend.KindOf(err) == backend.NotFound {
		return nil // an earlier try moved it
	}
	if err != nil {
		return err
	}
	_, err = held.box.SetFlags(ctx, to, moved.ID, []string{backend.FlagSeen}, []string{backend.FlagDraft})
	return err
}
