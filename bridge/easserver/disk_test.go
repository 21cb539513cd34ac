package easserver_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// A fullDisk is a store whose disk has no room: it says so as the database
// does, and nothing of what it was to write comes true.
type fullDisk struct {
	syncengine.Store
	full *atomic.Bool
}

func (d fullDisk) Update(ctx context.Context, user string, change func(syncengine.Writer) error) error {
	return d.Store.Update(ctx, user, func(w syncengine.Writer) error {
		if err := change(w); err != nil || !d.full.Load() {
			return err
		}
		return backend.Errorf(backend.Transient, "sqlite: make room on the disk with the state", "database or disk is full")
	})
}

// TestFullDisk lets phones meet a bridge that cannot write down what it does.
func TestFullDisk(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		var full atomic.Bool
		h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
			o.Store = func(s syncengine.Store) syncengine.Store { return fullDisk{s, &full} }
		}})
		fill(h)
		p := h.Phone(v, "phone1", phone.Settings{})
		bridgetest.Sync(t, p)
		f := bridgetest.FolderOf(t, p, "Contacts")
		sent := len(h.Backend.Items(bridgetest.User, "contacts"))
		h.Store("contacts", "late", bridgetest.Card("late", "Late"))
		if _, err := p.Add(f.ServerID, eas.Properties{eas.T(tag.ContactsLastName, "Waiting")}); err != nil {
			t.Fatal(err)
		}
		full.Store(true)
		for range 3 {
			_, err := p.SyncFolders(t.Context(), f.ServerID)
			if status, e := httpStatus(t, err); status != http.StatusServiceUnavailable || e.RetryAfter <= 0 {
				t.Errorf("Sync: status %d, Retry-After %v; want 503 with a time", status, e)
			}
		}
		full.Store(false)
		bridgetest.Sync(t, p)
		if n := len(bridgetest.FolderOf(t, p, "Contacts").Items); n != sent+2 {
			t.Errorf("when there is room again the phone holds %d contacts, want %d: nothing lost, nothing twice", n, sent+2)
		}
		twins := 0
		for _, card := range h.Backend.Items(bridgetest.User, "contacts") {
			if strings.Contains(string(card), "Waiting") {
				twins++
			}
		}
		if twins != 1 {
			t.Errorf("the phone's contact is there %d times", twins)
		}
	})
}

// A forgetful store cannot read what a phone holds when it is asked for the
// last time of so many.
type forgetful struct {
	syncengine.Store
	asked *atomic.Int32 // counts down
}

func (f forgetful) Shown(ctx context.Context, p syncengine.Phone, id syncengine.FolderID, n syncengine.Number) (syncengine.Shown, error) {
	if f.asked.Add(-1) == 0 {
		return syncengine.Shown{}, errors.New("sqlstore: the disk does not answer")
	}
	return f.Store.Shown(ctx, p, id, n)
}

// What a phone holds cannot be read while its edit is merged: that is no reason
// to refuse the edit, which the phone would give up. It sends it again.
func TestEditWhileTheStateCannotBeRead(t *testing.T) {
	for _, tt := range []struct {
		name  string
		asked int32
		edit  func(*handset) eas.SyncCommand
	}{
		{"the item, before anything is tried", 1, wholeEdit},
		{"the item", 2, wholeEdit},
		{"an occurrence", 1, func(s *handset) eas.SyncCommand { return s.on(second, "Mine") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked atomic.Int32
			h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
				o.Store = func(s syncengine.Store) syncengine.Store { return forgetful{s, &asked} }
			}})
			h.Store("calendar", "e", daily())
			s := newHandset(t, h, eas.V161, "phone1", "Calendar", 0)
			asked.Store(tt.asked)
			if r, err := s.send(tt.edit(s)); err == nil {
				t.Errorf("answered %+v, want to be asked again", r)
			}
			if status, _ := s.take(s.send(tt.edit(s))); status != eas.SyncOK {
				t.Errorf("status %d the second time", status)
			}
			if body := string(h.Backend.Items(bridgetest.User, "calendar")["e"]); !strings.Contains(body, "SUMMARY:Mine") {
				t.Errorf("the edit is lost:\n%s", body)
			}
		})
	}
}

// A phone edits an occurrence and its series, and does not hear what came of it. Somebody
// else edits the series meanwhile, and the phone says the same again: both of its edits
// count, and the other one's, too.
func TestOccurrenceAndSeriesTriedTwice(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fails bool // what the phone says first
	}{
		{"nothing could be written", true},
		{"the answer was lost", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := bridgetest.Start(t, bridgetest.Options{})
			h.Store("calendar", "e", daily())
			s := newHandset(t, h, eas.V161, "phone1", "Calendar", 0)
			edits := []eas.SyncCommand{s.on(second, "Mine"), {Do: tag.AirSyncChange, ServerID: s.id, Data: eas.Properties{eas.T(tag.CalendarSubject, "All mine")}}}
			if tt.fails {
				h.Backend.Fail(memory.Failure{Op: memory.OpPut, Err: backend.Errorf(backend.Transient, "test", "not now")})
			}
			if r, err := s.send(edits...); (err != nil) != tt.fails {
				t.Errorf("answered %+v, %v", r, err)
			}
			event := string(h.Backend.Items(bridgetest.User, "calendar")["e"])
			h.Store("calendar", "e", strings.Replace(event, "BEGIN:VEVENT\r\n", "BEGIN:VEVENT\r\nLOCATION:Theirs\r\n", 1))
			if status, _ := s.take(s.send(edits...)); status != eas.SyncOK {
				t.Errorf("status %d the second time", status)
			}
			event = string(h.Backend.Items(bridgetest.User, "calendar")["e"])
			for _, want := range []string{"SUMMARY:Mine\r\n", "SUMMARY:All mine\r\n", "LOCATION:Theirs\r\n"} {
				if !strings.Contains(event, want) {
					t.Errorf("%q is lost:\n%s", want, event)
				}
			}
		})
	}
}

func wholeEdit(s *handset) eas.SyncCommand {
	return eas.SyncCommand{Do: tag.AirSyncChange, ServerID: s.id, Data: eas.Properties{eas.T(tag.CalendarSubject, "Mine")}}
}
