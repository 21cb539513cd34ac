package backendtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

var putting = []promise{
	{"the answer is the state that is stored", putHonest},
	{"create twice is Conflict", putTwice},
	{"replace keeps the ID", putReplace},
	{"a stale revision is Conflict", putStale},
	{"replacing what is gone is NotFound", putGone},
	{"every allowed name can be created", putNames},
	{"a missing collection is NotFound", putMissing},
	{"a read-only collection is ReadOnly", putReadOnly},
	{"a message does not change", putMessage},
}

func putHonest(t *testing.T, w *world) {
	name := unique("honest")
	out, err := w.s.Put(t.Context(), w.c, backend.Item{
		ID: backend.ItemID(name), MediaType: w.kind.MediaType(), Body: sample(w.kind, name, "first"),
	})
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	w.removeLater(t, w.c, out.ID)
	if out.Body != nil {
		t.Errorf("Put answers a body of %d bytes, want none", len(out.Body))
	}
	if len(out.ID) > backend.MaxIDLength {
		t.Errorf("the ID has %d bytes, want at most %d", len(out.ID), backend.MaxIDLength)
	}
	f, ok := w.get(t, out.ID)[out.ID]
	if !ok || f.Revision != out.Revision {
		t.Errorf("Get after Put: there: %t, revision %q; want revision %q as Put answered\n"+
			"The phone's own change would come back to it as news.", ok, f.Revision, out.Revision)
	}
	if news, _ := w.list(t, ""); news[out.ID].Revision != out.Revision {
		t.Errorf("Changes after Put: revision %q, want %q as Put answered", news[out.ID].Revision, out.Revision)
	}
}

func putTwice(t *testing.T, w *world) {
	it := w.create(t, "twice")
	_, cursor := w.list(t, "")
	for _, text := range []string{"first", "another"} {
		out, err := w.s.Put(t.Context(), w.c, backend.Item{
			ID: backend.ItemID(it.name), MediaType: w.kind.MediaType(), Body: sample(w.kind, it.name, text),
		})
		wantKind(t, "creating the same name again", err, backend.Conflict,
			"A repeated create must meet its own first try, or a retry makes a double.")
		if out.ID != it.id || out.Revision != it.rev {
			t.Errorf("creating the same name again answers ID %q, revision %q; want %q, %q of the item that is there",
				out.ID, out.Revision, it.id, it.rev)
		}
		w.wantUntouched(t, it, "a refused create")
	}
	if news, _ := w.list(t, cursor); len(news) > 0 {
		t.Errorf("the refused creates made the changes %v, want none", news)
	}
}

func putReplace(t *testing.T, w *world) {
	it := w.create(t, "replace")
	next := w.replace(t, it, "second")
	if next.id != it.id {
		t.Errorf("replacing %q answers the ID %q, want the same", it.id, next.id)
	}
	if next.rev == it.rev || next.rev == "" {
		t.Errorf("replacing the body leaves revision %q, want a new one (was %q)\nPhones would never fetch the change.", next.rev, it.rev)
	}
	w.wantUntouched(t, next, "replacing it")
}

func putStale(t *testing.T, w *world) {
	w.needsChanges(t)
	old := w.create(t, "stale")
	now := w.replace(t, old, "second")
	_, cursor := w.list(t, "")
	_, err := w.s.Put(t.Context(), w.c, backend.Item{
		ID: old.id, Revision: old.rev, MediaType: w.kind.MediaType(), Body: sample(w.kind, old.name, "third"),
	})
	wantKind(t, "Put in place of a revision that is past", err, backend.Conflict,
		"This is how the bridge notices that two phones edited one item.")
	w.wantUntouched(t, now, "a refused Put")
	if news, _ := w.list(t, cursor); len(news) > 0 {
		t.Errorf("the refused Put made the changes %v, want none", news)
	}
}

func putGone(t *testing.T, w *world) {
	w.needsChanges(t)
	it := w.create(t, "gone")
	if err := w.s.Delete(t.Context(), w.c, it.id, it.rev); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	_, err := w.s.Put(t.Context(), w.c, backend.Item{ID: it.id, Revision: it.rev, MediaType: w.kind.MediaType(), Body: it.body})
	wantKind(t, "Put in place of a removed item", err, backend.NotFound, "A deleted item must not come back by itself.")
	if got := w.get(t, it.id); len(got) > 0 {
		t.Error("the refused Put brought the item back")
	}
}

func putNames(t *testing.T, w *world) {
	run := strings.ToLower(unique("n"))[:20]
	names := []string{
		run + strings.Repeat("x", 64-len(run)),
		"-" + run, "_" + run, run + "_-", strings.ToUpper(run), run, "0" + run,
	}
	ids := make(map[backend.ItemID]string)
	for n, name := range names {
		it := w.createBody(t, name, sample(w.kind, unique("uid"), fmt.Sprint("number ", n)))
		if other, twice := ids[it.id]; twice {
			t.Errorf("the names %q and %q both became %q", other, name, it.id)
		}
		ids[it.id] = name
		w.wantUntouched(t, it, "creating it")
	}
}

func putMissing(t *testing.T, w *world) {
	name := unique("lost")
	for _, c := range []backend.CollectionID{missing(w.c), "no such collection"} {
		_, err := w.s.Put(t.Context(), c, backend.Item{
			ID: backend.ItemID(name), MediaType: w.kind.MediaType(), Body: sample(w.kind, name, "first"),
		})
		wantKind(t, fmt.Sprintf("Put into collection %q", c), err, backend.NotFound, "The phone is told that the folder is gone.")
	}
}

func putReadOnly(t *testing.T, w *world) {
	list, err := w.s.Collections(t.Context())
	if err != nil {
		t.Fatalf("Collections: %v", err)
	}
	for _, c := range list {
		if c.ReadOnly && c.Kind == w.kind {
			name := unique("forbidden")
			_, err := w.s.Put(t.Context(), c.ID, backend.Item{
				ID: backend.ItemID(name), MediaType: w.kind.MediaType(), Body: sample(w.kind, name, "first"),
			})
			wantKind(t, "Put into a read-only collection", err, backend.ReadOnly, "The phone takes its change back on this kind.")
			return
		}
	}
	t.Skipf("no read-only collection of kind %s", w.kind)
}

// needsChanges skips for messages, which cannot be replaced.
func (w *world) needsChanges(t *testing.T) {
	t.Helper()
	if w.kind == backend.Mail {
		t.Skip("the bytes of a message never change")
	}
}

func putMessage(t *testing.T, w *world) {
	if w.kind != backend.Mail {
		t.Skipf("items of kind %s may change", w.kind)
	}
	it := w.create(t, "fixed")
	_, err := w.s.Put(t.Context(), w.c, backend.Item{ID: it.id, Revision: it.rev, MediaType: w.kind.MediaType(), Body: sample(w.kind, it.name, "second")})
	wantKind(t, "Put in place of a message", err, backend.Unsupported, "Phones keep what they have of a message for ever.")
	w.wantUntouched(t, it, "a refused Put")
}
