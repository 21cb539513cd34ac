package backendtest

import (
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

var history = []promise{
	{"a chain of cursors tells each change", cursorChain},
	{"nothing new is nothing", cursorQuiet},
	{"an older cursor still tells everything since", cursorTwice},
	{"a removed item may come again", cursorReborn},
	{"a cursor of nobody's is Expired", cursorUnknown},
	{"a forgotten cursor is Expired", cursorForgotten},
}

func cursorChain(t *testing.T, w *world) {
	bystander := w.create(t, "bystander")
	_, cursor := w.list(t, "")

	it := w.create(t, "chain")
	news, cursor := w.list(t, cursor)
	wantNews(t, "creating", news, backend.Change{ID: it.id, Revision: it.rev}, bystander.id)

	it = w.replace(t, it, "second")
	news, cursor = w.list(t, cursor)
	wantNews(t, "replacing", news, backend.Change{ID: it.id, Revision: it.rev}, bystander.id)

	if err := w.s.Delete(t.Context(), w.c, it.id, it.rev); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	news, cursor = w.list(t, cursor)
	wantNews(t, "deleting", news, backend.Change{ID: it.id, Removed: true}, bystander.id)

	if news, _ = w.list(t, cursor); len(news) > 0 {
		t.Errorf("after the last change Changes tells %v, want nothing", news)
	}
}

func wantNews(t *testing.T, what string, news map[backend.ItemID]backend.Change, want backend.Change, bystander backend.ItemID) {
	t.Helper()
	if got, ok := news[want.ID]; !ok || got != want {
		t.Errorf("after %s an item Changes tells %+v, want %+v\nThe phone would not hear of it.", what, news, want)
	}
	if _, ok := news[bystander]; ok {
		t.Errorf("after %s an item Changes tells of %q, too, which has not changed", what, bystander)
	}
}

func cursorQuiet(t *testing.T, w *world) {
	w.create(t, "quiet")
	_, cursor := w.list(t, "")
	for range 3 {
		news, next := w.list(t, cursor)
		if len(news) > 0 {
			t.Errorf("Changes tells %v, but nothing has changed", news)
		}
		if next == "" {
			t.Fatal("Changes answers no cursor")
		}
		cursor = next
	}
}

func cursorTwice(t *testing.T, w *world) {
	_, old := w.list(t, "")
	one := w.create(t, "twice")
	_, _ = w.list(t, old)
	two := w.create(t, "twice")
	news, _, err := w.tryList(t.Context(), w.c, old)
	if backend.KindOf(err) == backend.Expired {
		return // the other honest answer
	}
	if err != nil {
		t.Fatalf("Changes since a cursor used before: %v", err)
	}
	for _, it := range []stored{one, two} {
		if news[it.id].Revision != it.rev {
			t.Errorf("Changes since a cursor used before tells %+v of %q, want revision %q\n"+
				"The host asks again with its last cursor when its own write failed.", news[it.id], it.id, it.rev)
		}
	}
}

func cursorReborn(t *testing.T, w *world) {
	it := w.create(t, "reborn")
	_, cursor := w.list(t, "")
	if err := w.s.Delete(t.Context(), w.c, it.id, ""); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	again := w.createBody(t, it.name, sample(w.kind, it.name, "reborn"))
	if again.id != it.id {
		t.Errorf("the same name became %q first and %q later, want the same derivation always", it.id, again.id)
	}
	news, _ := w.list(t, cursor)
	if got := news[again.id]; got.Removed || got.Revision != again.rev {
		t.Errorf("after deleting and creating again Changes tells %+v, want revision %q", got, again.rev)
	}
}

func cursorUnknown(t *testing.T, w *world) {
	_, _, err := w.tryList(t.Context(), w.c, "a cursor that was never given out")
	wantKind(t, "Changes since an invented cursor", err, backend.Expired, "The host starts again without a cursor.")
}

func cursorForgotten(t *testing.T, w *world) {
	if w.Expire == nil {
		t.Skip("the suite has no Expire: this store cannot be made to forget")
	}
	it := w.create(t, "forgotten")
	_, cursor := w.list(t, "")
	w.Expire(t, w.c)
	_, _, err := w.tryList(t.Context(), w.c, cursor)
	wantKind(t, "Changes since a forgotten cursor", err, backend.Expired, "The host starts again without a cursor.")
	news, next := w.list(t, "")
	if _, ok := news[it.id]; !ok || next == cursor {
		t.Errorf("the listing after that has the item: %t, cursor %q; want the item and a new cursor", ok, next)
	}
}
