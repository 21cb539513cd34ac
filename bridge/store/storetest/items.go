package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

func saveItems(t *testing.T, s syncengine.Store, f syncengine.FolderID, items ...syncengine.Item) {
	t.Helper()
	update(t, s, ann, func(w syncengine.Writer) error { return w.SaveItems(t.Context(), f, items) })
}

// item is one whose facts are known.
func item(n syncengine.Number, sequence int64) syncengine.Item {
	return syncengine.Item{
		Number: n, ID: backend.ItemID(fmt.Sprintf("item %d", n)), Revision: "r1", Sequence: sequence,
		Revised: sequence, Known: true, Facts: syncengine.Facts{Ends: syncengine.Forever},
	}
}

// want compares lists of items.
func want(t *testing.T, what string, got []syncengine.Item, err error, want ...syncengine.Item) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if diff := gocmp.Diff(append([]syncengine.Item{}, want...), append([]syncengine.Item{}, got...)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func mirror(t *testing.T, s syncengine.Store) {
	f := newFolder(t, s, "/x/")
	if m, err := s.Mirror(t.Context(), f); err != nil || m != (syncengine.Mirror{}) {
		t.Errorf("a folder that was never listed has the mirror %+v, %v", m, err)
	}
	for _, m := range []syncengine.Mirror{
		{Cursor: "http://x/1", Sequence: math.MaxInt64, Numbers: math.MaxUint32, Touches: 3, Doubt: 4, Zone: "Europe/Vienna"},
		{Sequence: 1},
	} {
		update(t, s, ann, func(w syncengine.Writer) error { return w.SaveMirror(t.Context(), f, m) })
		if got, err := s.Mirror(t.Context(), f); err != nil || got != m {
			t.Errorf("mirror is %+v, %v, want %+v", got, err, m)
		}
	}
}

func itemsNamed(t *testing.T, s syncengine.Store) {
	f, other := newFolder(t, s, "/x/"), newFolder(t, s, "/y/")
	var all []syncengine.Item
	for n := range syncengine.Number(300) {
		it := item(n+1, int64(n+1))
		it.Removed, it.Touched = n%3 == 0, int64(n)
		all = append(all, it)
	}
	saveItems(t, s, f, all[:200]...)
	saveItems(t, s, f, all[200:]...)
	saveItems(t, s, other, item(1, 1))
	for _, count := range []int{0, 1, 2, 16, 17, backend.MaxBatch} {
		var ids []backend.ItemID
		for _, it := range all[:count] {
			ids = append(ids, it.ID)
		}
		got, err := s.ItemsNamed(t.Context(), f, ids)
		slices.SortFunc(got, func(a, b syncengine.Item) int { return cmp.Compare(a.Number, b.Number) })
		want(t, fmt.Sprintf("%d items by name", count), got, err, all[:count]...)
	}
	got, err := s.ItemsNamed(t.Context(), f, []backend.ItemID{"nobody", all[5].ID})
	want(t, "one of two", got, err, all[5])
	if it, err := s.Item(t.Context(), f, 7); err != nil || it != all[6] {
		t.Errorf("item 7 is %+v, %v", it, err)
	}
	if it, err := s.Item(t.Context(), f, 301); !errors.Is(err, syncengine.ErrNoItem) {
		t.Errorf("an item that never was is %+v, %v", it, err)
	}
	changed := all[6]
	changed.ID, changed.Revision, changed.Sequence, changed.Removed, changed.Touched = "successor", "r2", 999, true, 99
	changed.Known, changed.Facts, changed.Revised = false, syncengine.Facts{Ends: -5, Done: true}, 998
	saveItems(t, s, f, changed)
	if it, err := s.Item(t.Context(), f, 7); err != nil || it != changed {
		t.Errorf("item 7 is %+v, %v, want %+v", it, err, changed)
	}
}

func itemsAfter(t *testing.T, s syncengine.Store) {
	f := newFolder(t, s, "/x/")
	a, b, c := item(1, 5), item(2, 3), item(3, 9)
	c.Removed = true
	saveItems(t, s, f, a, b, c)
	got, err := s.ItemsAfter(t.Context(), f, 0, 10)
	want(t, "everything", got, err, b, a, c)
	got, err = s.ItemsAfter(t.Context(), f, 3, 1)
	want(t, "one after 3", got, err, a)
	got, err = s.ItemsAfter(t.Context(), f, 9, 10)
	want(t, "after the last", got, err)
}

func itemsEnding(t *testing.T, s syncengine.Store) {
	f := newFolder(t, s, "/x/")
	ending := func(n syncengine.Number, ends int64) syncengine.Item {
		it := item(n, int64(n))
		it.Ends = ends
		return it
	}
	a, b, c, d, e := ending(1, 30), ending(2, 10), ending(3, 20), ending(4, 20), ending(5, syncengine.Forever)
	gone, unknown, later := ending(6, 20), ending(7, 20), ending(9, 20)
	gone.Removed, unknown.Known = true, false
	saveItems(t, s, f, a, b, c, d, e, gone, unknown, later)
	all, never := syncengine.End{Ends: math.MinInt64}, syncengine.End{Ends: syncengine.Forever}
	at := func(ends int64, n syncengine.Number) syncengine.End { return syncengine.End{Ends: ends, Number: n} }
	for _, tc := range []struct {
		name      string
		from, to  syncengine.End
		backwards bool
		limit     int
		want      []syncengine.Item
	}{
		{"everything that ends", all, never, false, 9, []syncengine.Item{b, c, d, a}},
		{"backwards", all, never, true, 9, []syncengine.Item{a, d, c, b}},
		{"two", all, never, false, 2, []syncengine.Item{b, c}},
		{"two backwards", all, never, true, 2, []syncengine.Item{a, d}},
		{"the beginning belongs to it, the end does not", at(20, 3), at(20, 4), false, 9, []syncengine.Item{c}},
		{"from within one moment", at(20, 4), at(30, 0), false, 9, []syncengine.Item{d}},
		{"empty", at(30, 2), never, false, 9, nil},
	} {
		got, err := s.ItemsEnding(t.Context(), f, tc.from, tc.to, tc.backwards, 8, tc.limit)
		want(t, tc.name, got, err, tc.want...)
	}
}

func itemsDone(t *testing.T, s syncengine.Store) {
	f := newFolder(t, s, "/x/")
	done := func(n syncengine.Number, sequence int64) syncengine.Item {
		it := item(n, sequence)
		it.Done = true
		return it
	}
	a, b, c, gone, later := done(1, 9), done(2, 3), done(4, 4), done(5, 5), done(6, 20)
	gone.Removed = true
	saveItems(t, s, f, a, b, item(3, 6), c, gone, later)
	got, err := s.ItemsDone(t.Context(), f, 0, false, 10, 9)
	want(t, "all", got, err, a, b, c)
	got, err = s.ItemsDone(t.Context(), f, 1, false, 10, 1)
	want(t, "one after 1", got, err, b)
	got, err = s.ItemsDone(t.Context(), f, 4, true, 10, 9)
	want(t, "backwards from 4", got, err, c, b, a)
	got, err = s.ItemsDone(t.Context(), f, 3, true, 10, 1)
	want(t, "one backwards from 3", got, err, b)
}

func itemsUnknown(t *testing.T, s syncengine.Store) {
	f := newFolder(t, s, "/x/")
	unknown := func(n syncengine.Number, sequence int64) syncengine.Item {
		it := item(n, sequence)
		it.Known = false
		return it
	}
	a, b, gone, later := unknown(1, 9), unknown(2, 3), unknown(3, 4), unknown(4, 11)
	gone.Removed = true
	saveItems(t, s, f, a, b, gone, later, item(5, 5))
	got, err := s.ItemsUnknown(t.Context(), f, 10, 9)
	want(t, "all", got, err, b, a)
	got, err = s.ItemsUnknown(t.Context(), f, 10, 1)
	want(t, "one", got, err, b)
}

func facts(t *testing.T, s syncengine.Store) {
	f := newFolder(t, s, "/x/")
	it := item(1, 1)
	it.Known = false
	saveItems(t, s, f, it)
	save := func(rev backend.Revision, facts syncengine.Facts) {
		t.Helper()
		update(t, s, ann, func(w syncengine.Writer) error { return w.SaveFacts(t.Context(), f, 1, rev, facts) })
	}
	save("r0", syncengine.Facts{Ends: 1})
	got, err := s.ItemsUnknown(t.Context(), f, 9, 9)
	want(t, "after facts of another revision", got, err, it)
	it.Known, it.Facts = true, syncengine.Facts{Ends: 77, Done: true, Due: 5}
	save("r1", it.Facts)
	if got, err := s.Item(t.Context(), f, 1); err != nil || got != it {
		t.Errorf("item is %+v, %v, want %+v", got, err, it)
	}
	save("r1", syncengine.Facts{Ends: 78, Due: 6})
	if got, err := s.Item(t.Context(), f, 1); err != nil || got != it {
		t.Errorf("after somebody else's facts the item is %+v, %v, want those that came first: %+v", got, err, it)
	}
}

func itemsDue(t *testing.T, s syncengine.Store) {
	f, other := newFolder(t, s, "/x/"), newFolder(t, s, "/y/")
	due := func(n syncengine.Number, at int64) syncengine.Item {
		it := item(n, int64(n))
		it.Due = at
		return it
	}
	a, b, c, never, gone, going := due(1, 30), due(2, 10), due(3, 20), due(4, 0), due(5, 0), due(6, 15)
	a.Known = false // as long as nobody looks
	gone.Removed = true
	saveItems(t, s, f, a, b, c, never, gone, going)
	saveItems(t, s, other, due(1, 1))
	update(t, s, ann, func(w syncengine.Writer) error {
		return w.RemoveItems(t.Context(), f, []syncengine.Number{6}, 10)
	})
	for _, tc := range []struct {
		by    int64
		limit int
		want  []syncengine.Item
	}{
		{9, 9, nil}, {10, 9, []syncengine.Item{b}}, {25, 9, []syncengine.Item{b, c}}, {syncengine.Forever, 9, []syncengine.Item{b, c, a}},
		{syncengine.Forever, 1, []syncengine.Item{b}},
	} {
		got, err := s.ItemsDue(t.Context(), f, tc.by, tc.limit)
		want(t, fmt.Sprintf("%d due by %d", tc.limit, tc.by), got, err, tc.want...)
	}
	b.Due = 0
	saveItems(t, s, f, b)
	got, err := s.ItemsDue(t.Context(), f, 20, 9)
	want(t, "after one is not due any more", got, err, c)
}

func numbers(t *testing.T, s syncengine.Store) {
	f := newFolder(t, s, "/x/")
	touched, gone := item(2, 2), item(3, 3)
	touched.Touched, gone.Removed = 8, true
	saveItems(t, s, f, item(1, 1), touched, gone)
	got := map[syncengine.Number]int64{}
	err := s.Numbers(t.Context(), f, func(n syncengine.Number, touched int64) { got[n] = touched })
	if diff := gocmp.Diff(map[syncengine.Number]int64{1: 0, 2: 8}, got); err != nil || diff != "" {
		t.Errorf("numbers: %v (-want +got):\n%s", err, diff)
	}
}

func removeItems(t *testing.T, s syncengine.Store) {
	f := newFolder(t, s, "/x/")
	a, b, c := item(1, 1), item(2, 2), item(3, 3)
	saveItems(t, s, f, a, b, c)
	update(t, s, ann, func(w syncengine.Writer) error {
		return w.RemoveItems(t.Context(), f, []syncengine.Number{3, 1}, 10)
	})
	a.Removed, a.Sequence, a.Revised = true, 11, 11
	c.Removed, c.Sequence, c.Revised = true, 10, 10
	got, err := s.ItemsAfter(t.Context(), f, 0, 10)
	want(t, "items", got, err, b, c, a)
}

func purgeItems(t *testing.T, s syncengine.Store) {
	f, other := newFolder(t, s, "/x/"), newFolder(t, s, "/y/")
	removed := func(n syncengine.Number, sequence int64) syncengine.Item {
		it := item(n, sequence)
		it.Removed = true
		return it
	}
	phone := func(device string, position int64, key syncengine.Key, before int64) {
		update(t, s, ann, func(w syncengine.Writer) error {
			return w.SavePartnership(t.Context(), syncengine.Phone{User: ann, Device: device}, syncengine.Partnership{
				Folder:  f,
				Present: syncengine.Present{Key: "k", Position: position, State: []byte{1}},
				Before:  syncengine.Before{Key: key, Position: before},
			})
		})
	}
	a, b, c, d := removed(1, 1), removed(2, 2), item(3, 3), removed(4, 4)
	saveItems(t, s, f, a, b, c, d)
	saveItems(t, s, other, a)
	purge := func(what string, left ...syncengine.Item) {
		t.Helper()
		update(t, s, ann, func(w syncengine.Writer) error { return w.PurgeItems(t.Context(), f) })
		got, err := s.ItemsAfter(t.Context(), f, 0, 10)
		want(t, what, got, err, left...)
	}
	phone("A", 4, "j", 2)
	phone("B", 4, "j", 1)
	purge("one phone may go back to 1", b, c, d)
	phone("B", 3, "", 0)
	purge("one phone may go back to 2", c, d)
	update(t, s, ann, func(w syncengine.Writer) error {
		return w.DeletePartnerships(t.Context(), syncengine.Phone{User: ann, Device: "A"})
	})
	purge("the only phone is at 3", c, d)
	update(t, s, ann, func(w syncengine.Writer) error {
		return w.DeletePartnership(t.Context(), syncengine.Phone{User: ann, Device: "B"}, f)
	})
	purge("there is no phone", c)
	got, err := s.ItemsAfter(t.Context(), other, 0, 10)
	want(t, "the other folder", got, err, a)
}
