package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/outbox"
)

// letters: what is noted of a mail is found by its name, is nobody else's, and of
// a phone's the oldest go when there are too many.
func letters(t *testing.T, s outbox.Store, phones device.Store) {
	ctx := t.Context()
	one := outbox.Letter{User: ann, Device: phone.Device, Name: "1"}
	change := func(l outbox.Letter, f func(*outbox.Record) error) {
		t.Helper()
		if err := s.ChangeLetter(ctx, l, f); err != nil {
			t.Fatal(err)
		}
	}
	check := func(l outbox.Letter, want outbox.Record) {
		t.Helper()
		want.Name = l.Name
		errLooked := errors.New("looked")
		var got outbox.Record
		err := s.ChangeLetter(ctx, l, func(r *outbox.Record) error { got = *r; r.State = outbox.Done; return errLooked })
		if diff := cmp.Diff(want, got); !errors.Is(err, errLooked) || diff != "" {
			t.Errorf("%v: %v (-want +got)\n%s", l, err, diff)
		}
	}
	begun := outbox.Record{State: outbox.Begun, Holder: "w", At: time.Unix(1_800_000_000, 0)}
	set := func(to outbox.Record) func(*outbox.Record) error {
		return func(r *outbox.Record) error { to.Name = r.Name; *r = to; return nil }
	}
	check(one, outbox.Record{})
	change(one, set(begun))
	check(one, begun)
	for _, l := range []outbox.Letter{{User: bob, Device: one.Device, Name: "1"}, {User: ann, Device: "other", Name: "1"}, {User: ann, Device: one.Device, Name: "2"}} {
		check(l, outbox.Record{})
		change(l, set(outbox.Record{State: outbox.Done, Holder: "v", At: time.Unix(1, 0)}))
	}
	taken := outbox.Record{State: outbox.Taken, Holder: "v", At: time.Unix(1_800_000_001, 0)}
	change(one, set(taken))
	check(one, taken)
	change(one, set(outbox.Record{}))
	check(one, outbox.Record{})

	for i := range outbox.MaxLetters {
		change(outbox.Letter{User: ann, Device: one.Device, Name: fmt.Sprint("n", i)}, set(begun))
	}
	check(outbox.Letter{User: ann, Device: one.Device, Name: "2"}, outbox.Record{})
	other := outbox.Letter{User: ann, Device: "other", Name: "1"}
	check(other, outbox.Record{State: outbox.Done, Holder: "v", At: time.Unix(1, 0)})
	if err := phones.Forget(ctx, device.ID{User: ann, Device: "other"}); err != nil {
		t.Fatal(err)
	}
	check(other, outbox.Record{})
	check(outbox.Letter{User: ann, Device: one.Device, Name: "n0"}, begun)
}
