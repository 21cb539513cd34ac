package imap

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imapconn"
)

// itemID names a message: by the UIDVALIDITY of its folder, so that no message
// of a folder that was made anew is taken for an older one, and by its UID.
func itemID(validity, uid uint32) backend.ItemID {
	return backend.ItemID(strconv.FormatUint(uint64(validity), 10) + "." + strconv.FormatUint(uint64(uid), 10))
}

// uidOf is the inverse of itemID; 0 if the ID names no message of this folder.
func uidOf(id backend.ItemID, validity uint32) uint32 {
	v, u, _ := strings.Cut(string(id), ".")
	uid, err := strconv.ParseUint(u, 10, 32)
	if err != nil || v != strconv.FormatUint(uint64(validity), 10) || itemID(validity, uint32(uid)) != id {
		return 0
	}
	return uint32(uid)
}

// revision is made of a message's flags, which backend.Flags has put in order.
func revision(flags []string) backend.Revision {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.Join(flags, " "))))
	return backend.Revision(base64.RawURLEncoding.EncodeToString(sum[:9]))
}

// gone tells whether a message is as good as removed.
func gone(flags []string) bool { return backend.HasFlag(flags, backend.FlagDeleted) }

// A cursor is the state of a folder.
type cursor struct {
	validity uint32
	next     uint32 // UIDNEXT
	exists   uint32
	modseq   uint64 // 0: the server counts no changes
	digest   string // then: of all UIDs and flags
}

func (c cursor) String() string {
	return fmt.Sprintf("1 %d %d %d %d %s", c.validity, c.next, c.exists, c.modseq, c.digest)
}

// parseCursor is the inverse of String.
func parseCursor(text backend.Cursor) (cursor, bool) {
	var c cursor
	var version int
	n, _ := fmt.Sscanf(string(text), "%d %d %d %d %d %s", &version, &c.validity, &c.next, &c.exists, &c.modseq, &c.digest)
	return c, n >= 5 && version == 1 && c.String() == string(text)
}

// now is the state of the folder that is selected.
func (c *conn) now() cursor {
	s := c.Selected
	return cursor{validity: s.Validity, next: s.Next, exists: s.Exists, modseq: s.ModSeq}
}

// Changes lists what is new. Where the server counts changes (RFC 7162) and
// tells what is gone it costs what has changed; where it does not, it costs a
// look at all flags.
func (s *session) Changes(ctx context.Context, id backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	var next cursor
	err := s.inFolder(ctx, "Changes", id, anew, func(c *conn) error {
		l := lister{s: s, c: c, id: id, yield: yield, now: c.now()}
		old, ok := parseCursor(since)
		var err error
		switch {
		case c.Selected.Validity == 0:
			return backend.Errorf(backend.Unsupported, "imap: Changes", "the server gives this folder no UIDVALIDITY")
		case since == "":
			err = l.all(ctx)
		case !ok || old.validity != l.now.validity || (old.modseq == 0) != (l.now.modseq == 0) || old.modseq > l.now.modseq || old.next > l.now.next && l.now.next != 0:
			return backend.Errorf(backend.Expired, "imap: Changes", "the cursor %.60q is of another state of the folder", since)
		case l.now.modseq == 0:
			err = l.compare(ctx, old)
		case old == l.now:
			// Nothing has happened.
		case c.qresync:
			err = l.told(ctx, old)
		default:
			err = l.counted(ctx, old)
		}
		if err == nil {
			err = l.flush()
		}
		next = l.now
		return err
	})
	if err != nil {
		return "", err
	}
	return backend.Cursor(next.String()), nil
}

// A lister gathers changes into batches.
type lister struct {
	s     *session
	c     *conn
	id    backend.CollectionID
	now   cursor
	yield func([]backend.Change) error
	batch []backend.Change
}

func (l *lister) add(ch backend.Change) error {
	if l.batch = append(l.batch, ch); len(l.batch) == backend.MaxBatch {
		return l.flush()
	}
	return nil
}

func (l *lister) flush() error {
	batch := l.batch
	l.batch = nil
	if len(batch) == 0 {
		return nil
	}
	if err := l.yield(batch); err != nil {
		return &yieldError{err}
	}
	return nil
}

// message is the change that a message stands for; none while it is marked as
// \Deleted, if nobody has heard of it.
func (l *lister) message(m *imapconn.Message, heard bool) error {
	flags := backend.Flags(m.Flags)
	if gone(flags) {
		if !heard {
			return nil
		}
		return l.removed(m.UID)
	}
	return l.add(backend.Change{ID: itemID(l.now.validity, m.UID), Revision: revision(flags), Received: received(m.Date)})
}

func (l *lister) removed(uid uint32) error {
	return l.add(backend.Change{ID: itemID(l.now.validity, uid), Removed: true})
}

func received(t time.Time) time.Time {
	if t.IsZero() || t.Unix() <= 0 {
		return time.Time{}
	}
	return t.Truncate(time.Second).UTC()
}

const listItems = "FLAGS INTERNALDATE"

// all lists every message. The state of the folder is that from before, so that
// what happens meanwhile comes with the next call.
func (l *lister) all(ctx context.Context) error {
	st := newState(l.now.modseq == 0)
	if l.now.exists > 0 {
		err := l.c.Fetch(ctx, "1:*", listItems, 0, func(m *imapconn.Message) error {
			if !m.HasFlags || l.now.next != 0 && m.UID >= l.now.next && l.now.modseq != 0 {
				return nil // new since then
			}
			st.note(m)
			return l.message(m, false)
		})
		if err != nil {
			return err
		}
	}
	l.keep(st)
	return nil
}

// told lists what has changed as QRESYNC tells it. See RFC 7162, section 3.2.6.
func (l *lister) told(ctx context.Context, old cursor) error {
	cmd := imapconn.NewCommand(fmt.Sprintf("UID FETCH 1:* (%s) (CHANGEDSINCE %d VANISHED)", listItems, old.modseq))
	count := 0
	_, err := l.c.Run(ctx, cmd, func(r *imapconn.Response) error {
		switch {
		case r.Message != nil && r.Message.UID != 0 && r.Message.HasFlags:
			return l.message(r.Message, true)
		case r.Name == "VANISHED":
			return l.vanished(r, old, &count)
		}
		return nil
	})
	return err
}

// maxVanished is how many UIDs a server may call gone before it is cheaper to
// list the folder. Servers that no longer know what went name everything that
// is not there.
const maxVanished = 200_000

func (l *lister) vanished(r *imapconn.Response, old cursor, count *int) error {
	set := ""
	if len(r.Args) > 0 {
		set = r.Args[len(r.Args)-1].Text
	}
	var err error
	ok := imapconn.ParseUIDSet(set, func(uid uint32) bool {
		if old.next != 0 && uid >= old.next {
			return false // came and went; sets are in order
		}
		if *count++; *count > maxVanished {
			err = &yieldError{backend.Errorf(backend.Expired, "imap: Changes", "too much is gone to be told one by one")}
			return false
		}
		err = l.removed(uid)
		return err == nil
	})
	if !ok && err == nil {
		err = backend.Errorf(backend.Transient, "imap: VANISHED", "%.40q is no set of UIDs", set)
	}
	return err
}

// counted lists what has changed on a server that counts changes but does not
// tell what is gone.
func (l *lister) counted(ctx context.Context, old cursor) error {
	st := l.s.person.states.find(l.id, old.String())
	cmd := imapconn.NewCommand(fmt.Sprintf("UID FETCH 1:* (%s) (CHANGEDSINCE %d)", listItems, old.modseq))
	var came []uint32
	err := l.c.FetchWith(ctx, cmd, func(m *imapconn.Message) error {
		if !m.HasFlags {
			return nil
		}
		if m.UID >= old.next {
			came = append(came, m.UID)
		}
		return l.message(m, m.UID < old.next)
	})
	if err != nil {
		return err
	}
	if old.next != 0 && int64(old.exists)+int64(len(came)) == int64(l.now.exists) {
		if st != nil {
			l.keep(st.with(came))
		}
		return nil // nothing is gone
	}
	uids, err := l.c.Search(ctx, imapconn.NewCommand("UID SEARCH ALL"))
	if err != nil {
		return err
	}
	if st == nil {
		return backend.Errorf(backend.Expired, "imap: Changes", "something is gone, and the server cannot tell what")
	}
	slices.Sort(uids)
	for _, uid := range st.uids {
		if _, there := slices.BinarySearch(uids, uid); !there {
			if err := l.removed(uid); err != nil {
				return err
			}
		}
	}
	l.keep(&state{uids: uids})
	return nil
}

// maxCompared bounds the messages of a folder of which all flags are compared;
// each costs some 200 bytes meanwhile.
const maxCompared = 300_000

// compare lists what has changed on a server that counts nothing, by comparing
// all flags with those that are remembered.
func (l *lister) compare(ctx context.Context, old cursor) error {
	st := newState(true)
	messages := make(map[uint32]backend.Change)
	if l.now.exists > 0 {
		err := l.c.Fetch(ctx, "1:*", listItems, 0, func(m *imapconn.Message) error {
			if m.HasFlags {
				if st.note(m); len(messages) > maxCompared {
					return backend.Errorf(backend.TooLarge, "imap: Changes", "more than %d messages on a server that counts no changes", maxCompared)
				}
				messages[m.UID] = backend.Change{ID: itemID(l.now.validity, m.UID), Revision: revision(backend.Flags(m.Flags)), Received: received(m.Date)}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	l.keep(st)
	if l.now.digest == old.digest {
		return nil
	}
	before := l.s.person.states.find(l.id, old.String())
	if before == nil {
		return backend.Errorf(backend.Expired, "imap: Changes", "the server counts no changes, and the state of then is forgotten")
	}
	return st.since(before, l.removed, func(uid uint32) error { return l.add(messages[uid]) })
}

// keep remembers the state of the folder for the next call.
func (l *lister) keep(st *state) {
	if l.now.modseq == 0 {
		l.now.digest = st.digest()
		l.now.next, l.now.exists = 0, uint32(len(st.uids))
	}
	if !l.c.qresync || l.now.modseq == 0 {
		l.s.person.states.keep(l.id, l.now.String(), st)
		l.s.store.bound(maxAllUIDs)
	}
}
