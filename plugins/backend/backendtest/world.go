package backendtest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A world is a session and the collection that a promise is tried in.
type world struct {
	Suite
	s     backend.Session
	c     backend.CollectionID
	kind  backend.CollectionKind
	first bool // the kind for which long listings are tried
}

// A stored is an item that a test created.
type stored struct {
	name string // the name the host chose, and the UID
	id   backend.ItemID
	rev  backend.Revision
	body []byte
}

// open answers a new session that is closed with the test.
func (w *world) open(t *testing.T) backend.Session {
	t.Helper()
	s, err := w.Backend.Open(t.Context(), w.Credentials)
	if err != nil {
		t.Fatalf("Open with the right password: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close of a session: %v", err)
		}
	})
	return s
}

// collection finds the collection to write to.
func (w *world) collection(t *testing.T) backend.CollectionID {
	t.Helper()
	if w.Suite.Collection != nil {
		return w.Suite.Collection(t, w.s, w.kind)
	}
	list := w.writable(t)
	if len(list) == 0 {
		t.Fatalf("no writable collection of kind %s", w.kind)
	}
	return list[0].ID
}

// writable lists the writable collections of the kind, default ones first.
func (w *world) writable(t *testing.T) []backend.Collection {
	t.Helper()
	list, err := w.s.Collections(t.Context())
	if err != nil {
		t.Fatalf("Collections: %v", err)
	}
	list = slices.DeleteFunc(list, func(c backend.Collection) bool { return c.ReadOnly || c.Kind != w.kind })
	slices.SortStableFunc(list, func(a, b backend.Collection) int {
		switch {
		case a.Default && !b.Default:
			return -1
		case b.Default && !a.Default:
			return 1
		}
		return 0
	})
	return list
}

// create puts a new item with a sample body and removes it with the test.
func (w *world) create(t *testing.T, prefix string) stored {
	t.Helper()
	name := unique(prefix)
	return w.createBody(t, name, sample(w.kind, name, "first"))
}

func (w *world) createBody(t *testing.T, name string, body []byte) stored {
	t.Helper()
	it, err := w.s.Put(t.Context(), w.c, backend.Item{ID: backend.ItemID(name), MediaType: w.kind.MediaType(), Body: body})
	if err != nil {
		t.Fatalf("Put of a new item %q: %v", name, err)
	}
	if it.ID == "" || it.Revision == "" {
		t.Fatalf("Put of a new item %q answers ID %q, revision %q; want both", name, it.ID, it.Revision)
	}
	w.removeLater(t, w.c, it.ID)
	return stored{name, it.ID, it.Revision, body}
}

// removeLater leaves the store as the test found it.
func (w *world) removeLater(t *testing.T, c backend.CollectionID, id backend.ItemID) {
	t.Cleanup(func() {
		err := w.s.Delete(context.Background(), c, id, "")
		if kind := backend.KindOf(err); err != nil && kind != backend.NotFound && kind != backend.Unsupported {
			t.Logf("clearing away %q: %v", id, err)
		}
	})
}

// replace puts another body in place of the revision that it is at. Of a message
// only the flags can change.
func (w *world) replace(t *testing.T, it stored, text string) stored {
	t.Helper()
	if w.kind == backend.Mail {
		return w.flag(t, it, backend.FlagFlagged)
	}
	body := sample(w.kind, it.name, text)
	out, err := w.s.Put(t.Context(), w.c, backend.Item{ID: it.id, Revision: it.rev, MediaType: w.kind.MediaType(), Body: body})
	if err != nil {
		t.Fatalf("Put in place of revision %q: %v", it.rev, err)
	}
	return stored{it.name, out.ID, out.Revision, body}
}

// flag sets a flag of a message, or skips.
func (w *world) flag(t *testing.T, it stored, flag string) stored {
	t.Helper()
	rev, err := w.mailbox(t).SetFlags(t.Context(), w.c, it.id, []string{flag}, nil)
	if err != nil {
		t.Fatalf("SetFlags of %s: %v", flag, err)
	}
	it.rev = rev
	return it
}

// list answers the last thing said of each item since a cursor.
func (w *world) list(t *testing.T, since backend.Cursor) (map[backend.ItemID]backend.Change, backend.Cursor) {
	t.Helper()
	news, next, err := w.tryList(t.Context(), w.c, since)
	if err != nil {
		t.Fatalf("Changes since %q: %v", since, err)
	}
	return news, next
}

func (w *world) tryList(ctx context.Context, c backend.CollectionID, since backend.Cursor) (map[backend.ItemID]backend.Change, backend.Cursor, error) {
	news := make(map[backend.ItemID]backend.Change)
	next, err := w.s.Changes(ctx, c, since, func(batch []backend.Change) error {
		for _, ch := range batch {
			ch.Received = time.Time{} // see mailing
			news[ch.ID] = ch
		}
		return nil
	})
	return news, next, err
}

// get answers the named items that are there.
func (w *world) get(t *testing.T, ids ...backend.ItemID) map[backend.ItemID]backend.Fetched {
	t.Helper()
	return w.getFrom(t, w.c, ids...)
}

func (w *world) getFrom(t *testing.T, c backend.CollectionID, ids ...backend.ItemID) map[backend.ItemID]backend.Fetched {
	t.Helper()
	got := make(map[backend.ItemID]backend.Fetched)
	err := w.s.Get(t.Context(), c, ids, func(f backend.Fetched) error {
		if _, twice := got[f.ID]; twice {
			t.Errorf("Get answers %q twice", f.ID)
		}
		f.Body = bytes.Clone(f.Body)
		got[f.ID] = f
		return nil
	})
	if err != nil {
		t.Fatalf("Get of %d items: %v", len(ids), err)
	}
	return got
}

// wantUntouched complains unless an item is as it was stored.
func (w *world) wantUntouched(t *testing.T, it stored, after string) {
	t.Helper()
	f, ok := w.get(t, it.id)[it.id]
	if !ok || f.Err != nil {
		t.Errorf("after %s the item is gone (%v), want it untouched", after, f.Err)
		return
	}
	if f.Revision != it.rev {
		t.Errorf("after %s the item is at revision %q, want %q still", after, f.Revision, it.rev)
	}
	if !strings.Contains(unfold(f.Body), it.text()) {
		t.Errorf("after %s the body has changed:\n%s", after, f.Body)
	}
}

// text is the line of the sample that differs between bodies of an item.
func (it stored) text() string {
	_, rest, _ := strings.Cut(string(it.body), marker)
	text, _, _ := strings.Cut(rest, "\r\n")
	return marker + text
}

// wantKind complains unless err is an *Error of a kind.
func wantKind(t *testing.T, what string, err error, want backend.Kind, consequence string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s succeeds, want an error of kind %q\n%s", what, want, consequence)
		return
	}
	if got := backend.KindOf(err); got != want {
		t.Errorf("%s: error = %v (kind %q), want kind %q\n%s", what, err, got, want, consequence)
	}
	if _, ok := errors.AsType[*backend.Error](err); !ok {
		t.Errorf("%s: error is a %T, want a *backend.Error", what, err)
	}
}

// missing answers an ID like c that names no collection.
func missing(c backend.CollectionID) backend.CollectionID {
	stem, slash := strings.CutSuffix(string(c), "/")
	stem += "-" + unique("missing")
	if slash {
		stem += "/"
	}
	return backend.CollectionID(stem)
}

// unfold joins folded lines, for stores that fold anew. See RFC 5545, section
// 3.1, and RFC 6350, section 3.2.
func unfold(body []byte) string {
	return strings.NewReplacer("\r\n ", "", "\r\n\t", "", "\n ", "", "\n\t", "").Replace(string(body))
}
