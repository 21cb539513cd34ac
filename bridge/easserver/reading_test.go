package easserver_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// Each event of a folder that a phone loads for the first time is read once, although
// it is looked at for what filters need to know, too.
func TestFirstSyncReadsEachEventOnce(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	const n = 600
	for i := range n {
		h.Store("calendar", backend.ItemID(fmt.Sprint(i)), bridgetest.Event(string(backend.ItemID(fmt.Sprint(i))), "E", time.Now().Add(time.Hour)))
	}
	before := h.Backend.Calls(memory.OpGet)
	p := h.Phone(eas.V161, "phone1", phone.Settings{Classes: []string{eas.ClassCalendar}, WindowSize: 100})
	bridgetest.Sync(t, p)
	if got := len(bridgetest.FolderOf(t, p, eas.ClassCalendar).Items); got != n {
		t.Errorf("the phone holds %d events, want %d", got, n)
	}
	if got, most := h.Backend.Calls(memory.OpGet)-before, n/64+2; got > most {
		t.Errorf("they were read in %d calls, want %d at most", got, most)
	}
}

// An interrupted backend lets something happen right after the next Get.
type interrupted struct {
	*memory.Backend
	then *atomic.Pointer[func()]
}

func (b interrupted) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	s, err := b.Backend.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return interruptedSession{s.(*memory.Session), b.then}, nil
}

type interruptedSession struct {
	*memory.Session
	then *atomic.Pointer[func()]
}

func (s interruptedSession) Get(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	err := s.Session.Get(ctx, c, ids, yield)
	if then := s.then.Swap(nil); then != nil {
		(*then)()
	}
	return err
}

// What was read to work out what is news is not shown where others changed it since,
// and another phone's request found out all that is to be known of it.
func TestChangedWhileItIsLookedAt(t *testing.T) {
	var then atomic.Pointer[func()]
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Backends[0].Backend = interrupted{o.Backends[0].Backend.(*memory.Backend), &then}
	}})
	store := func(title string) { h.Store("calendar", "e", bridgetest.Event("e", title, time.Now().Add(time.Hour))) }
	store("One")
	r := newRaw(t, h, eas.V141)
	other := h.Phone(eas.V141, "phone2", phone.Settings{Classes: []string{eas.ClassCalendar}})
	bridgetest.Sync(t, other)
	store("Two")
	c := r.collection(eas.ClassCalendar)
	res, err := r.GetItemEstimate(t.Context(), eas.GetItemEstimateRequest{Collections: []eas.EstimateCollection{{CollectionID: c.CollectionID, SyncKey: c.SyncKey}}})
	if err != nil || *res.Responses[0].Collection.Estimate != 1 { // the folder is listed, and nothing is read
		t.Fatalf("the estimate is %+v, %v, want 1", res, err)
	}
	interrupt := func() {
		store("Three")
		bridgetest.Sync(t, other)
	}
	then.Store(&interrupt)
	for range 2 {
		bridgetest.Sync(t, r.phone)
	}
	if then.Load() != nil {
		t.Fatal("nothing was read")
	}
	for id, it := range bridgetest.FolderOf(t, r.phone, eas.ClassCalendar).Items {
		if got, _ := it.Text(tag.CalendarSubject); got != "Three" {
			t.Errorf("%s is called %q, want Three", id, got)
		}
	}
}
