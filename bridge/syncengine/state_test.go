package syncengine

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

func fullState() *state {
	s := newState()
	s.position = 1 << 40
	s.held.AddRange(1, 70_000)
	s.held.Remove(77)
	s.own[77] = `"etag"`
	s.filter = Filter{Since: time.Unix(1_700_000_000, 5), Open: true}
	s.window, s.open, s.opening = End{-5, 9}, true, 12
	s.settings = []byte{0, 0xff}
	return s
}

// same compares all that a state has.
func same(t *testing.T, want, got *state) {
	t.Helper()
	type visible struct {
		Position int64
		Own      map[Number]backend.Revision
		Filter   Filter
		Progress [3]any
		Settings []byte
	}
	see := func(s *state) visible {
		return visible{s.position, s.own, s.filter, [3]any{s.window, s.open, s.opening}, s.settings}
	}
	if diff := cmp.Diff(see(want), see(got)); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if !want.held.Equals(got.held) {
		t.Errorf("held: %d items, want %d", got.held.GetCardinality(), want.held.GetCardinality())
	}
}

func TestStateSurvives(t *testing.T) {
	for name, s := range map[string]*state{"empty": newState(), "full": fullState()} {
		t.Run(name, func(t *testing.T) {
			b, err := s.encode()
			if err != nil {
				t.Fatal(err)
			}
			before := bytes.Clone(b)
			got, err := decodeState(b)
			if err != nil {
				t.Fatal(err)
			}
			same(t, s, got)
			got.held.Remove(1000)
			got.held.Add(77)
			got.held.AddRange(100_000, 100_010)
			if !bytes.Equal(before, b) {
				t.Error("what is done to a state alters the bytes that it was read from")
			}
		})
	}
}

func TestNextKey(t *testing.T) {
	for _, tc := range []struct{ key, next Key }{
		{"ABC-1", "ABC-2"},
		{"ABC-9", "ABC-10"},
		{"ABC-18446744073709551614", "ABC-18446744073709551615"},
	} {
		if got := tc.key.next(); got != tc.next {
			t.Errorf("after %q comes %q, want %q", tc.key, got, tc.next)
		}
	}
	if a, b := newSeries(), newSeries(); a == b || len(a) > 40 {
		t.Errorf("series %q and %q", a, b)
	}
}

// FuzzDecodeState: whatever is in the database, it is a state or an error; and
// a state is the same after it was written once more.
func FuzzDecodeState(f *testing.F) {
	for _, s := range []*state{newState(), fullState()} {
		b, err := s.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decodeState(b)
		if err != nil {
			return
		}
		b, err = s.encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeState(b)
		if err != nil {
			t.Fatal(err)
		}
		same(t, s, again)
	})
}
