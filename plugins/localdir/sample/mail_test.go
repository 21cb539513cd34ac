package sample_test

import (
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/localdir"
	"github.com/pushbridge/pushbridge/plugins/localdir/sample"
)

func TestMail(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	if err := sample.Write(dir, now); err != nil {
		t.Fatal(err)
	}
	b, err := localdir.Open(t.Context(), backend.Settings{"dir": dir, "users": map[string]any{sample.User: "x"}, "mail": true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s, err := b.Open(t.Context(), backend.Credentials{User: sample.User, Password: "x"})
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	roles := make(map[backend.Role]backend.CollectionID)
	for _, c := range list {
		if c.Kind == backend.Mail {
			roles[c.Role] = c.ID
		}
	}
	for _, r := range []backend.Role{backend.RoleInbox, backend.RoleDrafts, backend.RoleSent, backend.RoleTrash} {
		if roles[r] == "" {
			t.Errorf("there is no folder for %s", r)
		}
	}
	m, _ := backend.As[backend.Mailbox](s)
	unread, seen := 0, 0
	_, err = s.Changes(t.Context(), roles[backend.RoleInbox], "", func(cs []backend.Change) error {
		for _, c := range cs {
			if c.Received.After(now) || c.Received.Before(now.AddDate(0, 0, -7)) {
				t.Errorf("%s was received at %v", c.ID, c.Received)
			}
			err := m.Messages(t.Context(), roles[backend.RoleInbox], []backend.ItemID{c.ID}, 1<<20, func(got backend.Message) error {
				seen++
				if !backend.HasFlag(got.Flags, backend.FlagSeen) {
					unread++
				}
				return got.Err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || seen != 4 || unread != 2 {
		t.Errorf("the inbox has %d mails, %d of them unread, error %v; want four and two", seen, unread, err)
	}
}
