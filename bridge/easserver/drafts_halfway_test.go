package easserver_test

import (
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// plan stores a draft of Ann's.
func plan(h *bridgetest.House) {
	h.Backend.StoreMessage(bridgetest.User, "drafts", "d.eml", []byte("From: ann@example.org\r\nTo: bob@example.org\r\nSubject: Plan\r\n\r\nOne\r\n"),
		time.Now(), backend.FlagDraft, backend.FlagSeen)
}

// A draft that the store took, and said that it did not, is not left beside what its
// owner wrote instead.
func TestDraftStoredUnheard(t *testing.T) {
	for _, add := range []bool{false, true} {
		h := mailHouse(t)
		if !add {
			plan(h)
		}
		p := mailPhone(h, eas.V161, phone.Settings{})
		bridgetest.Sync(t, p)
		f := folderOfType(t, p, eas.FolderDrafts)
		cmd := eas.SyncCommand{Do: tag.AirSyncAdd, ClientID: "new"}
		if !add {
			id, _ := mailNamed(t, f, "Plan")
			cmd = eas.SyncCommand{Do: tag.AirSyncChange, ServerID: id}
		}
		say := func(text string, want int) {
			t.Helper()
			cmd.Data = draftText(text)
			_, err := h.Client(eas.V161, "phone1").Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{
				{SyncKey: f.SyncKey, CollectionID: f.ServerID, Commands: []eas.SyncCommand{cmd}}}})
			if status, _ := httpStatus(t, err); status != want {
				t.Errorf("%q is answered %d, want %d", text, status, want)
			}
		}
		say("Two", 200)
		checkDraft(t, h, "Two", false)
		h.Backend.Fail(memory.Failure{Op: memory.OpPut, Midway: true, Err: backend.Errorf(backend.Transient, "imap", "down")})
		say("Three", 503)
		for _, text := range []string{"Four", "Five", "Three", "Three"} { // each answer is lost
			say(text, 200)
			checkDraft(t, h, text, false)
		}
	}
}
