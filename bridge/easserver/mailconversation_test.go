package easserver_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/conformance"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// answerTo is a message that answers another one.
func answerTo(subject, root string) string {
	return fmt.Sprintf("From: bob@example.org\r\nTo: ann@example.org\r\nSubject: %s\r\nMessage-ID: <%s@example.org>\r\nIn-Reply-To: <%s@example.org>\r\nReferences: <%s@example.org>\r\n\r\nx\r\n", subject, subject, root, root)
}

// A conversation is moved as a whole, out of all folders but that for sent mail, and
// what does not belong to it stays.
func TestConversationIsMoved(t *testing.T) {
	conformance.Shows(t, "ConversationMove", "MoveOptions", "MoveResult", "ItemOperationsNoOptions", "FailureInMoveOperation", "MoveDisallowed", "MoveInvalidDestination")
	for _, v := range []eas.Version{eas.V140, eas.V141, eas.V161} {
		h := mailHouse(t)
		inbox(h, map[string]string{"root": mailOf("root", "x"), "one": answerTo("one", "root"), "other": mailOf("other", "x")})
		for folder, id := range map[backend.CollectionID]string{"sent": "mine", "trash": "old"} {
			h.Backend.StoreMessage(bridgetest.User, folder, backend.ItemID(id), []byte(answerTo(id, "root")), time.Now())
		}
		p := mailPhone(h, v, phone.Settings{})
		bridgetest.Sync(t, p)
		box, archive := folderOfType(t, p, eas.FolderInbox), phone.Folder{}
		for _, f := range p.Folders() {
			if f.DisplayName == "Archive" {
				archive = f
			}
		}
		_, item := mailNamed(t, box, "one")
		conversation := eas.Opaque{}
		for _, e := range flat(eas.Element{Children: item}) {
			if e.Tag == tag.Email2ConversationId {
				conversation = eas.Opaque(e.Opaque)
			}
		}
		move := func(m eas.ConversationMove) eas.ItemOperationsStatus {
			t.Helper()
			res, err := h.Client(v, "phone1").ItemOperations(t.Context(), eas.ItemOperationsRequest{Moves: []eas.ConversationMove{m}})
			if err != nil || res.Response == nil || len(res.Response.Moves) != 1 || string(res.Response.Moves[0].ConversationID) != string(m.ConversationID) {
				t.Fatalf("%+v, %v", res, err)
			}
			return res.Response.Moves[0].Status
		}
		always := &eas.MoveOptions{MoveAlways: true}
		for _, tt := range []struct {
			name string
			move eas.ConversationMove
			want eas.ItemOperationsStatus
		}{
			{"this once", eas.ConversationMove{ConversationID: conversation, DstFldID: archive.ServerID}, eas.ItemOperationsNoOptions},
			{"to nowhere", eas.ConversationMove{ConversationID: conversation, DstFldID: "99", Options: always}, eas.ItemOperationsNotFound},
			{"to sent mail", eas.ConversationMove{ConversationID: conversation, DstFldID: folderOfType(t, p, eas.FolderSent).ServerID, Options: always}, eas.ItemOperationsActionForbidden},
			{"to drafts", eas.ConversationMove{ConversationID: conversation, DstFldID: folderOfType(t, p, eas.FolderDrafts).ServerID, Options: always}, eas.ItemOperationsActionForbidden},
			{"a conversation of nobody", eas.ConversationMove{ConversationID: eas.Opaque("0123456789abcdef"), DstFldID: archive.ServerID, Options: always}, eas.ItemOperationsNotFound},
		} {
			if got := move(tt.move); got != tt.want {
				t.Errorf("%s: %s: status %d, want %d", v, tt.name, got, tt.want)
			}
		}
		h.Backend.Fail(memory.Failure{Op: memory.OpMove, Err: backend.Errorf(backend.Invalid, "memory", "not this one"), Times: 1})
		if got := move(eas.ConversationMove{ConversationID: conversation, DstFldID: archive.ServerID, Options: always}); got != eas.ItemOperationsStatus(eas.FailureInMoveOperation) {
			t.Errorf("%s: where one cannot be moved: status %d", v, got)
		}
		for range 2 { // the second time is a repetition
			if got := move(eas.ConversationMove{ConversationID: conversation, DstFldID: archive.ServerID, Options: always}); got != eas.ItemOperationsOK {
				t.Errorf("%s: status %d", v, got)
			}
		}
		bridgetest.Sync(t, p)
		for _, f := range p.Folders() {
			want := map[string][]string{box.ServerID: {"other"}, archive.ServerID: {"old", "one", "root"}, folderOfType(t, p, eas.FolderSent).ServerID: {"mine"}}[f.ServerID]
			if got := titles(f); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
				t.Errorf("%s: %s holds %q, want %q", v, f.DisplayName, got, want)
			}
		}
	}
}
