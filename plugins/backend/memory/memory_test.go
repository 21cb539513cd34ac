package memory_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/backendtest"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

var ann = backend.Credentials{User: "ann", Password: "secret"}

func TestConformance(t *testing.T) {
	b := memory.New()
	b.AddUser(ann.User, ann.Password)
	for _, c := range memory.DefaultCollections() {
		c.Default, c.Name, c.ID = false, c.Name+" at work", c.ID+"-work"
		b.SetCollection(ann.User, c)
		c.ReadOnly, c.Name, c.ID = true, c.Name+", archive", c.ID+"-archive"
		b.SetCollection(ann.User, c)
	}
	b.AddUser("ono", "secret", memory.MailCollections()...)
	b.SetIdentity("ono", backend.Identity{Addresses: []string{"ono@pushbridge.example"}})
	backendtest.Run(t, backendtest.Suite{
		Backend:     b,
		Credentials: ann,
		Outside: func(_ *testing.T, c backend.CollectionID, name string, body []byte) {
			b.Store(ann.User, c, backend.ItemID(name), body)
		},
		Correspondent: "ono@pushbridge.example",
		Sender:        "ann@pushbridge.example",
		Arrived: func(t *testing.T, text string) []byte {
			for _, body := range b.Items("ono", "inbox") {
				if bytes.Contains(body, []byte(text)) {
					return body
				}
			}
			t.Fatal("no message has arrived")
			return nil
		},
		Expire: func(_ *testing.T, c backend.CollectionID) { b.Expire(ann.User, c) },
		Unreadable: func(t *testing.T, c backend.CollectionID, id backend.ItemID) {
			b.Fail(memory.Failure{Collection: c, Item: id, Times: -1, Err: backend.Errorf(backend.Other, "memory: Get", "unreadable")})
			t.Cleanup(b.Mend)
		},
	})
}

func TestFailures(t *testing.T) {
	boom := backend.Errorf(backend.Transient, "memory", "boom")
	tests := []struct {
		name     string
		failure  memory.Failure
		listed   int
		listErr  error
		then     error // of the listing after that
		fetched  int
		fetchErr error
	}{
		{"once", memory.Failure{Op: memory.OpChanges, Err: boom}, 0, boom, nil, 3, nil},
		{"twice", memory.Failure{Op: memory.OpChanges, Times: 2, Err: boom}, 0, boom, boom, 3, nil},
		{"midway", memory.Failure{Op: memory.OpChanges, Midway: true, After: 2, Err: boom}, 2, boom, nil, 3, nil},
		{"get midway", memory.Failure{Op: memory.OpGet, Midway: true, After: 1, Err: boom}, 3, nil, nil, 1, boom},
		{"another collection", memory.Failure{Collection: "tasks", Err: boom}, 3, nil, nil, 3, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := memory.New()
			b.AddUser(ann.User, ann.Password)
			ids := []backend.ItemID{"a", "b", "c"}
			for _, id := range ids {
				b.Store(ann.User, "contacts", id, []byte("x"))
			}
			s, err := b.Open(t.Context(), ann)
			if err != nil {
				t.Fatal(err)
			}
			b.Fail(test.failure)
			listed, fetched := 0, 0
			count := func(batch []backend.Change) error { listed += len(batch); return nil }
			_, err = s.Changes(t.Context(), "contacts", "", count)
			if !errors.Is(err, test.listErr) || listed != test.listed {
				t.Errorf("Changes: %d listed, error %v; want %d, %v", listed, err, test.listed, test.listErr)
			}
			if _, err = s.Changes(t.Context(), "contacts", "", count); !errors.Is(err, test.then) {
				t.Errorf("Changes after that: error %v, want %v", err, test.then)
			}
			err = s.Get(t.Context(), "contacts", ids, func(backend.Fetched) error { fetched++; return nil })
			if !errors.Is(err, test.fetchErr) || fetched != test.fetched {
				t.Errorf("Get: %d fetched, error %v; want %d, %v", fetched, err, test.fetched, test.fetchErr)
			}
		})
	}
}

func TestOpenReadsSettings(t *testing.T) {
	b, err := memory.Open(t.Context(), backend.Settings{"users": map[string]any{"ann": "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open(t.Context(), ann); err != nil {
		t.Error(err)
	}
	_, err = memory.Open(t.Context(), backend.Settings{"user": "ann"})
	want := `user is not known; did you mean "users"?; users must be set`
	if err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}

// A call that fails midway has done what it says that it did not do.
func TestDoneAndDenied(t *testing.T) {
	b := memory.New()
	b.AddUser(ann.User, ann.Password, memory.MailCollections()...)
	s, err := b.Open(t.Context(), ann)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	down := backend.Errorf(backend.Transient, "test", "down")
	b.Fail(memory.Failure{Op: memory.OpPut, Collection: "inbox", Midway: true, Err: down})
	b.Fail(memory.Failure{Op: memory.OpMove, Midway: true, Err: down})
	for _, want := range []backend.Kind{backend.Transient, backend.Conflict} {
		if _, err := s.Put(t.Context(), "inbox", backend.Item{ID: "m", Body: []byte("Subject: m\r\n\r\n")}); backend.KindOf(err) != want {
			t.Errorf("Put: %v, want the kind %v", err, want)
		}
	}
	for _, want := range []backend.Kind{backend.Transient, backend.NotFound} {
		if _, err := s.Move(t.Context(), "inbox", "m.eml", "sent"); backend.KindOf(err) != want {
			t.Errorf("Move: %v, want the kind %v", err, want)
		}
	}
	if n := len(b.Items(ann.User, "sent")); n != 1 {
		t.Errorf("%d messages were moved", n)
	}
}
