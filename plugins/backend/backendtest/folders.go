package backendtest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

var editing = []promise{
	{"a new collection is listed", createListed},
	{"a new collection takes items", createTakesItems},
	{"create twice is Conflict and names the first", createTwice},
	{"any name comes back", createNames},
	{"a name with a percent sign comes back", createPercent},
	{"a name that is none is Invalid", createInvalid},
	{"a kind that there is not is Unsupported", createUnsupported},
	{"a renamed collection keeps its ID and items", updateKeeps},
	{"update of a missing collection is NotFound", updateMissing},
	{"a removed collection is gone", discardGone},
	{"delete of a missing collection is NotFound", discardMissing},
	{"what is not one's own stays", discardReadOnly},
}

// editor answers the session's editor of folders, or skips.
func (w *world) editor(t *testing.T) backend.FolderEditor {
	t.Helper()
	e, ok := backend.As[backend.FolderEditor](w.s)
	if !ok {
		t.Skip("the session is not a FolderEditor")
	}
	return e
}

// make makes a collection that goes with the test.
func (w *world) make(t *testing.T, name string) backend.Collection {
	t.Helper()
	e := w.editor(t)
	c, err := e.CreateCollection(t.Context(), backend.Collection{ID: backend.CollectionID(unique("made")), Kind: w.kind, Name: name, Colour: "#12ab34"})
	if backend.KindOf(err) == backend.Unsupported {
		t.Skipf("the store makes no collections of kind %s", w.kind)
	}
	if err != nil {
		t.Fatalf("CreateCollection of %q: %v", name, err)
	}
	if c.ID == "" || c.Kind != w.kind || c.Name != name || c.ReadOnly {
		t.Fatalf("CreateCollection of %q answers %+v", name, c)
	}
	w.clearAway(t, e, c.ID)
	return c
}

func (w *world) clearAway(t *testing.T, e backend.FolderEditor, id backend.CollectionID) {
	t.Cleanup(func() {
		err := e.DeleteCollection(context.Background(), id)
		if kind := backend.KindOf(err); err != nil && kind != backend.NotFound && kind != backend.Unsupported {
			t.Errorf("clearing away %q: %v", id, err)
		}
	})
}

// listed finds a collection in the list.
func (w *world) listed(t *testing.T, id backend.CollectionID) (backend.Collection, bool) {
	t.Helper()
	list, err := w.s.Collections(t.Context())
	if err != nil {
		t.Fatalf("Collections: %v", err)
	}
	n := slices.IndexFunc(list, func(c backend.Collection) bool { return c.ID == id })
	if n < 0 {
		return backend.Collection{}, false
	}
	return list[n], true
}

func createListed(t *testing.T, w *world) {
	made := w.make(t, "Club of friends")
	c, ok := w.listed(t, made.ID)
	c.Default = made.Default // for which there is a rule
	if !ok || c != made {
		t.Errorf("CreateCollection answers %+v, and Collections lists %+v (%v)\nThe phone would be told of another folder than it made.", made, c, ok)
	}
	if c.Colour != "" && c.Colour != "#12ab34" {
		t.Errorf("the colour is %q, want #12ab34 or none", c.Colour)
	}
}

func createTakesItems(t *testing.T, w *world) {
	in := *w
	in.c = w.make(t, "Things").ID
	it := in.create(t, "within")
	if f, ok := in.get(t, it.id)[it.id]; !ok || f.Err != nil {
		t.Errorf("the item of a new collection is not there: %v", f.Err)
	}
	if news, _ := in.list(t, ""); len(news) != 1 {
		t.Errorf("a new collection with one item lists %d", len(news))
	}
}

func createTwice(t *testing.T, w *world) {
	e := w.editor(t)
	want := backend.Collection{ID: backend.CollectionID(unique("made")), Kind: w.kind, Name: "Twice"}
	one, err := e.CreateCollection(t.Context(), want)
	if backend.KindOf(err) == backend.Unsupported {
		t.Skipf("the store makes no collections of kind %s", w.kind)
	}
	if err != nil {
		t.Fatalf("CreateCollection: %v", err)
	}
	w.clearAway(t, e, one.ID)
	before, _ := w.s.Collections(t.Context())
	two, err := e.CreateCollection(t.Context(), want)
	wantKind(t, "CreateCollection under a name that is taken", err, backend.Conflict, "A repeated create would not meet its own first try.")
	if two.ID != one.ID || two.Kind != one.Kind || two.Name != one.Name {
		t.Errorf("the second create names %+v, want %+v\nThe phone would have the folder twice.", two, one)
	}
	if after, _ := w.s.Collections(t.Context()); len(after) != len(before) {
		t.Errorf("there are %d collections after the second create, and were %d before", len(after), len(before))
	}
}

// oddTitles are what people may call a collection.
var oddTitles = []string{
	`<b>"Ann's" & Co</b>`, "a/b\\c", "../..", "日本語 ☂ Zoë", "#x ?y;z", "a]]>b", strings.Repeat("long ", 50) + "!", "CON", ".hidden",
}

func createNames(t *testing.T, w *world) { namesComeBack(t, w, oddTitles...) }

func createPercent(t *testing.T, w *world) { namesComeBack(t, w, "%41 is 100%") }

func namesComeBack(t *testing.T, w *world, names ...string) {
	for _, name := range names {
		made := w.make(t, name)
		if c, ok := w.listed(t, made.ID); !ok || c.Name != name {
			t.Errorf("the collection %q is listed as %q (%v)", name, c.Name, ok)
		}
		update(t, w, made.ID, "Plain")
		if c := update(t, w, made.ID, name); c.Name != name {
			t.Errorf("the collection that was renamed to %q is called %q", name, c.Name)
		}
	}
}

// update renames a collection.
func update(t *testing.T, w *world, id backend.CollectionID, name string) backend.Collection {
	t.Helper()
	c, err := w.editor(t).UpdateCollection(t.Context(), backend.Collection{ID: id, Name: name})
	if err != nil {
		t.Fatalf("UpdateCollection to %q: %v", name, err)
	}
	return c
}

func createInvalid(t *testing.T, w *world) {
	e := w.editor(t)
	made := w.make(t, "Good")
	for what, name := range map[string]string{"without a name": "", "with a NUL": "a\x00b", "on two lines": "a\nb", "too long": strings.Repeat("x", backend.MaxCollectionName+1)} {
		_, err := e.CreateCollection(t.Context(), backend.Collection{ID: backend.CollectionID(unique("made")), Kind: w.kind, Name: name})
		if len(name) > backend.MaxCollectionName && err == nil {
			continue // on its way to a plugin it was cut
		}
		wantKind(t, "CreateCollection "+what, err, backend.Invalid, "Lists of other programs would be broken by such a name.")
		_, err = e.UpdateCollection(t.Context(), backend.Collection{ID: made.ID, Name: name})
		wantKind(t, "UpdateCollection "+what, err, backend.Invalid, "Lists of other programs would be broken by such a name.")
	}
	_, err := e.CreateCollection(t.Context(), backend.Collection{ID: "../escape", Kind: w.kind, Name: "Out"})
	wantKind(t, "CreateCollection under the name ../escape", err, backend.Invalid, "Names that the host chooses are letters, digits, '-' and '_'.")
}

func createUnsupported(t *testing.T, w *world) {
	_, err := w.editor(t).CreateCollection(t.Context(), backend.Collection{ID: backend.CollectionID(unique("made")), Kind: "stamps", Name: "Stamps"})
	wantKind(t, "CreateCollection of stamps", err, backend.Unsupported, "The host would not ask the next store.")
}

func updateKeeps(t *testing.T, w *world) {
	in := *w
	made := w.make(t, "Before")
	in.c = made.ID
	it := in.create(t, "kept")
	c, err := w.editor(t).UpdateCollection(t.Context(), backend.Collection{ID: made.ID, Name: "After", Colour: "#aa00ff"})
	if err != nil {
		t.Fatalf("UpdateCollection: %v", err)
	}
	l, ok := w.listed(t, made.ID)
	if l.Default = c.Default; !ok || c.ID != made.ID || c.Name != "After" || l != c {
		t.Errorf("UpdateCollection answers %+v, and Collections lists %+v (%v)", c, l, ok)
	}
	if made.Colour != "" && c.Colour != "#aa00ff" {
		t.Errorf("the colour is %q, want #aa00ff", c.Colour)
	}
	if again := update(t, w, made.ID, "After"); again != c {
		t.Errorf("the same update again answers %+v, want %+v", again, c)
	}
	in.wantUntouched(t, it, "renaming the collection")
}

func updateMissing(t *testing.T, w *world) {
	_, err := w.editor(t).UpdateCollection(t.Context(), backend.Collection{ID: missing(w.c), Name: "Nothing"})
	wantKind(t, "UpdateCollection of a missing collection", err, backend.NotFound, "The phone is told that the folder is gone.")
}

func discardGone(t *testing.T, w *world) {
	e := w.editor(t)
	in := *w
	made := w.make(t, "Going")
	in.c = made.ID
	in.create(t, "going")
	err := e.DeleteCollection(t.Context(), made.ID)
	if backend.KindOf(err) == backend.Unsupported {
		if _, ok := w.listed(t, made.ID); !ok {
			t.Error("DeleteCollection says Unsupported, and the collection is gone")
		}
		t.Skip("the store cannot remove this collection alone")
	}
	if err != nil {
		t.Fatalf("DeleteCollection: %v", err)
	}
	if _, ok := w.listed(t, made.ID); ok {
		t.Error("a removed collection is listed")
	}
	wantKind(t, "DeleteCollection once more", e.DeleteCollection(t.Context(), made.ID), backend.NotFound, "A repeated delete is taken for the first one by this kind.")
	if _, _, err := in.tryList(t.Context(), made.ID, ""); backend.KindOf(err) != backend.NotFound {
		t.Errorf("Changes of a removed collection: error = %v, want kind NotFound", err)
	}
}

func discardMissing(t *testing.T, w *world) {
	err := w.editor(t).DeleteCollection(t.Context(), missing(w.c))
	wantKind(t, "DeleteCollection of a missing collection", err, backend.NotFound, "A repeated delete is taken for the first one by this kind.")
}

func discardReadOnly(t *testing.T, w *world) {
	e := w.editor(t)
	list, err := w.s.Collections(t.Context())
	if err != nil {
		t.Fatalf("Collections: %v", err)
	}
	n := slices.IndexFunc(list, func(c backend.Collection) bool { return c.Kind == w.kind && c.ReadOnly })
	if n < 0 {
		t.Skipf("there is no read-only collection of kind %s", w.kind)
	}
	wantKind(t, "DeleteCollection of a read-only collection", e.DeleteCollection(t.Context(), list[n].ID), backend.ReadOnly, "Somebody else's things would be gone.")
	_, err = e.UpdateCollection(t.Context(), backend.Collection{ID: list[n].ID, Name: "Mine"})
	wantKind(t, "UpdateCollection of a read-only collection", err, backend.ReadOnly, "Somebody else's things would be called something else.")
}
