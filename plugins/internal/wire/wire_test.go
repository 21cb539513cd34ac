package wire_test

import (
	"bytes"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/backendtest"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
	"github.com/pushbridge/pushbridge/plugins/internal/wire/wiretest"
)

var ann = backend.Credentials{User: "ann", Password: "secret"}

// TestConformance tries what an author may rely on, and that it does not matter
// which side is of an older version.
func TestConformance(t *testing.T) {
	for name, old := range map[string]wiretest.Old{
		"of one version": wiretest.None, "a plugin without Watches": wiretest.Plugin, "a host without Watches": wiretest.Host,
	} {
		t.Run(name, func(t *testing.T) { conforms(t, old) })
	}
}

func conforms(t *testing.T, old wiretest.Old) {
	b := memory.New()
	b.AddUser(ann.User, ann.Password)
	for _, c := range memory.DefaultCollections() {
		c.Default, c.Name, c.ID = false, c.Name+" at work", c.ID+"-work"
		b.SetCollection(ann.User, c)
	}
	b.AddUser("ono", "secret", memory.MailCollections()...)
	b.SetIdentity("ono", backend.Identity{Addresses: []string{"ono@pushbridge.example"}})
	backendtest.Run(t, backendtest.Suite{
		Backend:     wiretest.OverWireOf(t, b, old),
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
