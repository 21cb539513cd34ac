package easserver_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
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
