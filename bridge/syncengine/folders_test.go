package syncengine_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// set gives the engine lists of collections and answers whether they changed anything.
func (w *world) set(listings ...syncengine.Listing) bool {
	w.t.Helper()
	changed, err := w.engine.SetFolders(w.t.Context(), user, listings)
	if err != nil {
		w.t.Fatal(err)
	}
	return changed
}

// names lists the folders' names as they are told, the Default ones with a star.
func (w *world) names() []string {
	w.t.Helper()
	list, err := w.engine.Folders(w.t.Context(), user)
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, f := range list {
		name := f.Name
		if f.Default {
			name += "*"
		}
		names = append(names, name)
	}
	return names
}

func calendar(id, name string, more ...func(*backend.Collection)) backend.Collection {
	c := backend.Collection{ID: backend.CollectionID(id), Kind: backend.Events, Name: name}
	for _, m := range more {
		m(&c)
	}
	return c
}

func in(parent string) func(*backend.Collection) {
	return func(c *backend.Collection) { c.Parent = backend.CollectionID(parent) }
}

func first(c *backend.Collection)    { c.Default = true }
func readOnly(c *backend.Collection) { c.ReadOnly = true }
func shared(c *backend.Collection)   { c.Owner = "carol" }

func dav(cs ...backend.Collection) syncengine.Listing {
	return syncengine.Listing{Backend: "dav", Collections: cs}
}

func TestDefaultFolder(t *testing.T) {
	for _, tc := range []struct {
		name string
		sets [][]backend.Collection // one after another
		want []string               // after the last
	}{
		{"the first listed", [][]backend.Collection{{calendar("a", "A"), calendar("b", "B")}}, []string{"A*", "B"}},
		{"the store's choice", [][]backend.Collection{{calendar("a", "A"), calendar("b", "B", first)}}, []string{"A", "B*"}},
		{"rather one that takes new items", [][]backend.Collection{
			{calendar("a", "A", first, readOnly), calendar("b", "B")}}, []string{"A", "B*"}},
		{"rather one's own", [][]backend.Collection{{calendar("a", "A", shared), calendar("b", "B")}}, []string{"A", "B*"}},
		{"if nothing else is there, that", [][]backend.Collection{{calendar("a", "A", readOnly)}}, []string{"A*"}},
		{"it stays when the store changes its mind", [][]backend.Collection{
			{calendar("a", "A", first), calendar("b", "B")}, {calendar("a", "A"), calendar("b", "B", first)}}, []string{"A*", "B"}},
		{"it stays when a better one comes", [][]backend.Collection{
			{calendar("a", "A", readOnly)}, {calendar("a", "A", readOnly), calendar("b", "B", first)}}, []string{"A*", "B"}},
		{"another one when it is gone", [][]backend.Collection{
			{calendar("a", "A"), calendar("b", "B")}, {calendar("b", "B")}}, []string{"B*"}},
		{"the new one stays when the old one returns", [][]backend.Collection{
			{calendar("a", "A"), calendar("b", "B")}, {calendar("b", "B")}, {calendar("a", "A"), calendar("b", "B")}}, []string{"A", "B*"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.set(dav())
			for _, cs := range tc.sets {
				w.set(dav(cs...))
				if w.set(dav(cs...)) {
					t.Error("the same list once more changes something")
				}
			}
			if diff := cmp.Diff(tc.want, w.names()); diff != "" {
				t.Errorf("folders (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFolderIDsLast(t *testing.T) {
	w := newWorld(t)
	id := w.folder("calendar").ID
	if !w.set(dav()) {
		t.Error("the end of all folders changes nothing")
	}
	if f, err := w.engine.Folder(t.Context(), user, id); !errors.Is(err, syncengine.ErrNoFolder) {
		t.Errorf("a folder that is gone: %+v, %v", f, err)
	}
	w.set(syncengine.Listing{Backend: "other", Collections: []backend.Collection{calendar("calendar", "Other")}})
	if !w.list() {
		t.Error("folders that come back change nothing")
	}
	list, err := w.engine.Folders(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[syncengine.FolderID]string{}
	for _, f := range list {
		if f.Backend == "dav" && f.Collection == "calendar" && f.ID != id {
			t.Errorf("the folder was %v and is %v", id, f.ID)
		}
		if ids[f.ID] != "" {
			t.Errorf("%v is both %s and %s", f.ID, ids[f.ID], f.Name)
		}
		ids[f.ID] = f.Name
	}
	if len(ids) != 6 {
		t.Errorf("folders: %v", ids)
	}
	if _, err := w.engine.Folder(t.Context(), "bob", id); !errors.Is(err, syncengine.ErrNoFolder) {
		t.Errorf("bob finds ann's folder: %v", err)
	}
}

func TestFolderOrder(t *testing.T) {
	for _, tc := range []struct {
		name string
		list []backend.Collection
		want []string
	}{
		{"as listed", []backend.Collection{calendar("z", "Z"), calendar("a", "A")}, []string{"Z*", "A"}},
		{"parents first", []backend.Collection{calendar("a", "A", in("b")), calendar("b", "B", in("c")), calendar("c", "C")}, []string{"C", "B", "A*"}},
		{"a parent that is not there", []backend.Collection{calendar("a", "A", in("x"))}, []string{"A*"}},
		{"its own parent", []backend.Collection{calendar("a", "A", in("a"))}, []string{"A*"}},
		{"a circle", []backend.Collection{calendar("a", "A", in("b")), calendar("b", "B", in("a"))}, []string{"B", "A*"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.set(dav())
			w.set(dav(tc.list...))
			if diff := cmp.Diff(tc.want, w.names()); diff != "" {
				t.Errorf("folders (-want +got):\n%s", diff)
			}
			list, err := w.engine.Folders(t.Context(), user)
			if err != nil {
				t.Fatal(err)
			}
			told := map[syncengine.FolderID]bool{0: true}
			for _, f := range list {
				if !told[f.Parent] {
					t.Errorf("%s comes before its parent %v", f.Name, f.Parent)
				}
				told[f.ID] = true
			}
		})
	}
}

// A tree is what a phone knows of folders.
type tree struct {
	w    *world
	id   syncengine.Phone
	key  syncengine.Key
	show func(syncengine.Folder) bool
	has  map[syncengine.FolderID]string
}

// ask does a FolderSync, whose answer may be lost.
func (p *tree) ask(key syncengine.Key, lost bool) syncengine.HierarchyRound {
	t := p.w.t
	t.Helper()
	round, err := p.w.engine.Hierarchy(t.Context(), p.id, key, p.show)
	if err != nil {
		t.Fatal(err)
	}
	if lost {
		return round
	}
	if key == syncengine.NoKey {
		p.has = map[syncengine.FolderID]string{}
	}
	for _, f := range round.Added {
		if _, ok := p.has[f.ID]; ok || f.Parent != 0 && p.has[f.Parent] == "" {
			t.Errorf("folder %+v comes twice or before its parent", f)
		}
		p.has[f.ID] = f.Name
	}
	for _, f := range round.Updated {
		if p.has[f.ID] == "" {
			t.Errorf("folder %+v is updated and was not added", f)
		}
		p.has[f.ID] = f.Name
	}
	for _, id := range round.Deleted {
		if p.has[id] == "" {
			t.Errorf("folder %v is deleted and was not added", id)
		}
		delete(p.has, id)
	}
	p.key = round.Key
	return round
}

func (p *tree) check(want ...string) {
	t := p.w.t
	t.Helper()
	var got []string
	for _, name := range p.has {
		got = append(got, name)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the phone's folders (-want +got):\n%s", diff)
	}
	if pending, err := p.w.engine.HierarchyPending(t.Context(), p.id, p.show); err != nil || pending {
		t.Errorf("there is something pending: %v, %v", pending, err)
	}
}

func TestHierarchy(t *testing.T) {
	w := newWorld(t)
	w.set(dav(calendar("a", "A"), calendar("b", "B", in("a"))))
	p := &tree{w: w, id: syncengine.Phone{User: user, Device: "P"}}
	if pending, err := w.engine.HierarchyPending(t.Context(), p.id); err != nil || !pending {
		t.Errorf("before the first FolderSync something is pending: %v, %v", pending, err)
	}
	p.ask(syncengine.NoKey, false)
	p.check("A", "B")

	first := p.key
	if r := p.ask(p.key, false); r.Key != first || len(r.Added)+len(r.Updated)+len(r.Deleted) > 0 {
		t.Errorf("nothing new: %+v", r)
	}
	w.set(dav(calendar("a", "A"), calendar("b", "B"), calendar("c", "C")))
	if pending, err := w.engine.HierarchyPending(t.Context(), p.id); err != nil || !pending {
		t.Errorf("with a new folder something is pending: %v, %v", pending, err)
	}
	p.ask(p.key, true)
	w.set(dav(calendar("b", "B 2"), calendar("c", "C")))
	lost := p.ask(p.key, true)
	p.ask(first, false)
	p.check("B 2", "C")
	if p.key == lost.Key {
		t.Errorf("two answers have the key %v", p.key)
	}
	w.set(dav(calendar("b", "B 2"), calendar("c", "C 2")))
	p.ask(p.key, false)
	p.check("B 2", "C 2")

	for _, key := range []syncengine.Key{first, lost.Key, "x", ""} {
		if r, err := w.engine.Hierarchy(t.Context(), p.id, key); !errors.Is(err, syncengine.ErrInvalidKey) {
			t.Errorf("key %q: %+v, %v", key, r, err)
		}
	}
	other := syncengine.Phone{User: user, Device: "Q"}
	if r, err := w.engine.Hierarchy(t.Context(), other, p.key); !errors.Is(err, syncengine.ErrInvalidKey) {
		t.Errorf("another phone's key: %+v, %v", r, err)
	}
	before := p.has
	p.ask(syncengine.NoKey, false)
	if diff := cmp.Diff(before, p.has); diff != "" {
		t.Errorf("beginning anew gives other folders (-before +after):\n%s", diff)
	}
}

func TestHierarchyForOldPhone(t *testing.T) {
	w := newWorld(t)
	w.set(dav(
		backend.Collection{ID: "n", Kind: backend.Notes, Name: "Notes"},
		calendar("a", "A", in("n")),
	))
	p := &tree{
		w: w, id: syncengine.Phone{User: user, Device: "P"},
		show: func(f syncengine.Folder) bool { return f.Kind != backend.Notes && !f.ID.Merged() },
	}
	p.ask(syncengine.NoKey, false)
	p.check("A")
	p.show = nil // it learned a newer version of the protocol
	p.ask(p.key, false)
	p.check("A", "Notes")
}

func TestHierarchyKeepsItems(t *testing.T) {
	w := newWorld(t)
	w.backend.Store(user, "notes", "n", body(1, false, "text"))
	p := w.phone("P", w.folder("notes"))
	p.all()
	for range 2 {
		if _, err := w.engine.Hierarchy(t.Context(), p.id, syncengine.NoKey); err != nil {
			t.Fatal(err)
		}
	}
	key := p.key
	p.all()
	p.check()
	if p.key != key {
		t.Errorf("the key moved from %v to %v", key, p.key)
	}
}

func TestHierarchyGoesOnWhenThePhoneHangsUp(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := syncengine.Phone{User: user, Device: "P"}
	round, err := w.engine.Hierarchy(ctx, p, syncengine.NoKey)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.engine.Hierarchy(t.Context(), p, round.Key); err != nil || again.Key != round.Key {
		t.Errorf("%+v, %v", again, err)
	}
}
