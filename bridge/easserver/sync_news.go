package easserver

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/profile"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// newsBatch is how many items are fetched from the backend at a time.
	newsBatch = 64

	// MaxAnswer is the size, in bytes of content, after which an answer takes no
	// further items and MoreAvailable is said instead. A phone on a slow line
	// gets it within its timeout, and a folder full of pictures does not fill
	// the memory.
	MaxAnswer = 2 << 20
)

// slogItem says in the log what went wrong with a command of the phone.
func slogItem(do wbxml.Tag, err error) slog.Attr {
	return slog.Any("refused_"+commandNames[do], err)
}

// newsCommands are the elements that tell of news.
var newsCommands = map[syncengine.Op]wbxml.Tag{
	syncengine.Add: tag.AirSyncAdd, syncengine.Change: tag.AirSyncChange,
	syncengine.Delete: tag.AirSyncDelete, syncengine.SoftDelete: tag.AirSyncSoftDelete,
}

// takeNews fills the answer with what is new, up to a window of items and to
// what is left of the whole answer. The backend is not asked for changes while
// more is known than fits.
func (f *folderSync) takeNews(ctx context.Context, window int, left *room) error {
	window = min(window, left.items)
	waiting, err := f.round.Peek(ctx, window+1)
	if err != nil {
		return f.breakOff(err)
	}
	if len(waiting) <= window && !f.leaves {
		if _, err := f.server.Engine.Refresh(ctx, f.folder, f.session); err != nil {
			if backend.KindOf(err) != backend.Transient || len(waiting) == 0 && len(f.request.Commands) == 0 && !f.round.Dirty() {
				return err
			}
			f.call.note(slog.Any("not_refreshed", err)) // what is known goes out; the rest comes later
		}
		if err := f.round.LookAgain(ctx); err != nil {
			return err
		}
	}
	if err := f.recognizeForNews(ctx); err != nil {
		return f.breakOff(err)
	}
	o := f.translation(0)
	own := room{items: window, bytes: left.bytes}
	defer func() { left.items, left.bytes = left.items-(window-own.items), own.bytes }()
	if err := f.tellLost(ctx, &own); err != nil {
		return err
	}
	for first := true; own.items > 0 && own.bytes > 0 && (first || !left.late()); first = false {
		take := f.takeBatch
		if f.class.message != nil {
			take = f.takeMessages
		}
		any, err := take(ctx, &own, o)
		if err != nil {
			return f.breakOff(err)
		}
		if !any {
			break
		}
	}
	if f.skipped > 0 {
		f.call.note(slog.Int("unreadable", f.skipped))
	}
	if f.result.MoreAvailable, err = f.round.More(ctx); err != nil {
		return f.breakOff(err)
	}
	return nil
}

// tellLost tells the deletion of what the phone edited and does not find any more,
// with the status that says so and before other news: a phone that drops the item at
// the status must not hear of it later as of one that it has, and one that keeps it
// has to be rid of it. See [MS-ASCMD] "Status (Sync)", 8.
func (f *folderSync) tellLost(ctx context.Context, room *room) error {
	for _, n := range f.lost {
		if room.items <= 0 || f.leaves {
			return nil
		}
		held, err := f.round.Lost(ctx, n)
		if err != nil {
			return err
		}
		if held {
			f.result.Commands = append(f.result.Commands, eas.SyncCommand{Do: tag.AirSyncDelete, ServerID: syncengine.ServerID(f.folder.ID, n)})
			room.items--
		}
	}
	return nil
}

// recognizeForNews finds out who the person is before the phone is shown events.
func (f *folderSync) recognizeForNews(ctx context.Context) error {
	if f.class.notices == nil {
		return nil
	}
	waiting, err := f.round.Peek(ctx, 1)
	if err == nil && len(waiting) > 0 {
		f.server.recognize(ctx, f.call, f.folder.Backend, f.session)
	}
	return err
}

// breakOff leaves what is new to the next Sync, if the answer has something
// without it: above all, what became of the phone's own edits.
func (f *folderSync) breakOff(err error) error {
	if len(f.result.Commands) == 0 && !f.round.Dirty() {
		return err
	}
	f.call.note(slog.Any("broken_off", err))
	f.result.MoreAvailable = len(f.result.Commands) > 0
	return nil
}

// room is what still fits into an answer.
type room struct {
	items, bytes int
	until        time.Time // zero means that there is time enough
}

// newRoom is the room of a whole answer. Of the time that a phone waits for it
// a third is left for its way; what is not collected by then comes with the
// next one.
func newRoom(items int, p profile.Profile) room {
	r := room{items: items, bytes: MaxAnswer}
	if p.MaxWindow > 0 {
		r.items = min(items, p.MaxWindow)
	}
	if p.Timeout > 0 {
		r.until = time.Now().Add(p.Timeout * 2 / 3)
	}
	return r
}

// late tells whether the answer has to go out as it is. A first batch goes into
// it all the same, for an answer that brings nothing looks like a loop.
func (r *room) late() bool { return !r.until.IsZero() && !time.Now().Before(r.until) }

// takeBatch tells the next few news and answers whether there were any. Items
// that cannot be shown take no room: an answer of nothing but them would look
// like a loop.
func (f *folderSync) takeBatch(ctx context.Context, room *room, o translate.Options) (any bool, err error) {
	batch, err := f.round.Peek(ctx, min(room.items, newsBatch))
	if err != nil || len(batch) == 0 {
		return false, err
	}
	items, err := f.bodies(ctx, batch)
	if err != nil {
		return false, err
	}
	var t tally
	defer func() { f.server.tell(ctx, f.call, f.folder, t) }()
	for _, n := range batch {
		cmd := eas.SyncCommand{Do: newsCommands[n.Op], ServerID: syncengine.ServerID(f.folder.ID, n.Number)}
		revision := backend.Revision("")
		if n.Op == syncengine.Add || n.Op == syncengine.Change {
			it, there := items[n.ID]
			if there && backend.KindOf(it.Err) == backend.Transient {
				return false, it.Err // not now; it stays news
			}
			if it.Err != nil {
				t.add(n.ID, it.Err)
			}
			if !there {
				f.round.Missed(n)
				continue
			}
			if it.Err != nil || f.class.show == nil {
				f.skip(n, true)
				continue
			}
			o.Item = cmd.ServerID
			cmd.Data, err = f.class.show(it.Body, o)
			t.add(n.ID, err)
			switch {
			case errors.Is(err, translate.ErrNotShown) && n.Op == syncengine.Change:
				// It turned into something that phones have no place for.
				cmd.Do, cmd.Data = tag.AirSyncDelete, nil
			case err != nil:
				f.call.report(f.server, err)
				f.skip(n, !errors.Is(err, translate.ErrNotShown))
				continue
			}
			revision = it.Revision
		}
		if n.Op == syncengine.Change && cmd.Do == tag.AirSyncDelete {
			f.round.Withdrawn(n)
		} else {
			f.round.Told(n, revision)
			if cmd.Data != nil && f.class.merge != nil {
				f.round.Hold(n.Number, f.digest(items[n.ID].Body, cmd.Data, o).Bytes())
			}
		}
		f.result.Commands = append(f.result.Commands, cmd)
		room.items--
		room.bytes -= contentSize(cmd.Data)
	}
	return true, nil
}

// digest is that of an item as it is shown. Of a text of which the phone gets
// only the beginning it may fetch the rest: so both count.
func (f *folderSync) digest(object []byte, shown eas.Properties, o translate.Options) translate.Digest {
	d := translate.DigestOf(shown)
	if !translate.BodyCut(shown) {
		return d
	}
	o.Body = translate.Body{Type: o.Body.Type}
	whole, err := f.class.show(object, o)
	if err != nil {
		return d
	}
	return d.Or(translate.DigestOf(whole))
}

// skip passes over an item that cannot be shown.
func (f *folderSync) skip(n syncengine.News, unreadable bool) {
	f.round.Skip(n)
	if unreadable {
		f.skipped++
	}
}

// bodies reads the items of a batch.
func (f *folderSync) bodies(ctx context.Context, batch []syncengine.News) (map[backend.ItemID]backend.Fetched, error) {
	var ids []backend.ItemID
	items := make(map[backend.ItemID]backend.Fetched, len(batch))
	for _, n := range batch {
		if n.Op != syncengine.Add && n.Op != syncengine.Change {
			continue
		}
		if it, ok := f.reading.take(n.ID, n.Revision); ok {
			items[n.ID] = it
		} else {
			ids = append(ids, n.ID)
		}
	}
	if len(ids) == 0 {
		return items, nil
	}
	err := f.session.Get(ctx, f.folder.Collection, ids, func(it backend.Fetched) error {
		items[it.ID] = it
		return nil
	})
	return items, err
}

// contentSize is about how long the content of an item is.
func contentSize(p eas.Properties) int {
	n := 0
	for _, e := range p {
		n += len(e.Text) + len(e.Opaque) + 2 + contentSize(e.Children)
	}
	return n
}
