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

// wasDraft begins the names under which it is noted what a draft was before. No
// ServerId and no name of an Add begins like that.
const wasDraft = "was "

// noteFormer notes that a message is about to be replaced by another one.
func (f *folderSync) noteFormer(ctx context.Context, cmd *eas.SyncCommand, id backend.ItemID) error {
	return f.round.Try(ctx, map[string][]byte{wasDraft + tryOf(cmd) + " " + string(id): []byte(id)})
}

// removeFormer deletes the messages that a draft was before.
func (f *folderSync) removeFormer(ctx context.Context, cmd *eas.SyncCommand, is backend.ItemID) error {
	tried, err := f.round.Tried(ctx)
	if err != nil {
		return err
	}
	for name, id := range tried {
		if !strings.HasPrefix(name, wasDraft+tryOf(cmd)+" ") || backend.ItemID(id) == is {
			continue
		}
		err := f.session.Delete(ctx, f.folder.Collection, backend.ItemID(id), "")
		if err != nil && backend.KindOf(err) != backend.NotFound {
			return err
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
