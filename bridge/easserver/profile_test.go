package easserver_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// withRules adds a rule for phones of the type "odd" to the configuration.
func withRules(t *testing.T, settings string) bridgetest.Options {
	path := filepath.Join(t.TempDir(), "profiles.toml")
	if err := os.WriteFile(path, []byte("[[rule]]\ndevice_type = '^odd$'\n"+settings+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.Profiles = path }}
}

// ofType is a client of a phone of a type that did nothing yet.
func ofType(t *testing.T, h *bridgetest.House, typ string) *raw {
	c := h.Client(eas.V141, "phone"+typ)
	c.DeviceType = typ
	return &raw{t, c, bridgetest.Checked(t, phone.New(c, phone.Settings{}))}
}

// both runs a story with an odd phone and with one like most.
func both(t *testing.T, settings string, story func(t *testing.T, h *bridgetest.House, r *raw, odd bool)) {
	for _, typ := range []string{"odd", "test"} {
		t.Run(typ, func(t *testing.T) {
			h := bridgetest.Start(t, withRules(t, settings))
			story(t, h, ofType(t, h, typ), typ == "odd")
		})
	}
}

const photo = "PHOTO:data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7\r\n"

func cardWith(lines string) string {
	return "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:c\r\nFN:Jane Doe\r\nN:Doe;Jane;;;\r\n" + lines + "END:VCARD\r\n"
}

func onlyItem(t *testing.T, r *raw, class string) (id string, item eas.Properties) {
	t.Helper()
	items := bridgetest.FolderOf(t, r.phone, class).Items
	if len(items) != 1 {
		t.Fatalf("the phone holds %d items of %s, want one", len(items), class)
	}
	for id, item = range items {
	}
	return id, item
}

func TestProfileOfContacts(t *testing.T) {
	both(t, "birthday_hour = 11\nfile_as = \"last_first\"", func(t *testing.T, h *bridgetest.House, r *raw, odd bool) {
		h.Store("contacts", "c", cardWith("BDAY:19850412\r\n"))
		bridgetest.Sync(t, r.phone)
		_, item := onlyItem(t, r, "Contacts")
		birthday, _ := item.Text(tag.ContactsBirthday)
		name, _ := item.Text(tag.ContactsFileAs)
		wantDay, wantName := "1985-04-12T00:00:00.000Z", "Jane Doe"
		if odd {
			wantDay, wantName = "1985-04-12T11:00:00.000Z", "Doe, Jane"
		}
		if birthday != wantDay || name != wantName {
			t.Errorf("the phone holds %q and %q, want %q and %q", birthday, name, wantDay, wantName)
		}
	})
}

// What the built-in table says reaches a phone without a file, too.
func TestProfileThatIsBuiltIn(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	h.Store("contacts", "c", cardWith("BDAY:19850412\r\n"))
	r := ofType(t, h, "BlackBerry")
	bridgetest.Sync(t, r.phone)
	_, item := onlyItem(t, r, "Contacts")
	if birthday, _ := item.Text(tag.ContactsBirthday); birthday != "1985-04-12T11:00:00.000Z" {
		t.Errorf("a BlackBerry holds the birthday %q, want it at 11 o'clock", birthday)
	}
}

func TestProfileOfEmptyPictures(t *testing.T) {
	both(t, "empty_picture_removes = true", func(t *testing.T, h *bridgetest.House, r *raw, odd bool) {
		h.Store("contacts", "c", cardWith(photo))
		bridgetest.Sync(t, r.phone)
		id, item := onlyItem(t, r, "Contacts")
		if _, ok := item.Text(tag.ContactsPicture); !ok {
			t.Fatal("the phone got no picture")
		}
		edit := slices.DeleteFunc(slices.Clone(item), func(e eas.Element) bool { return e.Tag == tag.ContactsPicture || e.Tag == tag.AirSyncBaseBody })
		c := r.collection("Contacts")
		c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Data: append(edit, eas.T(tag.ContactsPicture, ""))}}
		if out := r.one(c); len(out.Responses) != 0 {
			t.Fatalf("the edit was answered %+v", out.Responses)
		}
		if is := strings.Contains(string(h.Backend.Items(bridgetest.User, "contacts")["c"]), "PHOTO"); is == odd {
			t.Errorf("the photo is there: %t", is)
		}
	})
}

// An empty Supported means that whatever an edit leaves out stays; from some
// phones it means nothing, and what is left out is to go.
func TestProfileOfEmptySupported(t *testing.T) {
	both(t, "empty_supported_is_none = true", func(t *testing.T, h *bridgetest.House, r *raw, odd bool) {
		h.Store("contacts", "c", cardWith("TITLE:Doctor\r\n"))
		bridgetest.Sync(t, r.phone)
		c := r.collection("Contacts")
		c.SyncKey, c.Supported = "0", []wbxml.Tag{}
		c = eas.SyncCollection{CollectionID: c.CollectionID, SyncKey: r.one(c).SyncKey}
		out := r.one(c)
		if len(out.Commands) != 1 {
			t.Fatalf("told %+v, want one contact", out.Commands)
		}
		c.SyncKey = out.SyncKey
		c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: out.Commands[0].ServerID,
			Data: eas.Properties{eas.T(tag.ContactsFirstName, "Jane"), eas.T(tag.ContactsLastName, "Roe")}}}
		if out = r.one(c); len(out.Responses) != 0 {
			t.Fatalf("the edit was answered %+v", out.Responses)
		}
		if is := strings.Contains(string(h.Backend.Items(bridgetest.User, "contacts")["c"]), "TITLE:Doctor"); is == odd {
			t.Errorf("the title is there: %t", is)
		}
	})
}

func TestProfileOfOtherContacts(t *testing.T) {
	both(t, "other_contacts_unknown = true", func(t *testing.T, h *bridgetest.House, r *raw, odd bool) {
		h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "club", Kind: backend.Contacts, Name: "Club"})
		h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "away", Kind: backend.Events, Name: "Away"})
		answer, err := r.FolderSync(t.Context(), eas.FolderSyncRequest{SyncKey: "0"})
		if err != nil {
			t.Fatal(err)
		}
		types := map[string]eas.FolderType{}
		mains := 0
		for _, f := range answer.Changes.Adds {
			types[f.DisplayName] = f.Type
			if f.Type == eas.FolderContacts {
				mains++
			}
		}
		want := eas.FolderUserContacts
		if odd {
			want = eas.FolderUnknown
		}
		if types["Club"] != want || types["Away"] != eas.FolderUserCalendar || mains != 1 {
			t.Errorf("the folders' types are %v, want %d for the second address book", types, want)
		}
	})
}

func TestProfileOfVersions(t *testing.T) {
	both(t, `max_version = "12.1"`, func(t *testing.T, h *bridgetest.House, r *raw, odd bool) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, h.URL+easclient.Path+"?Cmd=OPTIONS&User=ann&DeviceId=x&DeviceType="+r.DeviceType, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(bridgetest.User, bridgetest.Password)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		want := "2.5,12.0,12.1,14.0,14.1,16.0,16.1"
		if odd {
			want = "2.5,12.0,12.1"
		}
		if got := res.Header.Get("MS-ASProtocolVersions"); got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

// fillContacts stores so many contacts that they need several answers.
func fillContacts(h *bridgetest.House, n int) {
	for i := range n {
		h.Store("contacts", backend.ItemID(fmt.Sprint(i)), bridgetest.Card(fmt.Sprint(i), "N"))
	}
}

// firstAnswer asks for all contacts in one answer.
func firstAnswer(r *raw) eas.SyncResult {
	r.t.Helper()
	if _, err := r.phone.FolderSync(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	c := r.collection("Contacts")
	c.SyncKey = "0"
	c.SyncKey = r.one(c).SyncKey
	c.WindowSize = ptr(500)
	return r.one(c)
}

func TestProfileOfWindows(t *testing.T) {
	both(t, "max_window = 7", func(t *testing.T, h *bridgetest.House, r *raw, odd bool) {
		fillContacts(h, 10)
		want := 10
		if odd {
			want = 7
		}
		if out := firstAnswer(r); len(out.Commands) != want || out.MoreAvailable != odd {
			t.Errorf("%d items and more %t, want %d and %t", len(out.Commands), out.MoreAvailable, want, odd)
		}
		bridgetest.Sync(t, r.phone)
		if n := len(bridgetest.FolderOf(t, r.phone, "Contacts").Items); n != 10 {
			t.Errorf("in the end the phone holds %d items, want 10", n)
		}
	})
}

// A phone that gives up soon gets what there is by then, but always something.
func TestProfileOfTimeouts(t *testing.T) {
	both(t, `timeout = "1ns"`, func(t *testing.T, h *bridgetest.House, r *raw, odd bool) {
		const all = 150
		fillContacts(h, all)
		if out := firstAnswer(r); len(out.Commands) == 0 || (len(out.Commands) == all) == odd || out.MoreAvailable != odd {
			t.Errorf("%d items and more %t", len(out.Commands), out.MoreAvailable)
		}
		bridgetest.Sync(t, r.phone)
		if n := len(bridgetest.FolderOf(t, r.phone, "Contacts").Items); n != all {
			t.Errorf("in the end the phone holds %d items, want %d", n, all)
		}
	})
}

func TestProfileOfCompression(t *testing.T) {
	both(t, "no_gzip = true", func(t *testing.T, h *bridgetest.House, r *raw, odd bool) {
		fillContacts(h, 50)
		if _, err := r.phone.FolderSync(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := r.collection("Contacts")
		c.SyncKey = "0"
		c.SyncKey = r.one(c).SyncKey
		body := mustMarshal(t, &eas.SyncRequest{Collections: []eas.SyncCollection{c}}, eas.V141)
		// Whoever asks by itself is given the answer as it came.
		_, header, err := r.Do(t.Context(), easclient.Call{Query: eas.Query{Command: eas.CmdSync}, Body: body, Header: http.Header{"Accept-Encoding": {"gzip"}}})
		zipped := err != nil || header.Get("Content-Encoding") == "gzip"
		if zipped == odd {
			t.Errorf("the answer is compressed: %t (%v)", zipped, err)
		}
	})
}

// What is wrong with the rules is said with the file and the line before
// anything is started.
func TestProfilesThatAreWrong(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "profiles.toml")
	if err := os.WriteFile(bad, []byte("[[rule]]\nbirthday_hour = 8\n\n[[rule]]\ndevise_type = 'x'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		bad:          bad + `:5: "devise_type" is not known`,
		bad + ".not": "or remove the line",
	} {
		file := config.Default()
		file.State, file.Profiles = bridge.Memory, path
		b, err := bridge.New(t.Context(), bridge.Options{Config: file})
		if err == nil {
			t.Errorf("%s is taken", path)
			b.Close()
			continue
		}
		if !errors.Is(err, bridge.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want a fault of the configuration with %q", err, want)
		}
	}
}
