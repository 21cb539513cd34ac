package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	ann = "ann"
	bob = "bob"
)

// update runs change, which must not fail.
func update(t *testing.T, s syncengine.Store, user string, change func(syncengine.Writer) error) {
	t.Helper()
	if err := s.Update(t.Context(), user, change); err != nil {
		t.Fatal(err)
	}
}

// newFolder makes a folder of ann with default values.
func newFolder(t *testing.T, s syncengine.Store, c backend.CollectionID) syncengine.FolderID {
	t.Helper()
	var id syncengine.FolderID
	update(t, s, ann, func(w syncengine.Writer) (err error) {
		id, err = w.SaveFolder(t.Context(), syncengine.FolderRecord{Folder: syncengine.Folder{
			User: ann, Backend: "dav", Collection: c, Kind: backend.Events,
		}})
		return err
	})
	return id
}

func folders(t *testing.T, s syncengine.Store) {
	full := syncengine.FolderRecord{
		Folder: syncengine.Folder{
			User: ann, Backend: "dav", Collection: "/ann/team/", Kind: backend.Tasks, Name: "Wörk",
			Parent: 7, Default: true, ReadOnly: true, Colour: "#102030", Owner: "carol", Role: backend.RoleSent, Zone: "Europe/Vienna",
		},
		Order: 3, Gone: true,
	}
	bare := syncengine.FolderRecord{Folder: syncengine.Folder{User: ann, Backend: "dav", Collection: "/ann/home/"}}
	update(t, s, ann, func(w syncengine.Writer) error {
		for _, f := range []*syncengine.FolderRecord{&full, &bare} {
			id, err := w.SaveFolder(t.Context(), *f)
			if err != nil {
				return err
			}
			f.ID = id
		}
		return nil
	})
	if full.ID <= 0 || bare.ID <= full.ID {
		t.Errorf("IDs are %v and %v", full.ID, bare.ID)
	}
	check := func(want ...syncengine.FolderRecord) {
		t.Helper()
		got, err := s.Folders(t.Context(), ann)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("folders (-want +got):\n%s", diff)
		}
		for _, f := range want {
			if got, err := s.Folder(t.Context(), ann, f.ID); err != nil || got != f {
				t.Errorf("folder %v is %+v, %v, want %+v", f.ID, got, err, f)
			}
		}
	}
	check(full, bare)
	among(t, s, full, bare)
	full.Name, full.Gone, full.Default, full.Order, full.Parent = "Work", false, false, 0, 0
	update(t, s, ann, func(w syncengine.Writer) error {
		id, err := w.SaveFolder(t.Context(), full)
		if id != full.ID {
			t.Errorf("folder %v was saved as %v", full.ID, id)
		}
		return err
	})
	check(full, bare)
}

// FoldersAmong finds those folders that there are.
func among(t *testing.T, s syncengine.Store, full, bare syncengine.FolderRecord) {
	t.Helper()
	many := []syncengine.FolderID{bare.ID}
	for i := range syncengine.MaxAmong { // so that the last is of another question
		many = append(many, full.ID+1000+syncengine.FolderID(i))
	}
	for _, tc := range []struct {
		user string
		ids  []syncengine.FolderID
		want []syncengine.FolderRecord
	}{
		{ann, nil, nil},
		{ann, []syncengine.FolderID{bare.ID}, []syncengine.FolderRecord{bare}},
		{ann, append(many, full.ID), []syncengine.FolderRecord{full, bare}},
		{bob, []syncengine.FolderID{full.ID, bare.ID}, nil},
	} {
		got, err := s.FoldersAmong(t.Context(), tc.user, tc.ids)
		slices.SortFunc(got, func(a, b syncengine.FolderRecord) int { return int(a.ID - b.ID) })
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("among %v of %s are %+v, %v, want %+v", tc.ids, tc.user, got, err, tc.want)
		}
	}
}

func strangers(t *testing.T, s syncengine.Store) {
	id := newFolder(t, s, "/x/")
	if f, err := s.Folder(t.Context(), bob, id); !errors.Is(err, syncengine.ErrNoFolder) {
		t.Errorf("bob sees ann's folder %+v, %v", f, err)
	}
	if list, err := s.Folders(t.Context(), bob); err != nil || len(list) != 0 {
		t.Errorf("bob has folders %+v, %v", list, err)
	}
	if _, err := s.Folder(t.Context(), ann, id+1); !errors.Is(err, syncengine.ErrNoFolder) {
		t.Errorf("a folder that never was: %v", err)
	}
}

func failedUpdate(t *testing.T, s syncengine.Store) {
	no := errors.New("no")
	err := s.Update(t.Context(), ann, func(w syncengine.Writer) error {
		if _, err := w.SaveFolder(t.Context(), syncengine.FolderRecord{Folder: syncengine.Folder{User: ann}}); err != nil {
			return err
		}
		if list, err := w.Folders(t.Context(), ann); err != nil || len(list) != 1 {
			t.Errorf("within the transaction there are folders %v, %v", list, err)
		}
		return no
	})
	if !errors.Is(err, no) {
		t.Errorf("the update answers %v, want the error of change", err)
	}
	if list, err := s.Folders(t.Context(), ann); err != nil || len(list) != 0 {
		t.Errorf("a failed update left %v, %v", list, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Update(ctx, ann, func(syncengine.Writer) error { return nil }); err == nil {
		t.Error("an update works although its context has ended")
	}
}

func updatesInARow(t *testing.T, s syncengine.Store) {
	id := newFolder(t, s, "/x/")
	const writers, rounds = 4, 10
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range rounds {
				err := s.Update(t.Context(), ann, func(w syncengine.Writer) error {
					m, err := w.Mirror(t.Context(), id)
					if err != nil {
						return err
					}
					m.Sequence++
					return w.SaveMirror(t.Context(), id, m)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if m, err := s.Mirror(t.Context(), id); err != nil || m.Sequence != writers*rounds {
		t.Errorf("%d updates led to %d, %v", writers*rounds, m.Sequence, err)
	}
}
