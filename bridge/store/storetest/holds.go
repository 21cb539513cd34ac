package storetest

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

func holds(t *testing.T, s syncengine.Store) {
	f, g := newFolder(t, s, "/x/"), newFolder(t, s, "/y/")
	if h, err := s.Hold(t.Context(), f); err != nil || h.Folder != 0 {
		t.Errorf("of a folder that nobody held anything of %+v is held, %v", h, err)
	}
	first := syncengine.HoldRecord{Folder: f, Since: 1_700_000_001, Items: 3, Of: 4, Numbers: []byte{1, 0, 255}}
	second := syncengine.HoldRecord{Folder: g, Since: 1_700_000_000, Items: 5, Of: 6, Numbers: []byte{7}}
	third := second
	third.Since, third.Items, third.Of, third.Numbers = 1_700_000_002, 7, 8, []byte{9}
	for _, h := range []syncengine.HoldRecord{first, second, third} {
		update(t, s, ann, func(w syncengine.Writer) error { return w.SaveHold(t.Context(), h) })
		got, err := s.Hold(t.Context(), h.Folder)
		if diff := gocmp.Diff(h, got); err != nil || diff != "" {
			t.Errorf("a hold came back otherwise: %v (-want +got):\n%s", err, diff)
		}
	}
	list, err := s.Holds(t.Context())
	want := []syncengine.HoldRecord{first, third}
	for i := range want {
		record, err := s.Folder(t.Context(), ann, want[i].Folder)
		if err != nil {
			t.Fatal(err)
		}
		want[i].User, want[i].Name, want[i].Numbers = ann, record.Name, nil
	}
	if diff := gocmp.Diff(want, list); err != nil || diff != "" {
		t.Errorf("the holds of all: %v (-want +got):\n%s", err, diff)
	}
	update(t, s, ann, func(w syncengine.Writer) error {
		record, err := w.Folder(t.Context(), ann, g)
		if err != nil {
			return err
		}
		record.Gone = true
		if _, err := w.SaveFolder(t.Context(), record); err != nil {
			return err
		}
		return w.DeleteHold(t.Context(), f)
	})
	if list, err := s.Holds(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("the holds of no folder that is there: %+v, %v", list, err)
	}
}
