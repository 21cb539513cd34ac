package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

var phone = syncengine.Phone{User: ann, Device: "ABC"}

// others are phones that must not be mixed up with phone.
var others = []syncengine.Phone{{User: bob, Device: "ABC"}, {User: ann, Device: "abc"}}

func savePartnership(t *testing.T, s syncengine.Store, p syncengine.Phone, pa syncengine.Partnership) {
	t.Helper()
	update(t, s, p.User, func(w syncengine.Writer) error { return w.SavePartnership(t.Context(), p, pa) })
}

func partnership(t *testing.T, s syncengine.Store) {
	f := newFolder(t, s, "/x/")
	check := func(want syncengine.Partnership) {
		t.Helper()
		got, err := s.Partnership(t.Context(), phone, f)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("partnership: %v (-want +got):\n%s", err, diff)
		}
		if got, err := s.PresentState(t.Context(), phone, f); err != nil || !cmp.Equal(want.Present, got) {
			t.Errorf("present state: %+v, %v, want %+v", got, err, want.Present)
		}
	}
	if _, err := s.Partnership(t.Context(), phone, f); !errors.Is(err, syncengine.ErrUnknown) {
		t.Errorf("no partnership: %v", err)
	}
	if _, err := s.PresentState(t.Context(), phone, f); !errors.Is(err, syncengine.ErrUnknown) {
		t.Errorf("no state: %v", err)
	}
	big := bytes.Repeat([]byte{0, 0xff}, 100_000)
	full := syncengine.Partnership{
		Folder:  f,
		Present: syncengine.Present{Key: "S-2", Position: 5, Unfinished: true, State: big},
		Before:  syncengine.Before{Key: "S-1", Position: 3, State: []byte{0}},
		Results: []byte("[]"),
	}
	for _, p := range others {
		savePartnership(t, s, p, syncengine.Partnership{Folder: f, Present: syncengine.Present{Key: "other", State: []byte{9}}})
	}
	savePartnership(t, s, phone, full)
	check(full)
	bare := syncengine.Partnership{Folder: f, Present: syncengine.Present{Key: "T-1", State: []byte{1}}}
	savePartnership(t, s, phone, bare)
	check(bare)
	savePartnership(t, s, phone, full)
	full.Present = syncengine.Present{Key: "S-2", Position: 9, State: []byte{2}}
	update(t, s, ann, func(w syncengine.Writer) error { return w.SavePresent(t.Context(), phone, f, full.Present) })
	check(full)
	for range 2 {
		update(t, s, ann, func(w syncengine.Writer) error { return w.DeletePartnership(t.Context(), phone, f) })
	}
	if _, err := s.Partnership(t.Context(), phone, f); !errors.Is(err, syncengine.ErrUnknown) {
		t.Errorf("a deleted partnership: %v", err)
	}
	for _, p := range others {
		if got, err := s.PresentState(t.Context(), p, f); err != nil || got.Key != "other" {
			t.Errorf("partnership of %v: %+v, %v", p, got, err)
		}
	}
}

func standing(t *testing.T, s syncengine.Store) {
	f := newFolder(t, s, "/x/")
	if _, err := s.Standing(t.Context(), phone, f); !errors.Is(err, syncengine.ErrUnknown) {
		t.Errorf("no partnership: %v", err)
	}
	savePartnership(t, s, phone, syncengine.Partnership{
		Folder: f, Present: syncengine.Present{Key: "k", Position: 4, Unfinished: true, State: []byte{1}},
	})
	check := func(want syncengine.Standing) {
		t.Helper()
		if got, err := s.Standing(t.Context(), phone, f); err != nil || got != want {
			t.Errorf("standing is %+v, %v, want %+v", got, err, want)
		}
	}
	check(syncengine.Standing{Position: 4, Unfinished: true})
	update(t, s, ann, func(w syncengine.Writer) error {
		return w.SaveMirror(t.Context(), f, syncengine.Mirror{Sequence: 6})
	})
	check(syncengine.Standing{Position: 4, Sequence: 6, Unfinished: true})
}

// All that a Look asks about at once is what it would be told one by one.
func standings(t *testing.T, s syncengine.Store) {
	ids := []syncengine.FolderID{0}
	want := []syncengine.FolderStanding{{Told: []byte("folders"), Standing: syncengine.Standing{Unfinished: true}}}
	savePartnership(t, s, phone, syncengine.Partnership{Present: syncengine.Present{Key: "k", Unfinished: true, State: []byte("folders")}})
	for i := range 2*syncengine.MaxAmong + 1 {
		f := newFolder(t, s, backend.CollectionID(fmt.Sprintf("/%d/", i)))
		ids = append(ids, f)
		for _, p := range others {
			savePartnership(t, s, p, syncengine.Partnership{Folder: f, Present: syncengine.Present{Key: "k", Position: 99, State: []byte{1}}})
		}
		if i == 1 {
			continue // the phone never asked
		}
		savePartnership(t, s, phone, syncengine.Partnership{Folder: f, Present: syncengine.Present{Key: "k", Position: int64(i), Unfinished: i == 3, State: []byte{1}}})
		update(t, s, ann, func(w syncengine.Writer) error { return w.SaveMirror(t.Context(), f, syncengine.Mirror{Sequence: 50}) })
		want = append(want, syncengine.FolderStanding{Folder: f, Standing: syncengine.Standing{Position: int64(i), Sequence: 50, Unfinished: i == 3}})
	}
	for _, n := range []int{0, 1, 2, syncengine.MaxAmong, syncengine.MaxAmong + 1, len(ids)} {
		got, err := s.Standings(t.Context(), phone, ids[:n])
		some := slices.DeleteFunc(slices.Clone(want), func(w syncengine.FolderStanding) bool { return !slices.Contains(ids[:n], w.Folder) })
		slices.SortFunc(got, func(a, b syncengine.FolderStanding) int { return int(a.Folder - b.Folder) })
		if diff := cmp.Diff(some, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("standings in %d folders: %v (-want +got):\n%s", n, err, diff)
		}
	}
}

func foremost(t *testing.T, s syncengine.Store) {
	f, other := newFolder(t, s, "/x/"), newFolder(t, s, "/y/")
	check := func(want int64) {
		t.Helper()
		if got, err := s.Foremost(t.Context(), f); err != nil || got != want {
			t.Errorf("the foremost position is %d, %v, want %d", got, err, want)
		}
	}
	check(0)
	for i, p := range append(others, phone) {
		savePartnership(t, s, p, syncengine.Partnership{Folder: f, Present: syncengine.Present{Key: "k", Position: 9 - int64(i), State: []byte{1}}})
	}
	savePartnership(t, s, phone, syncengine.Partnership{Folder: other, Present: syncengine.Present{Key: "k", Position: 99, State: []byte{1}}})
	check(9)
	update(t, s, others[0].User, func(w syncengine.Writer) error { return w.DeletePartnerships(t.Context(), others[0]) })
	check(8)
}

func saveAnswer(t *testing.T, s syncengine.Store, p syncengine.Phone, request, led, body string) {
	t.Helper()
	update(t, s, p.User, func(w syncengine.Writer) error {
		return w.SaveAnswer(t.Context(), p, syncengine.Answer{Request: []byte(request), Led: []byte(led), Body: []byte(body)})
	})
}

func answers(t *testing.T, s syncengine.Store) {
	check := func(request, led, body string) {
		t.Helper()
		got, err := s.Answer(t.Context(), phone, []byte(request))
		if err != nil || string(got.Request) != request || string(got.Led) != led || string(got.Body) != body {
			t.Errorf("answer to %q is %q, %v, want %q and %q", request, got, err, led, body)
		}
	}
	if got, err := s.Answer(t.Context(), phone, []byte("a")); err != nil || got.Request != nil {
		t.Errorf("no answer: %q, %v", got, err)
	}
	saveAnswer(t, s, phone, "a", "la", "body of a")
	saveAnswer(t, s, phone, "b", "lb", "")
	for _, p := range others {
		saveAnswer(t, s, p, "a", "other", "other")
	}
	check("a", "la", "body of a")
	check("b", "lb", "")
	saveAnswer(t, s, phone, "a", "la2", "body 2")
	check("a", "la2", "body 2")
	list, err := s.Answers(t.Context(), phone)
	if diff := cmp.Diff([]syncengine.Answer{
		{Request: []byte("a"), Led: []byte("la2")}, {Request: []byte("b"), Led: []byte("lb")},
	}, list); err != nil || diff != "" {
		t.Errorf("answers: %v (-want +got):\n%s", err, diff)
	}
	update(t, s, ann, func(w syncengine.Writer) error { return w.DeleteAnswer(t.Context(), phone, []byte("a")) })
	if got, err := s.Answer(t.Context(), phone, []byte("a")); err != nil || got.Request != nil {
		t.Errorf("a deleted answer: %q, %v", got, err)
	}
	check("b", "lb", "")
}

func forgottenPhone(t *testing.T, s syncengine.Store) {
	f := newFolder(t, s, "/x/")
	for _, p := range append(others, phone) {
		saveAnswer(t, s, p, "a", "l", "b")
		savePartnership(t, s, p, syncengine.Partnership{Folder: f, Present: syncengine.Present{Key: "k", State: []byte{1}}})
	}
	update(t, s, ann, func(w syncengine.Writer) error { return w.DeletePartnerships(t.Context(), phone) })
	for _, p := range append(others, phone) {
		_, err := s.Standing(t.Context(), p, f)
		a, err2 := s.Answer(t.Context(), p, []byte("a"))
		if there := err == nil && a.Request != nil; there != (p != phone) || err2 != nil {
			t.Errorf("of %v there is still something: %v; %v, %v, %v", p, there, err, a, err2)
		}
	}
}
