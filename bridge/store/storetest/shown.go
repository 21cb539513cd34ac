package storetest

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

func holdings(n int, what string) []syncengine.Holding {
	var list []syncengine.Holding
	for i := range n {
		list = append(list, syncengine.Holding{Number: syncengine.Number(i + 1), Held: fmt.Appendf(nil, "%s%d", what, i+1)})
	}
	return list
}

// shown: what a phone holds is kept one round back, however many items there
// are, and nobody else's is touched.
func shown(t *testing.T, s syncengine.Store) {
	f := newFolder(t, s, "/x/")
	save := func(p syncengine.Phone, round int64, items ...syncengine.Holding) {
		t.Helper()
		update(t, s, p.User, func(w syncengine.Writer) error { return w.SaveShown(t.Context(), p, f, round, items) })
	}
	check := func(n syncengine.Number, want syncengine.Shown) {
		t.Helper()
		got, err := s.Shown(t.Context(), phone, f, n)
		if err != nil || got.Round != want.Round || !bytes.Equal(got.Held, want.Held) || !bytes.Equal(got.Before, want.Before) {
			t.Errorf("of %d: %+v, %v, want %+v", n, got, err, want)
		}
	}
	for _, p := range others {
		save(p, 9, holdings(100, "other")...)
	}
	check(1, syncengine.Shown{})
	save(phone, 2, holdings(70, "a")...)
	check(70, syncengine.Shown{Round: 2, Held: []byte("a70")})
	save(phone, 3, syncengine.Holding{Number: 1, Held: []byte("b")}, syncengine.Holding{Number: 2}, syncengine.Holding{Number: 71, Held: []byte("b71")}, syncengine.Holding{Number: 99})
	check(1, syncengine.Shown{Round: 3, Held: []byte("b"), Before: []byte("a1")})
	check(2, syncengine.Shown{Round: 3, Before: []byte("a2")})
	check(3, syncengine.Shown{Round: 2, Held: []byte("a3")})
	check(99, syncengine.Shown{})

	update(t, s, ann, func(w syncengine.Writer) error { return w.RevertShown(t.Context(), phone, f, 2) })
	check(1, syncengine.Shown{Round: 2, Held: []byte("a1")})
	check(2, syncengine.Shown{Round: 2, Held: []byte("a2")})
	check(71, syncengine.Shown{})

	save(phone, 4, syncengine.Holding{Number: 2})
	check(2, syncengine.Shown{Round: 4, Before: []byte("a2")})
	save(phone, 5, syncengine.Holding{Number: 3, Held: []byte("c")})
	check(2, syncengine.Shown{})

	update(t, s, ann, func(w syncengine.Writer) error { return w.ForgetShown(t.Context(), phone, f) })
	check(1, syncengine.Shown{})
	for _, p := range others {
		if got, err := s.Shown(t.Context(), p, f, 70); err != nil || string(got.Held) != "other70" {
			t.Errorf("of %v: %+v, %v", p, got, err)
		}
	}
}

// tries: those of a round are found again, and go with the next one's.
func tries(t *testing.T, s syncengine.Store) {
	f := newFolder(t, s, "/x/")
	save := func(p syncengine.Phone, round int64, tries map[string][]byte) {
		t.Helper()
		update(t, s, p.User, func(w syncengine.Writer) error { return w.SaveTries(t.Context(), p, f, round, tries) })
	}
	check := func(round int64, want map[string][]byte) {
		t.Helper()
		got, err := s.Tries(t.Context(), phone, f, round)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("round %d: %v (-want +got)\n%s", round, err, diff)
		}
	}
	for _, p := range others {
		save(p, 2, map[string][]byte{"1": []byte("other")})
	}
	check(2, nil)
	save(phone, 2, map[string][]byte{"1": []byte("a"), "2": []byte("b")})
	save(phone, 2, map[string][]byte{"1": []byte("c")})
	check(2, map[string][]byte{"1": []byte("c"), "2": []byte("b")})
	check(3, nil)
	save(phone, 3, map[string][]byte{"2": []byte("d")})
	check(2, nil)
	check(3, map[string][]byte{"2": []byte("d")})
}

// forgottenShown: what a phone holds goes with its partnership.
func forgottenShown(t *testing.T, s syncengine.Store) {
	f := newFolder(t, s, "/x/")
	for _, tt := range []struct {
		name   string
		forget func(w syncengine.Writer) error
	}{
		{"one", func(w syncengine.Writer) error { return w.DeletePartnership(t.Context(), phone, f) }},
		{"all", func(w syncengine.Writer) error { return w.DeletePartnerships(t.Context(), phone) }},
	} {
		for _, p := range append(others, phone) {
			savePartnership(t, s, p, syncengine.Partnership{Folder: f, Present: syncengine.Present{Key: "k", State: []byte{1}}})
			update(t, s, p.User, func(w syncengine.Writer) error {
				if err := w.SaveTries(t.Context(), p, f, 1, map[string][]byte{"1": []byte("a")}); err != nil {
					return err
				}
				return w.SaveShown(t.Context(), p, f, 2, holdings(1, "a"))
			})
		}
		update(t, s, ann, tt.forget)
		for _, p := range append(others, phone) {
			held, err1 := s.Shown(t.Context(), p, f, 1)
			tried, err2 := s.Tries(t.Context(), p, f, 1)
			if there := held.Held != nil && tried != nil; there != (p != phone) || (held.Held != nil) != (tried != nil) || err1 != nil || err2 != nil {
				t.Errorf("%s: of %v there is %+v and %q, %v, %v", tt.name, p, held, tried, err1, err2)
			}
		}
		update(t, s, ann, func(w syncengine.Writer) error { return w.ForgetShown(t.Context(), phone, f) })
		for _, p := range others {
			update(t, s, p.User, func(w syncengine.Writer) error { return w.ForgetShown(t.Context(), p, f) })
		}
	}
}
