package easserver_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// The card of these stories, and the lines of it that nobody edits.
const rich = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c\r\nN:Doe;Jane;;;\r\nFN:Jane Doe\r\nTITLE:Boss\r\nTEL;TYPE=CELL:1\r\n" +
	"NOTE:Before\r\nX-KEEP;X-P=1:me\r\nEND:VCARD\r\n"

// A handset is a phone of these stories: it holds one folder of a class, and
// sends whole items, as phones do.
type handset struct {
	t      *testing.T
	c      *easclient.Client
	folder string
	key    string
	id     string // of the one item
	held   eas.Properties
	wish   int // Conflict
	body   int // BodyPreference; 0 means plain text
	window int
}

func newHandset(t *testing.T, h *bridgetest.House, v eas.Version, device, class string, wish int) *handset {
	c := h.Client(v, device)
	p := bridgetest.Checked(t, phone.New(c, phone.Settings{}))
	bridgetest.Sync(t, p)
	f := bridgetest.FolderOf(t, p, class)
	s := &handset{t: t, c: c, folder: f.ServerID, key: f.SyncKey, wish: wish}
	for id, item := range f.Items {
		s.id, s.held = id, item
	}
	return s
}

// with is the item as the phone has it once its owner has edited it.
func (s *handset) with(edits ...eas.Element) eas.Properties {
	ps := slices.Clone(s.held)
	for _, e := range edits {
		if i := slices.IndexFunc(ps, func(p eas.Element) bool { return p.Tag == e.Tag }); i >= 0 {
			ps[i] = e
		} else {
			ps = append(ps, e)
		}
	}
	return ps
}

// send asks with the key that the phone has, and does not take the answer in.
func (s *handset) send(cmds ...eas.SyncCommand) (eas.SyncResult, error) {
	s.t.Helper()
	s.window++ // so that no two requests are the same
	r, err := s.c.Sync(s.t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{{
		SyncKey: s.key, CollectionID: s.folder, WindowSize: ptr(100 + s.window),
		Options: []eas.SyncOptions{{Conflict: &s.wish, BodyPreferences: []eas.BodyPreference{{Type: max(s.body, 1)}}}}, Commands: cmds,
	}}})
	if err != nil || r == nil {
		return eas.SyncResult{}, err
	}
	return r.Collections[0], nil
}

// take takes an answer in, and answers the item's status and whether the phone
// was told of the item.
func (s *handset) take(r eas.SyncResult, err error) (status eas.SyncStatus, told bool) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	status = eas.SyncOK
	if r.SyncKey != "" {
		s.key = r.SyncKey
	}
	for _, out := range r.Responses {
		status = out.Status
		if out.ServerID != "" {
			s.id = out.ServerID
		}
	}
	for _, cmd := range r.Commands {
		if cmd.ServerID == s.id && cmd.Data != nil {
			s.held, told = cmd.Data, true
		}
	}
	return status, told
}

// edit sends the item with edits in it and takes the answer in.
func (s *handset) edit(edits ...eas.Element) (status eas.SyncStatus, told bool) {
	s.t.Helper()
	s.held = s.with(edits...)
	return s.take(s.send(s.change()))
}

func (s *handset) change() eas.SyncCommand {
	return eas.SyncCommand{Do: tag.AirSyncChange, ServerID: s.id, Data: s.held}
}

func (s *handset) holds(t wbxml.Tag, want string) {
	s.t.Helper()
	if got, _ := s.held.Text(t); got != want {
		s.t.Errorf("the phone holds %s %q, want %q", tag.Name(t), got, want)
	}
}

// stored looks at the lines of the one item of a collection.
func stored(t *testing.T, h *bridgetest.House, c backend.CollectionID, want ...string) {
	t.Helper()
	items := h.Backend.Items(bridgetest.User, c)
	if len(items) != 1 {
		t.Errorf("the server holds %d items, want one", len(items))
	}
	for _, body := range items {
		for _, line := range want {
			if !strings.Contains(string(body), line+"\r\n") {
				t.Errorf("there is no %q in\n%s", line, body)
			}
		}
	}
}

func job(s string) eas.Element  { return eas.T(tag.ContactsJobTitle, s) }
func cell(s string) eas.Element { return eas.T(tag.ContactsMobilePhoneNumber, s) }

// Two phones edit different properties of one card: both edits survive, whoever
// wins conflicts, and each phone ends with both.
func TestTwoPhonesEditDifferentProperties(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		for wish := range 2 {
			h := bridgetest.Start(t, bridgetest.Options{})
			h.Store("contacts", "c", rich)
			one, two := newHandset(t, h, v, "phone1", "Contacts", wish), newHandset(t, h, v, "phone2", "Contacts", wish)
			if status, told := one.edit(job("Chief")); status != eas.SyncOK || told {
				t.Errorf("the first edit got status %d, told %v", status, told)
			}
			if status, told := two.edit(cell("2")); status != eas.SyncOK || !told {
				t.Errorf("the second edit got status %d, told of the first: %v", status, told)
			}
			stored(t, h, "contacts", "TITLE:Chief", "TEL;TYPE=CELL:2", "NOTE:Before", "X-KEEP;X-P=1:me", "N:Doe;Jane;;;", "FN:Jane Doe")
			two.holds(tag.ContactsJobTitle, "Chief")
			one.take(one.send())
			one.holds(tag.ContactsMobilePhoneNumber, "2")
			// And on: each edits upon what it was told.
			if status, _ := one.edit(cell("3")); status != eas.SyncOK {
				t.Errorf("an edit of what the other changed before got status %d", status)
			}
			stored(t, h, "contacts", "TITLE:Chief", "TEL;TYPE=CELL:3")
		}
	})
}

// Two phones edit the same property: the second one's wish decides about that
// property, and its other edits are carried out.
func TestTwoPhonesEditOneProperty(t *testing.T) {
	for wish, want := range []struct {
		title  string
		status eas.SyncStatus
	}{{"Second", eas.SyncOK}, {"First", eas.SyncConflict}} {
		t.Run(want.title, func(t *testing.T) {
			inEachVersion(t, func(t *testing.T, v eas.Version) {
				h := bridgetest.Start(t, bridgetest.Options{})
				h.Store("contacts", "c", rich)
				one, two := newHandset(t, h, v, "phone1", "Contacts", wish), newHandset(t, h, v, "phone2", "Contacts", wish)
				one.edit(job("First"), eas.T(tag.ContactsSpouse, "Jim"))
				status, told := two.edit(job("Second"), cell("2"))
				if status != want.status || !told {
					t.Errorf("the second edit got status %d, told %v; want %d and the merged card", status, told, want.status)
				}
				stored(t, h, "contacts", "TITLE:"+want.title, "TEL;TYPE=CELL:2", "X-KEEP;X-P=1:me")
				two.holds(tag.ContactsJobTitle, want.title)
				two.holds(tag.ContactsSpouse, "Jim")
				if status, told := two.take(two.send()); status != eas.SyncOK || told {
					t.Errorf("the card is told once more")
				}
			})
		})
	}
}

// The same edit twice is no conflict.
func TestTwoPhonesMakeTheSameEdit(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	h.Store("contacts", "c", rich)
	one, two := newHandset(t, h, eas.V141, "phone1", "Contacts", 1), newHandset(t, h, eas.V141, "phone2", "Contacts", 1)
	one.edit(job("Chief"))
	if status, _ := two.edit(job("Chief")); status != eas.SyncOK {
		t.Errorf("the same edit got status %d", status)
	}
}

// What an edit cannot be: a phone that edits nothing of its own brings nothing
// old back, even if it wins every conflict.
func TestAPhoneThatWinsBringsNothingOldBack(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		h.Store("contacts", "c", rich)
		s := newHandset(t, h, v, "phone1", "Contacts", 0)
		now := strings.NewReplacer("TITLE:Boss", "TITLE:Chief", "NOTE:Before", "NOTE:After", "Doe;Jane", "Roe;Jane", "Jane Doe", "Jane Roe").Replace(rich)
		h.Store("contacts", "c", now)
		s.edit(cell("2"))
		stored(t, h, "contacts", "TITLE:Chief", "NOTE:After", "N:Roe;Jane;;;", "FN:Jane Roe", "TEL;TYPE=CELL:2")
	})
}

// A hiccup makes the next Put's answer vanish on its way, after it was stored.
func hiccup(b *hooked) {
	b.stored = func() error {
		b.stored = nil
		return backend.Errorf(backend.Transient, "test", "the answer was lost")
	}
}

// The worker dies between the write to the server and its own commit; then the
// owner edits once more. The server's value is the phone's own, whatever it
// wishes for conflicts; what others did beside it stays.
func TestANewerEditAfterACrash(t *testing.T) {
	for _, tt := range []struct {
		name   string
		others string // the title by others, meanwhile
		again  eas.Element
		want   []string
	}{
		{"newer", "", cell("3"), []string{"TEL;TYPE=CELL:3"}},
		{"taken back", "", cell("1"), []string{"TEL;TYPE=CELL:1"}},
		{"newer, and others", "Chief", cell("3"), []string{"TEL;TYPE=CELL:3", "TITLE:Chief"}},
		{"the same, and others", "Chief", cell("2"), []string{"TEL;TYPE=CELL:2", "TITLE:Chief"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inEachVersion(t, func(t *testing.T, v eas.Version) {
				var b hooked
				state := t.TempDir()
				h := bridgetest.Start(t, b.on(state))
				h.Store("contacts", "c", rich)
				s := newHandset(t, h, v, "phone1", "Contacts", 1)
				hiccup(&b)
				s.held = s.with(cell("2"))
				if _, err := s.send(s.change()); err == nil {
					t.Fatal("the edit was answered")
				}
				stored(t, h, "contacts", "TEL;TYPE=CELL:2")
				if tt.others != "" {
					for id, body := range h.Backend.Items(bridgetest.User, "contacts") {
						h.Store("contacts", id, strings.Replace(string(body), "TITLE:Boss", "TITLE:"+tt.others, 1))
					}
				}
				other := hooked{Backend: b.Backend} // another worker takes over
				s.c.URL = bridgetest.Start(t, other.on(state)).URL
				status, told := s.edit(tt.again)
				if status != eas.SyncOK || told != (tt.others != "") {
					t.Errorf("the newer edit got status %d, told %v", status, told)
				}
				stored(t, h, "contacts", append(tt.want, "X-KEEP;X-P=1:me")...)
			})
		})
	}
}

// The answer to an edit is lost after the commit, and the owner edits once
// more; others edited, too, and the lost answer said so.
func TestANewerEditAfterALostAnswer(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		for wish := range 2 {
			h := bridgetest.Start(t, bridgetest.Options{})
			h.Store("contacts", "c", rich)
			s := newHandset(t, h, v, "phone1", "Contacts", wish)
			h.Store("contacts", "c", strings.Replace(rich, "TITLE:Boss", "TITLE:Chief", 1))
			s.held = s.with(cell("2"))
			if r, err := s.send(s.change()); err != nil || len(r.Commands) != 1 {
				t.Fatalf("the edit was answered %+v, %v; want the other's edit told", r, err)
			}
			status, told := s.edit(cell("3"))
			if status != eas.SyncOK || !told {
				t.Errorf("Conflict %d: the newer edit got status %d, told %v; want the other's edit told again", wish, status, told)
			}
			stored(t, h, "contacts", "TEL;TYPE=CELL:3", "TITLE:Chief")
			s.holds(tag.ContactsJobTitle, "Chief")
			if status, told := s.edit(job("Boss")); status != eas.SyncOK || told {
				t.Errorf("the edit after that got status %d, told %v", status, told)
			}
			stored(t, h, "contacts", "TEL;TYPE=CELL:3", "TITLE:Boss")
		}
	})
}

// An Add whose answer was lost, before the commit or after it, comes again with
// newer values, and others edited the item meanwhile.
func TestANewerAddOfWhatOthersEdited(t *testing.T) {
	for _, committed := range []bool{false, true} {
		t.Run(fmt.Sprintf("committed %v", committed), func(t *testing.T) {
			inEachVersion(t, func(t *testing.T, v eas.Version) {
				var b hooked
				h := bridgetest.Start(t, b.on(bridge.Memory))
				s := newHandset(t, h, v, "phone1", "Contacts", 1)
				s.held = eas.Properties{eas.T(tag.ContactsFirstName, "Jane"), eas.T(tag.ContactsLastName, "Doe"), job("Boss"), cell("1")}
				add := func() eas.SyncCommand {
					return eas.SyncCommand{Do: tag.AirSyncAdd, ClientID: "a1", Data: s.held}
				}
				if !committed {
					hiccup(&b)
				}
				if _, err := s.send(add()); (err == nil) != committed {
					t.Fatalf("the Add was answered with error %v", err)
				}
				for id, body := range h.Backend.Items(bridgetest.User, "contacts") {
					h.Store("contacts", id, strings.Replace(string(body), "TITLE:Boss", "TITLE:Chief\r\nX-KEEP:me", 1))
				}
				s.held = s.with(cell("2"))
				status, told := s.take(s.send(add()))
				if status != eas.SyncOK || !told {
					t.Errorf("the Add got status %d, told of the other's edit: %v", status, told)
				}
				stored(t, h, "contacts", "TITLE:Chief", "X-KEEP:me", "TEL;TYPE=CELL:2", "N:Doe;Jane;;;")
				s.holds(tag.ContactsJobTitle, "Chief")
				if status, told := s.edit(cell("3")); status != eas.SyncOK || told {
					t.Errorf("the next edit got status %d, told %v", status, told)
				}
				stored(t, h, "contacts", "TITLE:Chief", "TEL;TYPE=CELL:3")
			})
		})
	}
}

// The same Add again, of which nobody knows anything, is not told.
func TestTheSameAddAfterACrashIsNoNews(t *testing.T) {
	for _, class := range []struct {
		name string
		c    backend.CollectionID
		item eas.Properties
	}{
		{"Contacts", "contacts", eas.Properties{eas.T(tag.ContactsFirstName, "Jane"), job("Boss")}},
		{"Tasks", "tasks", eas.Properties{eas.T(tag.TasksSubject, "S"), eas.T(tag.TasksComplete, "0")}},
		{"Calendar", "calendar", append(when("20261201T100000Z", "20261201T110000Z"), eas.T(tag.CalendarSubject, "S"))},
	} {
		var b hooked
		h := bridgetest.Start(t, b.on(bridge.Memory))
		s := newHandset(t, h, eas.V141, "phone1", class.name, 1)
		hiccup(&b)
		add := eas.SyncCommand{Do: tag.AirSyncAdd, ClientID: "a1", Data: class.item}
		if _, err := s.send(add); err == nil {
			t.Fatal("the Add was answered")
		}
		if status, told := s.take(s.send(add)); status != eas.SyncOK || told {
			t.Errorf("%s: status %d, told %v", class.name, status, told)
		}
		stored(t, h, class.c)
	}
}

// A meeting's times are one property, and its guests are one each.
func TestTwoPhonesEditAMeeting(t *testing.T) {
	start := time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)
	meeting := strings.Replace(bridgetest.Event("e", "Before", start), "SUMMARY",
		"ORGANIZER:mailto:ann@example.org\r\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:bob@example.org\r\nSUMMARY", 1)
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{Edit: ofExampleOrg})
		h.Store("calendar", "e", meeting)
		s := newHandset(t, h, v, "phone1", "Calendar", 1)
		h.Store("calendar", "e", strings.NewReplacer("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED", "SUMMARY:Before", "SUMMARY:After").Replace(meeting))
		guests, _ := s.held.Find(tag.CalendarAttendees)
		guests.Children = append(slices.Clone(guests.Children), eas.C(tag.CalendarAttendee, eas.T(tag.CalendarEmail, "carl@example.org"), eas.T(tag.CalendarName, "Carl")))
		status, told := s.edit(append(when("20261201T120000Z", "20261201T130000Z"), guests)...)
		if status != eas.SyncOK || !told {
			t.Errorf("the edit got status %d, told %v", status, told)
		}
		stored(t, h, "calendar", "SUMMARY:After", "DTSTART:20261201T120000Z", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.org")
		for _, body := range h.Backend.Items(bridgetest.User, "calendar") {
			if !strings.Contains(strings.ReplaceAll(string(body), "\r\n ", ""), "mailto:carl@example.org") {
				t.Errorf("the new guest is not in\n%s", body)
			}
		}
	})
}

// A database of an earlier program knows nothing of what phones hold. Edits go
// on as they did there, where a conflict is one of whole items, until the phone
// is told of the item again.
func TestAnItemOfWhichNothingIsKnown(t *testing.T) {
	for _, tt := range []struct {
		name   string
		others string // what they made of the title meanwhile
		wish   int
		status eas.SyncStatus
		want   []string
	}{
		{"nobody else edits", "Boss", 1, eas.SyncOK, []string{"TITLE:Boss", "TEL;TYPE=CELL:2"}},
		{"the server wins", "Chief", 1, eas.SyncConflict, []string{"TITLE:Chief", "TEL;TYPE=CELL:1"}},
		{"the phone wins", "Chief", 0, eas.SyncOK, []string{"TITLE:Boss", "TEL;TYPE=CELL:2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			state := t.TempDir()
			h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.State = state }})
			h.Store("contacts", "c", rich)
			s := newHandset(t, h, eas.V141, "phone1", "Contacts", tt.wish)
			forget(t, state)
			if tt.others != "Boss" {
				h.Store("contacts", "c", strings.Replace(rich, "TITLE:Boss", "TITLE:"+tt.others, 1))
			}
			if status, _ := s.edit(cell("2")); status != tt.status {
				t.Errorf("the edit got status %d, want %d", status, tt.status)
			}
			stored(t, h, "contacts", tt.want...)
			// From now on it is known.
			h.Store("contacts", "c", strings.Replace(rich, "TITLE:Boss", "TITLE:Head", 1))
			s.take(s.send())
			h.Store("contacts", "c", strings.Replace(rich, "TITLE:Boss", "TITLE:Top", 1))
			if status, _ := s.edit(cell("4")); status != eas.SyncOK {
				t.Errorf("an edit of another property later got status %d", status)
			}
			stored(t, h, "contacts", "TITLE:Top", "TEL;TYPE=CELL:4")
		})
	}
}

// forget empties what a bridge knows of what phones hold.
func forget(t *testing.T, state string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(state, "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the databases in %s are %v, %v", state, files, err)
	}
	db, err := sql.Open("sqlite", "file:"+files[0]+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `DELETE FROM shown`); err != nil {
		t.Fatal(err)
	}
}

// Some phones go on sending when a task was done after it is open again. That no
// object can hold that makes nothing of it somebody else's doing: what the phone
// edits next is carried out, beside what others did.
func TestATaskIsOpenAgain(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		for wish := range 2 {
			h := bridgetest.Start(t, bridgetest.Options{})
			h.Store("tasks", "t", strings.Replace(bridgetest.Task("t", "Bread"), "END:VTODO", "STATUS:COMPLETED\r\nCOMPLETED:20260101T000000Z\r\nEND:VTODO", 1))
			one := newHandset(t, h, v, "phone1", "Tasks", wish)
			for _, edit := range []eas.Element{eas.T(tag.TasksComplete, "0"), eas.T(tag.TasksSubject, "Milk")} {
				if status, _ := one.edit(edit); status != eas.SyncOK {
					t.Errorf("%s got status %d", tag.Name(edit.Tag), status)
				}
			}
			stored(t, h, "tasks", "SUMMARY:Milk", "STATUS:NEEDS-ACTION")
			h.Store("tasks", "t", strings.Replace(string(h.Backend.Items(bridgetest.User, "tasks")["t"]), "END:VTODO", "X-DESK:1\r\nEND:VTODO", 1))
			if status, _ := one.edit(eas.T(tag.TasksComplete, "1"), eas.T(tag.TasksSubject, "Milk and bread")); status != eas.SyncOK {
				t.Errorf("doing it once more got status %d", status)
			}
			stored(t, h, "tasks", "SUMMARY:Milk and bread", "STATUS:COMPLETED", "X-DESK:1")
		}
	})
}
