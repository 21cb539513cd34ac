package easserver_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// TestHeldDeletionsReachAWaitingPhone takes most of a folder away. A phone that
// waits hears of it when the pause is over, without anything happening then.
func TestHeldDeletionsReachAWaitingPhone(t *testing.T) {
	const many, left = 30, 5
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.Brake.Pause = time.Second
	}})
	for i := range many {
		h.Store("contacts", backend.ItemID(fmt.Sprint(i)), bridgetest.Card(fmt.Sprint(i), "Somebody"))
	}
	p := h.Phone(eas.V161, "phone1", phone.Settings{Classes: []string{eas.ClassContacts}})
	bridgetest.Sync(t, p)
	for i := range many - left {
		h.Backend.Remove(bridgetest.User, "contacts", backend.ItemID(fmt.Sprint(i)))
	}
	h.Store("contacts", "new", bridgetest.Card("new", "New"))
	bridgetest.Sync(t, p)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(bridgetest.FolderOf(t, p, "Contacts").Items) != left+1 {
		if _, err := p.Ping(ctx, 10*time.Minute); err != nil {
			t.Fatalf("the phone waits, and nothing comes: %v", err)
		}
		bridgetest.Sync(t, p)
	}
}
