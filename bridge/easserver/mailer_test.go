package easserver_test

import (
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// While nobody can say which addresses a person has, a mail is neither refused as
// somebody else's nor sent as anybody's: it is sent later.
func TestAddressesUnknownForNow(t *testing.T) {
	alias := strings.Replace(newMail, "ann@example.org", "alias@example.org", 1)
	foreign := strings.Replace(newMail, "ann@example.org", "eve@example.com", 1)
	for _, tt := range []struct {
		name, mime string
		sent       int // when it is known again
	}{{"one's own", alias, 1}, {"somebody else's", foreign, 0}} {
		inEachVersion(t, func(t *testing.T, v eas.Version) {
			h := mailHouse(t)
			h.Backend.SetIdentity(bridgetest.User, backend.Identity{Addresses: []string{annsAddress, "alias@example.org"}})
			bridgetest.Sync(t, mailPhone(h, v, phone.Settings{}))
			h.Backend.Fail(memory.Failure{Op: memory.OpIdentity, Err: backend.Errorf(backend.Transient, "test", "down"), Times: -1})
			err := sendNew(t, h, v, "1", tt.mime)
			if status, _ := httpStatus(t, err); status != 503 || len(h.Backend.Outgoing()) != 0 {
				t.Errorf("%s: answered %v, and %d were sent; want HTTP status 503, and none", tt.name, err, len(h.Backend.Outgoing()))
			}
			h.Backend.Mend()
			if err := sendNew(t, h, v, "1", tt.mime); (err == nil) != (tt.sent == 1) || len(h.Backend.Outgoing()) != tt.sent {
				t.Errorf("%s, later: %v, and %d were sent, want %d", tt.name, err, len(h.Backend.Outgoing()), tt.sent)
			}
		})
	}
}

// Where one backend knows an address and the other one cannot be asked, what is from
// another address waits, be it a mail or a draft; what is from this one goes out.
func TestAddressesKnownInPart(t *testing.T) {
	alias := strings.Replace(newMail, "ann@example.org", "alias@example.org", 1)
	calendar := memory.New()
	calendar.AddUser(bridgetest.User, bridgetest.Password)
	calendar.SetIdentity(bridgetest.User, backend.Identity{Addresses: []string{annsAddress}})
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Backends = append(o.Backends, account.Named{Name: "calendar", Backend: calendar})
	}})
	for _, c := range memory.MailCollections() {
		h.Backend.SetCollection(bridgetest.User, c)
	}
	h.Backend.SetIdentity(bridgetest.User, backend.Identity{Addresses: []string{"alias@example.org"}})
	p := mailPhone(h, eas.V161, phone.Settings{})
	bridgetest.Sync(t, p)
	f := folderOfType(t, p, eas.FolderDrafts)
	addDraft := func() error {
		_, err := h.Client(eas.V161, "phone1").Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: f.SyncKey, CollectionID: f.ServerID,
			Commands: []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "new", Data: append(draftText("One"), eas.T(tag.EmailFrom, "alias@example.org"))}}}}})
		return err
	}
	h.Backend.Fail(memory.Failure{Op: memory.OpIdentity, Err: backend.Errorf(backend.Transient, "test", "down"), Times: -1})
	for what, err := range map[string]error{"mail": sendNew(t, h, eas.V161, "1", alias), "draft": addDraft()} {
		if status, _ := httpStatus(t, err); status != 503 {
			t.Errorf("the %s: answered %v, want HTTP status 503", what, err)
		}
	}
	if err := sendNew(t, h, eas.V161, "2", newMail); err != nil || len(h.Backend.Outgoing()) != 1 {
		t.Errorf("from the address that is known: %v, and %d were sent", err, len(h.Backend.Outgoing()))
	}
	h.Backend.Mend()
	if err := sendNew(t, h, eas.V161, "1", alias); err != nil || len(h.Backend.Outgoing()) != 2 {
		t.Errorf("later: %v, and %d were sent", err, len(h.Backend.Outgoing()))
	}
	if err := addDraft(); err != nil || len(h.Backend.Items(bridgetest.User, "drafts")) != 1 {
		t.Errorf("the draft, later: %v, and there are %d", err, len(h.Backend.Items(bridgetest.User, "drafts")))
	}
}
