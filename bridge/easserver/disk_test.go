package easserver_test

import (
	"context"
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
