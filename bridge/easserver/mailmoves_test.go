package easserver_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// A message that somebody takes out of a folder and a phone takes back at once, before
// the folder was looked at again, is the same message: it was received when it was,
// and has its flags. Found by package storm, with mail, seed 19.
func TestMessageThatComesBackAtOnce(t *testing.T) {
	h := mailHouse(t)
	received := time.Now().AddDate(0, 0, -3).Truncate(time.Second)
	h.Backend.StoreMessage(bridgetest.User, "inbox", "m.eml", []byte(mailOf("Plan", "x")), received, backend.FlagSeen, "$Keep")
	p := mailPhone(h, eas.V141, phone.Settings{})
	bridgetest.Sync(t, p)
	s, err := h.Backend.Open(t.Context(), backend.Credentials{User: bridgetest.User, Password: bridgetest.Password})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Move(t.Context(), "inbox", "m.eml", "trash"); err != nil {
		t.Fatal(err)
	}
	inbox, trash := folderOfType(t, p, eas.FolderInbox), folderOfType(t, p, eas.FolderDeleted)
	if _, err := p.SyncFolders(t.Context(), trash.ServerID); err != nil {
		t.Fatal(err)
	}
	id, _ := mailNamed(t, folderOfType(t, p, eas.FolderDeleted), "Plan")
	out, err := p.Move(t.Context(), trash.ServerID, inbox.ServerID, id)
	if err != nil || len(out) != 1 || out[0].Status != eas.MoveOK {
		t.Fatalf("moved: %+v, %v", out, err)
	}
	var is backend.Message
	for name := range h.Backend.Items(bridgetest.User, "inbox") {
		if err := s.(backend.Mailbox).Messages(t.Context(), "inbox", []backend.ItemID{name}, 0, func(m backend.Message) error { is = m; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"$Keep", backend.FlagSeen}, is.Flags); diff != "" || !is.Received.Equal(received) {
		t.Errorf("received %v, want %v; flags (-want +got):\n%s", is.Received, received, diff)
	}
	if n := len(h.Backend.Items(bridgetest.User, "trash")); n != 0 {
		t.Errorf("%d are in the trash", n)
	}
	bridgetest.Sync(t, p)
	if again, _ := mailNamed(t, folderOfType(t, p, eas.FolderInbox), "Plan"); again != out[0].DstMsgID {
		t.Errorf("the phone has it as %s, and was told %s", again, out[0].DstMsgID)
	}
}

// A message that goes to the mail of another server is copied there, with its flags.
func TestMessageMovesToAnotherServer(t *testing.T) {
	other := memory.New()
	other.AddUser(bridgetest.User, bridgetest.Password, backend.Collection{ID: "archive", Kind: backend.Mail, Name: "Far archive"})
	h := mailHouse(t, func(o *bridge.Options) {
		o.Backends = append(o.Backends, account.Named{Name: "other", Backend: other})
	})
	h.Backend.StoreMessage(bridgetest.User, "inbox", "m.eml", []byte(mailOf("Plan", "x")), time.Now(), backend.FlagSeen, backend.FlagAnswered, "$Keep")
	p := mailPhone(h, eas.V141, phone.Settings{})
	bridgetest.Sync(t, p)
	inbox := folderOfType(t, p, eas.FolderInbox)
	id, _ := mailNamed(t, inbox, "Plan")
	far := ""
	for _, f := range p.Folders() {
		if f.DisplayName == "Far archive" {
			far = f.ServerID
		}
	}
	out, err := p.Move(t.Context(), inbox.ServerID, far, id)
	if err != nil || len(out) != 1 || out[0].Status != eas.MoveOK {
		t.Fatalf("moved: %+v, %v", out, err)
	}
	moved := other.Items(bridgetest.User, "archive")
	if n := len(h.Backend.Items(bridgetest.User, "inbox")); n != 0 || len(moved) != 1 {
		t.Errorf("%d messages here, and %d there", n, len(moved))
	}
	for name := range moved {
		if diff := cmp.Diff([]string{"$Keep", backend.FlagAnswered, backend.FlagSeen}, other.FlagsOf(bridgetest.User, "archive", name)); diff != "" {
			t.Errorf("flags (-want +got):\n%s", diff)
		}
	}
}
