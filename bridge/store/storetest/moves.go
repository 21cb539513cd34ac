package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// moves: what a phone moves is found again by source, number and target, is
// nobody else's, and goes with the phone.
func moves(t *testing.T, s syncengine.Store) {
	save := func(p syncengine.Phone, m syncengine.MoveRecord) {
		t.Helper()
		update(t, s, p.User, func(w syncengine.Writer) error { return w.SaveMove(t.Context(), p, m) })
	}
	check := func(p syncengine.Phone, n syncengine.Number, want syncengine.MoveRecord) {
		t.Helper()
		got, err := s.Move(t.Context(), p, 1, n, 2)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("of %v, %d: %v (-want +got)\n%s", p, n, err, diff)
		}
	}
	one := syncengine.MoveRecord{From: 1, Number: 7, To: 2, ID: "a.vcf", Taken: true, Name: "n"}
	check(phone, 7, syncengine.MoveRecord{})
	save(phone, one)
	check(phone, 7, one)
	for _, p := range others {
		check(p, 7, syncengine.MoveRecord{})
	}
	one.Sum, one.Scattered, one.Copy, one.Result = []byte{0, 1}, true, "n.vcf", 9
	save(phone, one)
	check(phone, 7, one)
	save(phone, syncengine.MoveRecord{From: 1, Number: 7, To: 3, Name: "elsewhere"})
	check(phone, 7, one)
	for _, p := range others {
		save(p, syncengine.MoveRecord{From: 1, Number: 7, To: 2, Name: "theirs"})
	}
	update(t, s, phone.User, func(w syncengine.Writer) error { return w.DeletePartnerships(t.Context(), phone) })
	check(phone, 7, syncengine.MoveRecord{})
	check(others[0], 7, syncengine.MoveRecord{From: 1, Number: 7, To: 2, Name: "theirs"})
}
