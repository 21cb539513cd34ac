package backendtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

var deleting = []promise{
	{"the named revision goes", deleteRevision},
	{"without a revision any goes", deleteAny},
	{"a stale revision is Conflict", deleteStale},
	{"what is gone is NotFound", deleteGone},
	{"a missing collection is NotFound", deleteMissing},
}

func deleteRevision(t *testing.T, w *world) {
	it, neighbour := w.create(t, "delete"), w.create(t, "neighbour")
	if err := w.s.Delete(t.Context(), w.c, it.id, it.rev); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	w.wantGone(t, it)
	w.wantUntouched(t, neighbour, "deleting another item")
}

func (w *world) wantGone(t *testing.T, it stored) {
	t.Helper()
	if len(w.get(t, it.id)) > 0 {
		t.Error("the item can still be read")
	}
	if news, _ := w.list(t, ""); news[it.id].ID != "" {
		t.Error("the item is still listed")
	}
}

func deleteAny(t *testing.T, w *world) {
	it := w.replace(t, w.create(t, "any"), "second")
	if err := w.s.Delete(t.Context(), w.c, it.id, ""); err != nil {
		t.Fatalf("Delete without a revision: %v", err)
	}
	w.wantGone(t, it)
}

func deleteStale(t *testing.T, w *world) {
	old := w.create(t, "stale")
	now := w.replace(t, old, "second")
	err := w.s.Delete(t.Context(), w.c, old.id, old.rev)
	wantKind(t, "Delete of a revision that is past", err, backend.Conflict,
		"A deletion on one phone must not take the edit of another with it.")
	w.wantUntouched(t, now, "a refused Delete")
}

func deleteGone(t *testing.T, w *world) {
	it := w.create(t, "gone")
	if err := w.s.Delete(t.Context(), w.c, it.id, it.rev); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	for _, rev := range []backend.Revision{it.rev, ""} {
		err := w.s.Delete(t.Context(), w.c, it.id, rev)
		wantKind(t, fmt.Sprintf("Delete of revision %q a second time", rev), err, backend.NotFound, "A repeated deletion has reached its aim.")
	}
}

func deleteMissing(t *testing.T, w *world) {
	it := w.create(t, "elsewhere")
	for _, c := range []backend.CollectionID{missing(w.c), "no such collection"} {
		err := w.s.Delete(t.Context(), c, it.id, "")
		wantKind(t, fmt.Sprintf("Delete from collection %q", c), err, backend.NotFound, "The phone is told that the folder is gone.")
	}
}

var moving = []promise{
	{"the item goes from one collection to the other", moveItem},
	{"what is gone is NotFound", moveGone},
	{"a missing target is NotFound and loses nothing", moveNowhere},
}

// other answers a second writable collection of the kind, or skips.
func (w *world) other(t *testing.T) backend.CollectionID {
	t.Helper()
	for _, c := range w.writable(t) {
		if c.ID != w.c {
			return c.ID
		}
	}
	t.Skipf("no second writable collection of kind %s", w.kind)
	return ""
}

// move moves an item, or skips where the store cannot.
func (w *world) move(t *testing.T, id backend.ItemID, to backend.CollectionID) (backend.Item, error) {
	t.Helper()
	out, err := w.s.Move(t.Context(), w.c, id, to)
	if backend.KindOf(err) == backend.Unsupported {
		t.Skip("this store does not support Move")
	}
	return out, err
}

func moveItem(t *testing.T, w *world) {
	to := w.other(t)
	it := w.create(t, "move")
	_, here := w.list(t, "")
	_, there, err := w.tryList(t.Context(), to, "")
	if err != nil {
		t.Fatalf("Changes of the target: %v", err)
	}
	out, err := w.move(t, it.id, to)
	if err != nil {
		t.Fatalf("Move: %v", err)
	}
	w.removeLater(t, to, out.ID)
	if out.Body != nil {
		t.Errorf("Move answers a body of %d bytes, want none", len(out.Body))
	}
	f := w.getFrom(t, to, out.ID)[out.ID]
	if f.Revision == "" || f.Revision != out.Revision || !strings.Contains(unfold(f.Body), it.text()) {
		t.Errorf("the moved item is there in revision %q with %d bytes, want revision %q as Move answered and the same text",
			f.Revision, len(f.Body), out.Revision)
	}
	if len(w.get(t, it.id)) > 0 {
		t.Error("the moved item is still where it was")
	}
	news, _ := w.list(t, here)
	if !news[it.id].Removed {
		t.Errorf("Changes of the source tells %v, want the item removed", news)
	}
	news, _, err = w.tryList(t.Context(), to, there)
	if err != nil || news[out.ID].Revision != out.Revision {
		t.Errorf("Changes of the target tells %v, error %v; want %q in revision %q", news, err, out.ID, out.Revision)
	}
}

func moveGone(t *testing.T, w *world) {
	to := w.other(t)
	it := w.create(t, "gone")
	if err := w.s.Delete(t.Context(), w.c, it.id, it.rev); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	_, err := w.move(t, it.id, to)
	wantKind(t, "Move of a removed item", err, backend.NotFound, "The phone is told that the item is gone.")
}

func moveNowhere(t *testing.T, w *world) {
	it := w.create(t, "nowhere")
	_, err := w.move(t, it.id, missing(w.c))
	wantKind(t, "Move to a missing collection", err, backend.NotFound, "The phone is told that the folder is gone.")
	w.wantUntouched(t, it, "a refused Move")
}
