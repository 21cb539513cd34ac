package imap

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imapconn"
)

const (
	// keepAlive is how often a waiting connection is spoken on: servers may end
	// those that are silent for half an hour (RFC 9051, section 5.4), and the
	// routers between us and them do after some minutes.
	keepAlive = 4 * time.Minute

	// grace is how long the server may take for a word when it is spoken to.
	grace = 30 * time.Second
)

// Watch tells of changes from a connection of its own: by NOTIFY (RFC 5465) of
// all folders, or by IDLE (RFC 2177) of one, the inbox if it is wanted, and a
// look at the others now and then.
func (s *session) Watch(ctx context.Context, cs []backend.CollectionID, ready func(), changed func(backend.CollectionID)) error {
	const op = "Watch"
	if err := ended(ctx, op); err != nil {
		return err
	}
	if err := s.enter(ctx, s.store.watches); err != nil {
		return err
	}
	defer func() { <-s.store.watches }()
	c, err := s.login(ctx)
	if err != nil {
		return err
	}
	defer c.Logout()
	w := watcher{s: s, c: c, ready: ready, changed: changed, wanted: make(map[string]backend.CollectionID)}
	if err = w.find(ctx, cs); err == nil {
		if c.Has("NOTIFY") {
			err = w.notify(ctx)
		} else {
			err = w.look(ctx)
		}
	}
	if err == nil {
		err = errWatchEnded
	}
	if e := ended(ctx, op); e != nil {
		return e
	}
	return failure(op, err)
}

var errWatchEnded = backend.Errorf(backend.Transient, "imap: Watch", "watching has ended")

// A watcher is one call of Watch.
type watcher struct {
	s       *session
	c       *conn
	wanted  map[string]backend.CollectionID // by the name on the wire
	ready   func()
	changed func(backend.CollectionID)
}

// find looks up what the folders are called now. One that is gone is told of
// once: whoever looks will see.
func (w *watcher) find(ctx context.Context, cs []backend.CollectionID) error {
	for _, id := range cs {
		if id == "" {
			continue
		}
		f, err := w.s.folder(ctx, w.c, id, false)
		switch {
		case err == nil:
			w.wanted[f.wire] = id
		case backend.KindOf(failure("Watch", err)) == backend.NotFound:
			defer w.changed(id)
		default:
			return err
		}
	}
	return nil
}

// notify asks the server to tell of the wanted folders. No folder is selected:
// of the selected one Dovecot 2.3 tells nothing.
func (w *watcher) notify(ctx context.Context) error {
	if len(w.wanted) == 0 {
		return w.quietly(ctx)
	}
	cmd := imapconn.NewCommand("NOTIFY SET (mailboxes")
	names := slices.Sorted(maps.Keys(w.wanted))
	if len(names) == 1 {
		cmd.String(names[0])
	} else {
		cmd.Raw(" (")
		for n, name := range names {
			if n == 0 {
				cmd.First(name)
			} else {
				cmd.String(name)
			}
		}
		cmd.Raw(")")
	}
	cmd.Raw(" (MessageNew MessageExpunge FlagChange))")
	if _, err := w.c.Run(ctx, cmd, nil); err != nil {
		if refused(err) && !w.c.Broken() {
			return w.look(ctx) // some events are not for every folder
		}
		return err
	}
	w.ready()
	return w.listen(ctx)
}

func refused(err error) bool {
	_, ok := errors.AsType[*imapconn.StatusError](err)
	return ok
}

// quietly waits for nothing.
func (w *watcher) quietly(ctx context.Context) error {
	w.ready()
	<-ctx.Done()
	return context.Cause(ctx)
}

// listen tells of what the server tells.
func (w *watcher) listen(ctx context.Context) error {
	for {
		res, err := w.c.Listen(ctx, keepAlive)
		if err != nil {
			return err
		}
		if res == nil {
			if err := w.breathe(ctx); err != nil {
				return err
			}
			continue
		}
		if err := w.hear(res); err != nil {
			return err
		}
	}
}

// breathe shows that both sides are still there.
func (w *watcher) breathe(ctx context.Context) error {
	before := w.c.Patience(min(grace, w.s.store.Timeout))
	defer w.c.Patience(before)
	_, err := w.c.Run(ctx, imapconn.NewCommand("NOOP"), w.hear)
	return err
}

// hear tells of a folder that a response is about.
func (w *watcher) hear(res *imapconn.Response) error {
	switch {
	case res.Name == "STATUS" && len(res.Args) > 0:
		if id, ok := w.wanted[inboxName(res.Args[0].Text)]; ok {
			w.changed(id)
		}
	case res.Name == "LIST" && len(res.Args) >= 3: // renamed, or removed
		if id, ok := w.wanted[inboxName(res.Args[2].Text)]; ok {
			w.changed(id)
		}
	case res.Code == "NOTIFICATIONOVERFLOW", res.Name == "BYE":
		return backend.Errorf(backend.Transient, "imap: Watch", "the server tells no more: %.200q", res.Text)
	}
	return nil
}

// look waits with IDLE on one folder, and looks at the others as often as the
// settings say.
func (w *watcher) look(ctx context.Context) error {
	main := ""
	for _, name := range slices.Sorted(maps.Keys(w.wanted)) {
		if main == "" || name == "INBOX" {
			main = name
		}
	}
	if main == "" {
		return w.quietly(ctx)
	}
	idles := w.c.Has("IDLE")
	if idles {
		if err := w.c.Select(ctx, main, false); err != nil {
			return err
		}
	}
	before, err := w.tags(ctx)
	if err != nil {
		return err
	}
	begun := false
	ready := func() {
		if !begun {
			begun = true
			w.ready()
		}
	}
	if !idles {
		ready()
	}
	for {
		news, err := w.wait(ctx, idles, ready)
		if err != nil {
			return err
		}
		if news {
			w.changed(w.wanted[main])
		}
		told := w.c.Selected.Told
		now, err := w.tags(ctx)
		if err != nil {
			return err
		}
		for name, id := range w.wanted {
			different := now[name] != before[name]
			if idles && name == main { // after news it is; what came since then the server tells
				different = w.c.Selected.Told != told || different && !news
			}
			if different {
				w.changed(id)
			}
		}
		before = now
	}
}

// wait waits for news of the selected folder until it is time for a look at the
// others.
func (w *watcher) wait(ctx context.Context, idles bool, ready func()) (bool, error) {
	pause := min(w.s.store.Poll, keepAlive)
	if idles {
		return w.c.Idle(ctx, pause, ready)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// tags answers the state of the wanted folders, as far as STATUS tells it.
func (w *watcher) tags(ctx context.Context) (map[string]string, error) {
	return w.c.tags(ctx, slices.Sorted(maps.Keys(w.wanted)))
}

// tags answers something about each folder that changes when the folder does,
// if the server counts changes. A folder that is gone is absent.
func (c *conn) tags(ctx context.Context, names []string) (map[string]string, error) {
	items := "MESSAGES UIDNEXT UIDVALIDITY UNSEEN"
	if c.Has("CONDSTORE") || c.Has("QRESYNC") {
		items = "MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ"
	}
	tags := make(map[string]string, len(names))
	note := func(name string, status map[string]string) {
		if status != nil {
			tags[name] = fmt.Sprint(status["UIDVALIDITY"], ".", status["UIDNEXT"], ".", status["MESSAGES"], ".", status["UNSEEN"], status["HIGHESTMODSEQ"])
		}
	}
	if !c.Has("LIST-STATUS") || len(names) < 3 {
		for _, name := range names {
			status, err := c.status(ctx, name, items)
			if err != nil {
				return nil, err
			}
			note(name, status)
		}
		return tags, nil
	}
	_, err := c.Run(ctx, imapconn.NewCommand(`LIST "" "*" RETURN (STATUS (`+items+"))"), func(r *imapconn.Response) error {
		if r.Name == "STATUS" && len(r.Args) == 2 {
			if name := inboxName(r.Args[0].Text); slices.Contains(names, name) {
				note(name, statusOf(r.Args[1]))
			}
		}
		return nil
	})
	return tags, err
}

// Probe answers the folders' states.
func (s *session) Probe(ctx context.Context, cs []backend.CollectionID) (map[backend.CollectionID]string, error) {
	const op = "Probe"
	tags := make(map[backend.CollectionID]string, len(cs))
	err := s.with(ctx, op, func(c *conn) error {
		if s.noProbe.Load() {
			return backend.Errorf(backend.Unsupported, "imap: "+op, "the server counts no changes")
		}
		names := make(map[string]backend.CollectionID)
		for _, id := range cs {
			f, err := s.folder(ctx, c, id, false)
			switch {
			case err == nil:
				names[f.wire] = id
			case backend.KindOf(failure(op, err)) != backend.NotFound:
				return err
			}
		}
		if err := c.settle(ctx, names); err != nil {
			return err
		}
		found, err := c.tags(ctx, slices.Sorted(maps.Keys(names)))
		for name, tag := range found {
			tags[names[name]] = strings.TrimSpace(tag)
		}
		return err
	})
	return tags, err
}

// settle selects nothing if a folder is selected that is to be asked about: of
// that one STATUS may tell what was. See RFC 9051, section 6.3.11.
func (c *conn) settle(ctx context.Context, names map[string]backend.CollectionID) error {
	if _, ok := names[c.Selected.Name]; !ok || c.Selected.Name == "" {
		return nil
	}
	return c.leave(ctx)
}
