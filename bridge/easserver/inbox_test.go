package easserver_test

import (
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A backend with an inbox of its own needs no stand-in.
func TestInboxThatABackendServes(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	p := h.Phone(eas.V141, "phone1", phone.Settings{})
	bridgetest.Sync(t, p)
	var inboxes []string
	for _, f := range p.Folders() {
		if f.Class == "Email" {
			inboxes = append(inboxes, f.DisplayName)
		}
	}
	if len(inboxes) != 1 {
		t.Errorf("the phone has the mail folders %q, want the backend's one", inboxes)
	}
}

// Nobody serves mail, but phones insist on an inbox: it is there, it is empty,
// and a phone can wait for it.
func TestInboxThatNobodyServes(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		h.Backend.RemoveCollection(bridgetest.User, "inbox")
		h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "contacts", Kind: backend.Contacts, Name: "Contacts", Default: true})
		p := h.Phone(v, "phone1", phone.Settings{Classes: []string{"Email"}, Filters: map[string]int{"Email": 3}})
		bridgetest.Sync(t, p)
		inbox := bridgetest.FolderOf(t, p, "Email")
		if inbox.Type != eas.FolderInbox || len(inbox.Items) != 0 || inbox.SyncKey == "0" {
			t.Fatalf("the inbox is %+v, want an empty one that has been synchronized", inbox)
		}
		answered := make(chan eas.PingResponse, 1)
		go func() {
			r, err := p.Ping(t.Context(), time.Second)
			if err != nil {
				t.Errorf("Ping: %v", err)
			}
			answered <- r
		}()
		if r := <-answered; r.Status != eas.PingExpired {
			t.Errorf("waiting for the inbox ended with %+v, want status 1 after the heartbeat", r)
		}
	})
}
