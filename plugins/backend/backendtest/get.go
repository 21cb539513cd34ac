package backendtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

var getting = []promise{
	{"items come with revision and media type", getItems},
	{"vanished items are absent", getVanished},
	{"no names are no items", getNothing},
	{"an unreadable item does not fail its neighbours", getUnreadable},
	{"an error of yield comes back unchanged", getYieldError},
	{"a missing collection is NotFound", getMissing},
	{"items written by others can be read", getOutside},
}

func getItems(t *testing.T, w *world) {
	one, two := w.create(t, "get"), w.create(t, "get")
	got := w.get(t, one.id, two.id)
	if len(got) != 2 {
		t.Errorf("Get of two items answers %d", len(got))
	}
	for _, it := range []stored{one, two} {
		f := got[it.id]
		if f.Err != nil || f.Revision != it.rev || f.MediaType != w.kind.MediaType() {
			t.Errorf("Get of %q: revision %q, media type %q, error %v; want %q, %q and none",
				it.id, f.Revision, f.MediaType, f.Err, it.rev, w.kind.MediaType())
		}
	}
}

func getVanished(t *testing.T, w *world) {
	here, gone := w.create(t, "here"), w.create(t, "gone")
	if err := w.s.Delete(t.Context(), w.c, gone.id, gone.rev); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	never := backend.ItemID(string(gone.id) + "-never")
	got := w.get(t, gone.id, here.id, never)
	if _, ok := got[here.id]; !ok {
		t.Error("Get beside vanished items misses the one that is there")
	}
	for _, id := range []backend.ItemID{gone.id, never} {
		if f, ok := got[id]; ok {
			t.Errorf("Get mentions the vanished item %q (error %v), want it absent", id, f.Err)
		}
	}
}

func getNothing(t *testing.T, w *world) {
	w.create(t, "unasked")
	if got := w.get(t); len(got) > 0 {
		t.Errorf("Get of no names answers %d items", len(got))
	}
}

func getUnreadable(t *testing.T, w *world) {
	if w.Unreadable == nil {
		t.Skip("the suite has no Unreadable: this store's items cannot be made unreadable")
	}
	good, bad := w.create(t, "good"), w.create(t, "bad")
	w.Unreadable(t, w.c, bad.id)
	got := w.get(t, bad.id, good.id)
	if f, ok := got[good.id]; !ok || f.Err != nil {
		t.Errorf("the neighbour of an unreadable item is there: %t, error %v", ok, f.Err)
	}
	f, ok := got[bad.id]
	if !ok {
		t.Fatal("an unreadable item is absent; the phone would delete it")
	}
	if _, typed := errors.AsType[*backend.Error](f.Err); !typed {
		t.Errorf("the unreadable item's error is %v (%T), want a *backend.Error", f.Err, f.Err)
	}
	if f.Body != nil || f.Revision != "" || f.MediaType != "" {
		t.Errorf("the unreadable item has revision %q, media type %q and %d bytes; want the ID alone", f.Revision, f.MediaType, len(f.Body))
	}
}

func getYieldError(t *testing.T, w *world) {
	one, two := w.create(t, "yield"), w.create(t, "yield")
	stop := errors.New("enough")
	calls := 0
	err := w.s.Get(t.Context(), w.c, []backend.ItemID{one.id, two.id}, func(backend.Fetched) error { calls++; return stop })
	if err != stop || calls != 1 {
		t.Errorf("Get whose yield fails: error = %v after %d calls, want that very error after one", err, calls)
	}
}

func getMissing(t *testing.T, w *world) {
	it := w.create(t, "elsewhere")
	for _, c := range []backend.CollectionID{missing(w.c), "no such collection"} {
		err := w.s.Get(t.Context(), c, []backend.ItemID{it.id}, func(f backend.Fetched) error {
			t.Errorf("Get from a missing collection answers %q", f.ID)
			return nil
		})
		wantKind(t, fmt.Sprintf("Get from collection %q", c), err, backend.NotFound, "Absent items would be deleted on the phone.")
	}
}

// oddNames are file names that another program may choose.
var oddNames = []string{"with blank", "per%2Fcent", "plus+and&", "ümläut-日本", "quote'and\"", "semi;colon,comma", "~tilde@at"}

func getOutside(t *testing.T, w *world) {
	if w.Outside == nil {
		t.Skip("the suite has no Outside: nobody else writes to this store")
	}
	extension := map[string]string{"text/vcard": ".vcf", "text/calendar": ".ics", "message/rfc822": ".eml"}[w.kind.MediaType()]
	for _, odd := range oddNames {
		t.Run(odd, func(t *testing.T) {
			_, cursor := w.list(t, "")
			uid := unique("outside")
			it := stored{name: uid, body: sample(w.kind, uid, "first")}
			w.Outside(t, w.c, uid+" "+odd+extension, it.body)
			news, _ := w.list(t, cursor)
			if len(news) != 1 {
				t.Fatalf("Changes tells %v, want the one new item", news)
			}
			for id, ch := range news {
				it.id, it.rev = id, ch.Revision
			}
			w.removeLater(t, w.c, it.id)
			w.wantUntouched(t, it, "being written by another program")
			it = w.replace(t, it, "second")
			w.wantUntouched(t, it, "being replaced")
			if err := w.s.Delete(t.Context(), w.c, it.id, it.rev); err != nil {
				t.Errorf("Delete of %q: %v", it.id, err)
			}
		})
	}
}
