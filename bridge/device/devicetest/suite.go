package devicetest

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
)

// Run checks every promise of device.Store. open answers an empty store.
func Run(t *testing.T, open func(*testing.T) device.Store) {
	for _, tc := range []struct {
		name string
		test func(*testing.T, device.Store)
	}{
		{"an unknown phone", unknown},
		{"every field comes back", everyField},
		{"a failed update changes nothing", failedUpdate},
		{"updates do not overtake each other", concurrent},
		{"one device of two users is two phones", twoUsers},
		{"the list is sorted", sorted},
		{"values are remembered", values},
		{"a phone is forgotten", forgotten},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.test(t, open(t)) })
	}
}

var ann = device.ID{User: "ann@example.org", Device: "ABC123"}

func unknown(t *testing.T, s device.Store) {
	if _, err := s.Phone(t.Context(), ann); !errors.Is(err, device.ErrUnknown) {
		t.Errorf("error = %v, want %v", err, device.ErrUnknown)
	}
	if list, err := s.Phones(t.Context(), ann.User); err != nil || len(list) != 0 {
		t.Errorf("list = %v, %v, want none", list, err)
	}
	if err := s.Forget(t.Context(), ann); err != nil {
		t.Errorf("forgetting an unknown phone: %v", err)
	}
}

// full is a phone with a value in every field.
func full(id device.ID) device.Phone {
	return device.Phone{
		ID: id, Type: "iPhone", UserAgent: "Apple-iPhone/1", Version: "16.1",
		Information: device.Information{
			Model: "iPhone 15", IMEI: "123456789012345", FriendlyName: "Änns 📱", OS: "iOS 18",
			OSLanguage: "de", PhoneNumber: "+491701234567", Operator: "Example", Agent: "Agent/2", OutboundSMS: "1",
		},
		FirstSeen: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), LastSeen: time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC),
		Policy: device.Policy{
			Temporary: 1<<32 - 1, Key: 1 << 31, Revision: "r2", Accepted: "r1", Status: 2, When: time.Unix(1_790_000_000, 0).UTC(),
			Turns: device.Turns{Since: time.Unix(1_790_000_001, 0).UTC(), Told: 1, Asks: 2, Accepts: 3, Refusals: 4,
				Loop: device.LoopKeyless, LoopSince: time.Unix(1_790_000_002, 0).UTC()},
		},
		Blocked: true, BlockedWhy: "lost",
		Wipe: device.Wipe{Order: device.WipeAccount, State: device.WipeFailed, By: "root", Ordered: time.Unix(1_790_000_003, 0).UTC(),
			Sent: time.Unix(1_790_000_004, 0).UTC(), Ended: time.Unix(1_790_000_005, 0).UTC(), Tries: 2},
	}
}

// same compares phones; times count to the second, in any zone.
func same(a, b device.Phone) bool {
	times := a.FirstSeen.Truncate(time.Second).Equal(b.FirstSeen.Truncate(time.Second)) &&
		a.LastSeen.Truncate(time.Second).Equal(b.LastSeen.Truncate(time.Second))
	a.FirstSeen, a.LastSeen, b.FirstSeen, b.LastSeen = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return times && a == b
}

func save(t *testing.T, s device.Store, p device.Phone) {
	t.Helper()
	got, err := s.Update(t.Context(), p.ID, func(to *device.Phone, _ bool) error { *to = p; return nil })
	if err != nil {
		t.Fatalf("update: %v", err)
	}
	if !same(got, p) {
		t.Errorf("Update answers %+v, want %+v", got, p)
	}
}

func everyField(t *testing.T, s device.Store) {
	want := full(ann)
	save(t, s, want)
	if got, err := s.Phone(t.Context(), ann); err != nil || !same(got, want) {
		t.Errorf("phone = %+v, %v, want %+v", got, err, want)
	}
	_, err := s.Update(t.Context(), ann, func(p *device.Phone, known bool) error {
		if !known || !same(*p, want) {
			t.Errorf("Update gives %+v, known %v, want %+v", *p, known, want)
		}
		*p = device.Phone{ID: ann}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Phone(t.Context(), ann); err != nil || !same(got, device.Phone{ID: ann}) {
		t.Errorf("phone = %+v, %v, want nothing but its ID", got, err)
	}
}

func failedUpdate(t *testing.T, s device.Store) {
	no := errors.New("no")
	refuse := func(p *device.Phone, _ bool) error { p.Type = "x"; return no }
	if _, err := s.Update(t.Context(), ann, refuse); !errors.Is(err, no) {
		t.Errorf("error = %v, want that of change", err)
	}
	if _, err := s.Phone(t.Context(), ann); !errors.Is(err, device.ErrUnknown) {
		t.Errorf("error = %v, want that nothing was stored", err)
	}
	save(t, s, full(ann))
	if p, err := s.Update(t.Context(), ann, refuse); !errors.Is(err, no) || !same(p, full(ann)) {
		t.Errorf("refused update answers %+v, %v, want the phone as it is", p, err)
	}
	if p, err := s.Phone(t.Context(), ann); err != nil || p.Type != "iPhone" {
		t.Errorf("type = %q, %v, want it unchanged", p.Type, err)
	}
}

func concurrent(t *testing.T, s device.Store) {
	const times = 40
	var all sync.WaitGroup
	for range times {
		all.Go(func() {
			_, err := s.Update(t.Context(), ann, func(p *device.Phone, _ bool) error { p.Policy.Key++; return nil })
			if err != nil {
				t.Errorf("update: %v", err)
			}
		})
	}
	all.Wait()
	if p, err := s.Phone(t.Context(), ann); err != nil || p.Policy.Key != times {
		t.Errorf("%d of %d updates are there, %v\nTwo requests of one phone would undo each other.", p.Policy.Key, times, err)
	}
}

func twoUsers(t *testing.T, s device.Store) {
	bob := device.ID{User: "bob", Device: ann.Device}
	save(t, s, full(ann))
	save(t, s, device.Phone{ID: bob, Type: "Android", FirstSeen: time.Unix(1, 0), LastSeen: time.Unix(2, 0)})
	if err := s.Forget(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Phone(t.Context(), ann); err != nil || p.Type != "iPhone" {
		t.Errorf("phone = %+v, %v, want that of the other account untouched", p, err)
	}
}

func sorted(t *testing.T, s device.Store) {
	for i, name := range []string{"old", "new", "middle"} {
		seen := time.Unix([]int64{1000, 3000, 2000}[i], 0)
		save(t, s, device.Phone{ID: device.ID{User: "ann", Device: name}, FirstSeen: seen, LastSeen: seen})
	}
	save(t, s, device.Phone{ID: device.ID{User: "bob", Device: "bobs"}, FirstSeen: time.Unix(1, 0), LastSeen: time.Unix(2500, 0)})
	for _, tc := range []struct {
		user string
		want []string
	}{{"ann", []string{"new", "middle", "old"}}, {"", []string{"new", "bobs", "middle", "old"}}, {"nobody", nil}} {
		list, err := s.Phones(t.Context(), tc.user)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range list {
			got = append(got, p.Device)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("phones of %q are %q, want %q", tc.user, got, tc.want)
		}
	}
}

func values(t *testing.T, s device.Store) {
	recall := func(id device.ID, name, want string, there bool) {
		t.Helper()
		got, err := s.Recall(t.Context(), id, name)
		if err != nil || string(got) != want || (got != nil) != there {
			t.Errorf("%q of %v is %q (there: %v), %v, want %q", name, id, got, got != nil, err, want)
		}
	}
	remember := func(name string, value []byte) {
		t.Helper()
		if err := s.Remember(t.Context(), ann, name, value); err != nil {
			t.Fatal(err)
		}
	}
	recall(ann, "ping", "", false)
	long := strings.Repeat("\x00\xff", device.MaxValue/2)
	remember("ping", []byte("one"))
	remember("ping", []byte(long))
	remember("sync", []byte("three"))
	recall(ann, "ping", long, true)
	recall(ann, "sync", "three", true)
	recall(device.ID{User: "bob", Device: ann.Device}, "ping", "", false)
	remember("empty", []byte{})
	some := func(id device.ID, names []string, want map[string][]byte) {
		t.Helper()
		if got, err := s.RecallSome(t.Context(), id, names...); err != nil || !maps.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%q of %v are %.80q, %v, want %.80q", names, id, got, err, want)
		}
	}
	some(ann, []string{"sync"}, map[string][]byte{"sync": []byte("three")})
	some(ann, []string{"nothing", "sync", "ping", "empty"}, map[string][]byte{"sync": []byte("three"), "ping": []byte(long), "empty": {}})
	some(ann, []string{"nothing"}, nil)
	some(device.ID{User: "bob", Device: ann.Device}, []string{"ping", "sync"}, nil)
	remember("ping", nil)
	recall(ann, "ping", "", false)
	recall(ann, "sync", "three", true)
	some(ann, []string{"ping", "sync"}, map[string][]byte{"sync": []byte("three")})
}

func forgotten(t *testing.T, s device.Store) {
	save(t, s, full(ann))
	if n, err := s.Count(t.Context()); err != nil || n != 1 {
		t.Errorf("%d phones, %v, are counted where there is one", n, err)
	}
	if err := s.Remember(t.Context(), ann, "ping", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := s.Forget(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Phone(t.Context(), ann); !errors.Is(err, device.ErrUnknown) {
		t.Errorf("error = %v, want %v", err, device.ErrUnknown)
	}
	if n, err := s.Count(t.Context()); err != nil || n != 0 {
		t.Errorf("%d phones, %v, are counted when the only one is forgotten", n, err)
	}
	if v, err := s.Recall(t.Context(), ann, "ping"); err != nil || v != nil {
		t.Errorf("a forgotten phone's value is %q, %v, want none", v, err)
	}
}
