package bridgetest_test

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/trace/tracetest"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

var update = flag.Bool("update", false, "record testdata anew")

// furnish gives the house what the recordings were made with.
func furnish(t *testing.T) *bridgetest.House {
	h := bridgetest.Start(t, bridgetest.Options{})
	h.Store("contacts", "c1", bridgetest.Card("c1", "Anna Beispiel"))
	h.Store("contacts", "c2", bridgetest.Card("c2", "Bert Beispiel"))
	h.Store("calendar", "e1", bridgetest.Event("e1", "Dentist", time.Date(2030, 1, 2, 9, 0, 0, 0, time.UTC)))
	return h
}

// story is what the recorded phone did: everything once, then an edit, an
// addition and a deletion.
func story(t *testing.T, h *bridgetest.House, v eas.Version) {
	p := h.Phone(v, "RECORDED", phone.Settings{Classes: []string{eas.ClassContacts, eas.ClassCalendar}})
	if _, err := p.Provision(t.Context()); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, p)
	f := bridgetest.FolderOf(t, p, eas.ClassContacts)
	for id, item := range f.Items {
		var err error
		if strings.HasPrefix(phone.Title(item), "Anna") {
			err = p.Change(f.ServerID, id, eas.Properties{eas.T(tag.ContactsLastName, "Changed"), eas.T(tag.ContactsFileAs, "Changed")})
		} else {
			err = p.Delete(f.ServerID, id)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Add(f.ServerID, eas.Properties{eas.T(tag.ContactsLastName, "New"), eas.T(tag.ContactsFileAs, "New")}); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, p)
}

// TestReplay plays masked recordings of our own phone again: what answered them
// once still answers them so.
func TestReplay(t *testing.T) {
	for _, v := range []eas.Version{eas.V141, eas.V161} {
		t.Run(v.String(), func(t *testing.T) {
			path := filepath.Join("testdata", "phone-"+v.String()+".trace")
			if *update {
				record(t, path, v)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range []string{"Anna", "Beispiel", "Dentist", bridgetest.Password, "New<"} {
				if strings.Contains(string(text), word) {
					t.Errorf("%q stands in the masked recording", word)
				}
			}
			c := furnish(t).Client(v, "REPLAYED")
			c.Trace = nil
			tracetest.Replay(t, string(text), c)
		})
	}
}

func record(t *testing.T, path string, v eas.Version) {
	h := furnish(t)
	client := door(t, h.Bridge)
	if _, err := client.Trace(t.Context(), admin.TraceRequest{User: bridgetest.User, Device: "RECORDED", Seconds: 600}); err != nil {
		t.Fatal(err)
	}
	story(t, h, v)
	text, err := client.Fetch(t.Context(), admin.FetchRequest{User: bridgetest.User, Device: "RECORDED", Stop: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text.Text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// door opens the control door of a house.
func door(t *testing.T, b *bridge.Bridge) *admin.Client {
	path := fcgitest.SocketPath(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := b.Door().Serving()
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		<-served
	})
	return admin.NewClient(path)
}
