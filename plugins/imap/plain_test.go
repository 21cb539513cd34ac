package imap_test

import (
	"net"
	"testing"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/backendtest"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

// plainServer is a server by other hands that counts no changes, tells of no
// folder but the selected one, and has no lasting IDs.
func plainServer(t *testing.T, caps ...goimap.Cap) backend.Settings {
	t.Helper()
	mem, user := imapmemserver.New(), imapmemserver.NewUser(imaptest.Ann.Name, imaptest.Ann.Password)
	for _, name := range []string{"INBOX", "Gesendet", "Entwürfe", "Papierkorb"} {
		if err := user.Create(name, nil); err != nil {
			t.Fatal(err)
		}
	}
	mem.AddUser(user)
	set := goimap.CapSet{goimap.CapIMAP4rev1: {}}
	for _, c := range caps {
		set[c] = struct{}{}
	}
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps: set, InsecureAuth: true,
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(listener) }()
	t.Cleanup(func() { server.Close(); <-done })
	return backend.Settings{"url": "imap+plain://" + listener.Addr().String(), "poll": "150ms", "timeout": "20s"}
}

func TestConformancePlainServer(t *testing.T) {
	set := plainServer(t, goimap.CapUIDPlus, goimap.CapMove, goimap.CapNamespace)
	b := open(t, set)
	backendtest.Run(t, backendtest.Suite{
		Backend: b, Credentials: credentials(imaptest.Ann), Items: 100,
		Excuses: append([]backendtest.Excuse{
			{Promise: "Folders/a renamed collection keeps its ID and items", Kind: backend.Mail, Reason: "the server gives folders no lasting IDs"},
			{Promise: "Folders/any name comes back", Kind: backend.Mail, Reason: "the server gives folders no lasting IDs"},
			{Promise: "Folders/a name with a percent sign comes back", Kind: backend.Mail, Reason: "the server gives folders no lasting IDs"},
			{Promise: "Mail/what there is not is NotFound", Kind: backend.Mail, Reason: "the server takes a message for its own part 1.1"},
		}, excuses...),
	})
	by := folders(t, login(t, b, imaptest.Ann))
	for role, name := range map[string]string{"inbox": "Inbox", "sent": "Gesendet", "drafts": "Entwürfe", "trash": "Papierkorb"} {
		if by[role].Name != name {
			t.Errorf("the folder for %s is %+v, want %s", role, by[role], name)
		}
	}
}
