package easserver_test

import (
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// begun fails the test if a phone had to begin anew, or was told of anything else
// than expected.
func begun(t *testing.T, when string, events []phone.Event, want int) {
	t.Helper()
	if len(events) != want {
		t.Errorf("%s: the phone is told %v, want %d things", when, events, want)
	}
	for _, e := range events {
		if e.Kind == phone.Restarted {
			t.Errorf("%s: the phone has to begin anew with %q", when, e.Folder)
		}
	}
}

// A phone has two accounts of one server, with one DeviceId: each has folders,
// keys and news of its own, and what one does leaves the other in peace.
func TestTwoAccountsOnOnePhone(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		h.Backend.AddUser(neighbour, bridgetest.Password)
		h.Store("contacts", "a", bridgetest.Card("a", "Ann's"))
		h.Backend.Store(neighbour, "contacts", "b", []byte(bridgetest.Card("b", "Bob's")))
		ann := h.Phone(v, "phone1", phone.Settings{})
		other := *h.Client(v, "phone1")
		other.User = neighbour
		bob := bridgetest.Checked(t, phone.New(&other, phone.Settings{}))
		bridgetest.Sync(t, ann)
		bridgetest.Sync(t, bob)
		holds := func(when string, p *phone.Phone, want string) {
			t.Helper()
			items := bridgetest.FolderOf(t, p, eas.ClassContacts).Items
			for _, item := range items {
				if len(items) != 1 || phone.Title(item) != want {
					t.Errorf("%s: the account holds %v, want %q", when, items, want)
				}
			}
		}
		holds("at first", ann, "Ann's")
		holds("at first", bob, "Bob's")
		h.Store("contacts", "a", bridgetest.Card("a", "Ann's new"))
		begun(t, "what is the other's", bridgetest.Sync(t, bob), 0)
		begun(t, "what is her own", bridgetest.Sync(t, ann), 1)
		bob.Forget() // the account is removed and set up again
		bridgetest.Sync(t, bob)
		holds("set up again", bob, "Bob's")
		h.Store("contacts", "a", bridgetest.Card("a", "Ann's last"))
		begun(t, "after the other was set up again", bridgetest.Sync(t, ann), 1)
		holds("at last", ann, "Ann's last")
	})
}

// A new phone asks for everything several times at once: each request is answered,
// if need be the second time, and the phone goes on with any of the answers.
func TestManyFirstRequestsAtOnce(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		fill(h)
		const many = 8
		var all sync.WaitGroup
		ids := make([]string, many)
		for i := range many {
			all.Go(func() {
				p := phone.New(h.Client(v, "phone1"), phone.Settings{})
				if _, err := p.FolderSync(t.Context()); err != nil {
					t.Errorf("a first FolderSync: %v", err)
					return
				}
				for _, f := range p.Folders() {
					if f.Class == eas.ClassContacts && f.Type < eas.FolderUserMail {
						ids[i] = f.ServerID
					}
				}
				c := eas.SyncCollection{SyncKey: "0", CollectionID: ids[i]}
				if v < eas.V121 {
					c.Class = eas.ClassContacts
				}
				res, err := h.Client(v, "phone1").Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{c}})
				for tries := 1; err != nil && tries < many; tries++ { // another one was faster, and this one is to be sent again
					if e, ok := errors.AsType[*easclient.HTTPError](err); !ok || e.Status != http.StatusServiceUnavailable {
						break
					}
					res, err = h.Client(v, "phone1").Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{c}})
				}
				if err != nil || res == nil || len(res.Collections) != 1 || res.Collections[0].Status != eas.SyncOK {
					t.Errorf("a first Sync: %+v, %v", res, err)
				}
			})
		}
		all.Wait()
		for _, id := range ids {
			if id != ids[0] || id == "" {
				t.Fatalf("one folder has the ids %q", ids)
			}
		}
		p := h.Phone(v, "phone1", phone.Settings{})
		bridgetest.Sync(t, p)
		if f := bridgetest.FolderOf(t, p, eas.ClassContacts); f.ServerID != ids[0] || len(f.Items) != 3 {
			t.Errorf("the phone holds %d contacts in folder %q, want 3 in %q", len(f.Items), f.ServerID, ids[0])
		}
		begun(t, "once it has everything", bridgetest.Sync(t, p), 0)
	})
}
