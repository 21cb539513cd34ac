package easserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A phone that did not hear what came of a draft says it again with the same key,
// and its owner may have gone on writing meanwhile. What is said last counts. So of a
// new draft it is noted what was written of it, and of an edited one which messages
// it was before: each of them goes, also if a worker died over it.

// addedDraft is addDraft for one that an earlier try put there. What others did to it
// since is newer.
func (f *folderSync) addedDraft(ctx context.Context, cmd *eas.SyncCommand, n syncengine.Number, name string) error {
	row, _, err := f.lookup(ctx, n)
	if errors.Is(err, syncengine.ErrNoItem) && row.Removed {
		if cmd.Send {
			return f.sentEarlier(ctx, name, n)
		}
		return nil
	}
	if err != nil {
		return err
	}
	m, err := f.server.mailer(ctx, f.call)
	if err != nil {
		return err
	}
	id := row.ID
	wrote, err := f.wroteDraft(ctx, cmd)
	if err == nil && !wrote {
		id, err = f.rewriteNew(ctx, cmd, m, row)
	}
	if err == nil && cmd.Send {
		err = f.sendDraft(ctx, m, n, id, name)
	}
	if cmd.Send && backend.KindOf(err) == backend.NotFound {
		return f.sentEarlier(ctx, name, n)
	}
	return err
}

// metDraft is addedDraft for one that is met only now, because its worker died. What
// others did to its flags is news to the phone.
func (f *folderSync) metDraft(ctx context.Context, cmd *eas.SyncCommand, draft *mail.Outgoing, n syncengine.Number, id backend.ItemID, name string) error {
	m, err := getMessage(ctx, f.session, f.folder.Collection, id, 0)
	if err != nil && backend.KindOf(err) != backend.NotFound {
		return err
	}
	flagged := err == nil && !slices.Equal(backend.Flags(m.Flags), backend.Flags(draftFlags))
	wrote, err := f.wroteDraft(ctx, cmd)
	if err != nil {
		return err
	}
	if wrote {
		f.made(cmd, draft)
	}
	if err := f.addedDraft(ctx, cmd, n, name); err != nil || !flagged || cmd.Send {
		return err
	}
	return f.round.Again(ctx, n, true)
}

// rewriteNew is replaceDraft for one that the phone says again as a new one: nothing of
// the earlier try stays.
func (f *folderSync) rewriteNew(ctx context.Context, cmd *eas.SyncCommand, m *mailer, row syncengine.Row) (backend.ItemID, error) {
	id, err := f.replaceDraft(ctx, cmd, m, row, func(_ mail.Original, said eas.Properties, s mail.Sending) (*mail.Outgoing, error) {
		return mail.NewDraft(said, s)
	})
	if err != nil {
		return "", err
	}
	return id, f.noteDraft(ctx, cmd)
}

// beginDraft is noteDraft for the first try, before it writes: if the worker dies over
// it, that of the next one meets what it wrote itself.
func (f *folderSync) beginDraft(ctx context.Context, cmd *eas.SyncCommand) error {
	tried, err := f.round.Tried(ctx)
	if err != nil || tried[tryOf(cmd)] != nil {
		return err
	}
	return f.noteDraft(ctx, cmd)
}

// noteDraft notes what was written of a new draft; wroteDraft tells whether that is
// what the phone says now.
func (f *folderSync) noteDraft(ctx context.Context, cmd *eas.SyncCommand) error {
	return f.round.Try(ctx, map[string][]byte{tryOf(cmd): sumOfProperties(cmd.Data)})
}

func (f *folderSync) wroteDraft(ctx context.Context, cmd *eas.SyncCommand) (bool, error) {
	tried, err := f.round.Tried(ctx)
	return bytes.Equal(tried[tryOf(cmd)], sumOfProperties(cmd.Data)), err
}

// wasDraft begins the names under which it is noted what a draft was before, and
// meantDraft those under which it is noted what it was to be. No ServerId and no name of
// an Add begins like that.
const (
	wasDraft   = "was "
	meantDraft = "meant "
)

// noteFormer notes that a message is about to be replaced by one of another name, whose
// ID nobody knows before it is there.
func (f *folderSync) noteFormer(ctx context.Context, cmd *eas.SyncCommand, id backend.ItemID, name string) error {
	return f.round.Try(ctx, map[string][]byte{
		wasDraft + tryOf(cmd) + " " + string(id): []byte(id),
		meantDraft + tryOf(cmd) + " " + name:     []byte(name),
	})
}

// nothingMeant is noted in place of a name of which nothing is left.
var nothingMeant = []byte{0}

// removeFormer deletes the messages that a draft was before, and those that earlier
// tries with other words may have stored without getting to hear of it: the draft is put
// under their names, which meets them, or makes what is removed at once.
func (f *folderSync) removeFormer(ctx context.Context, cmd *eas.SyncCommand, is backend.ItemID, name string, draft *mail.Outgoing) error {
	tried, err := f.round.Tried(ctx)
	if err != nil {
		return err
	}
	var former []backend.ItemID
	done := make(map[string][]byte)
	for key, value := range tried {
		switch {
		case strings.HasPrefix(key, wasDraft+tryOf(cmd)+" "):
			former = append(former, backend.ItemID(value))
		case strings.HasPrefix(key, meantDraft+tryOf(cmd)+" ") && string(value) != name && !bytes.Equal(value, nothingMeant):
			met, _, err := f.putDraft(ctx, string(value), draft, draftFlags)
			if err != nil {
				return err
			}
			former = append(former, met.ID)
			done[key] = nothingMeant
		}
	}
	for _, id := range former {
		if id == is {
			continue
		}
		err := f.session.Delete(ctx, f.folder.Collection, id, "")
		if err != nil && backend.KindOf(err) != backend.NotFound {
			return err
		}
	}
	return f.round.Try(ctx, done)
}

// removeLeft deletes the messages that a draft was before the edit of which the phone did
// not hear, and which it deletes now: an earlier try may not have come to that. is what
// the draft is; that goes where deleted messages go.
func (f *folderSync) removeLeft(ctx context.Context, cmd *eas.SyncCommand, is backend.ItemID) error {
	if f.class.message == nil || f.draftsHere() != nil {
		return nil
	}
	tried, err := f.round.Tried(ctx)
	if err != nil {
		return err
	}
	for key, value := range tried {
		if id := backend.ItemID(value); strings.HasPrefix(key, wasDraft+tryOf(cmd)+" ") && id != is {
			if err := f.session.Delete(ctx, f.folder.Collection, id, ""); err != nil && backend.KindOf(err) != backend.NotFound {
				return err
			}
		}
	}
	return nil
}

// sumOfProperties is the same for the same properties, and for no others.
func sumOfProperties(p eas.Properties) []byte {
	h := sha256.New()
	addSum(h, p)
	return h.Sum(nil)
}

func addSum(h hash.Hash, list []eas.Element) {
	for i := range list {
		e := &list[i]
		fmt.Fprintf(h, "%d %d %d:%s", e.Tag, len(e.Children), len(e.Content()), e.Content())
		addSum(h, e.Children)
	}
}
