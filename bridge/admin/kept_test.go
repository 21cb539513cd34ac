package admin_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
)

// papers are a store of documents without a disk.
type papers map[string]map[string][]byte

func (p papers) Documents(_ context.Context, kind string) (map[string][]byte, error) {
	return maps.Clone(p[kind]), nil
}

func (p papers) SaveDocument(_ context.Context, kind, name string, record []byte) error {
	if p[kind] == nil {
		p[kind] = map[string][]byte{}
	}
	p[kind][name] = record
	if record == nil {
		delete(p[kind], name)
	}
	return nil
}

// newRuledDesk is a desk with a rulebook, where two persons have to want a phone
// erased if two says so.
func newRuledDesk(t *testing.T, two bool) (desk, *rulebook.Book) {
	t.Helper()
	book, err := rulebook.Open(t.Context(), papers{}, rulebook.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, func(o *admin.Options) { o.Rules = book })
	d.Security = device.New(device.Options{Store: d.store, Rules: book, TwoPersons: two})
	return d, book
}

// step is an operation about ann's phone, and how it ends.
type step struct {
	name string
	do   func(context.Context, desk) error
	want admin.Kind // "" means well
}

func about[Q, A any](name string, op admin.Op[Q, A], a admin.Actor, q Q, want admin.Kind) step {
	return step{name, func(ctx context.Context, d desk) error { _, err := op.Do(ctx, d.Server, a, q); return err }, want}
}

// An order to erase a phone is not lost by what else is done about it, but taken
// back by somebody.
func TestOrdersAreKept(t *testing.T) {
	second := admin.Actor{Name: "joe", Roles: []admin.Role{admin.SecurityAdministrator}}
	phone := admin.PhoneRequest{User: "ann", Device: "P"}
	erase := about("order", admin.OpWipe, boss, admin.WipeRequest{User: "ann", Device: "P"}, "")
	cancel := about("take back", admin.OpWipe, boss, admin.WipeRequest{User: "ann", Device: "P", Cancel: true}, "")
	list := func(want admin.Kind) step {
		return about("list", admin.OpSetListed, boss, admin.ListRequest{Device: "P"}, want)
	}
	forget := func(want admin.Kind) step { return about("forget", admin.OpForget, boss, phone, want) }
	confirm := func(want admin.Kind) step { return about("confirm", admin.OpConfirmWipe, second, phone, want) }
	for _, tc := range []struct {
		name  string
		two   bool
		steps []step
		state device.WipeState
		gone  bool // the phone is forgotten
	}{
		{"forgotten while it is to be erased", false, []step{erase, forget(admin.Invalid)}, device.WipePending, false},
		{"forgotten before the second word", true, []step{erase, forget(admin.Invalid), confirm("")}, device.WipePending, false},
		{"forgotten after that was taken back", false, []step{erase, cancel, forget("")}, "", true},
		{"listed while it is to be erased", false, []step{erase, list(admin.Invalid)}, device.WipePending, false},
		{"to be erased while it is listed", false, []step{list(""), about("order", admin.OpWipe, boss, admin.WipeRequest{User: "ann", Device: "P"}, admin.Invalid)}, "", false},
		{"listed before the second word", true, []step{erase, list(""), confirm(admin.Invalid)}, device.WipeRequested, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, _ := newRuledDesk(t, tc.two)
			for _, s := range tc.steps {
				err := s.do(t.Context(), d)
				e, _ := errors.AsType[*admin.Error](err)
				if ended := e != nil; ended != (s.want != "") || ended && e.Kind != s.want {
					t.Fatalf("%s ends with %v, want %q", s.name, err, s.want)
				}
			}
			p, err := d.store.Phone(t.Context(), device.ID{User: "ann", Device: "P"})
			if gone := errors.Is(err, device.ErrUnknown); gone != tc.gone || !gone && err != nil || p.Wipe.State != tc.state {
				t.Errorf("the order is %q (%v), want %q", p.Wipe.State, err, tc.state)
			}
		})
	}
}

// What another worker stored counts, though it does not hold here yet.
func TestOrderForPhoneThatIsBeingListed(t *testing.T) {
	d, book := newRuledDesk(t, false)
	_, err := book.Edit(t.Context(), func(s *rulebook.State) error {
		s.Listed["P"] = rulebook.Listing{By: "joe"}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.OpWipe.Do(t.Context(), d.Server, boss, admin.WipeRequest{User: "ann", Device: "P"}); err == nil || !strings.Contains(err.Error(), "block list") {
		t.Errorf("the order, of which the phone cannot hear, ends with %v", err)
	}
}
