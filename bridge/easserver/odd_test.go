package easserver_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// odd texts are put where a phone would write a number, a time or a name.
var oddTexts = []string{
	"", "0", "1", "2", "-1", "99999999999999999999", "1e9", "true", "20261201T100000Z", "2026-12-01T10:00:00.000Z", "20269999T999999Z",
	"00010101T000000Z", "99991231T235959Z", "AAAA", strings.Repeat("A", 100_000), "\u0001\u0002", "ä\u202eö\U0001F600", "a;b,c:d\"e\nf\r\ng", "BEGIN:VCARD\r\nEND:VCARD",
	"../../etc/passwd", "1:1", "Contacts", "SMS", strings.Repeat("=", 300), "P1D", "\"x\" <y@z>",
}

// mutate makes a request odd: texts are replaced, elements left out, doubled,
// emptied or put elsewhere.
func mutate(r *rand.Rand, e eas.Element, depth int) eas.Element {
	out := eas.Element{Tag: e.Tag, Text: e.Text, Opaque: e.Opaque}
	if len(e.Children) == 0 && r.IntN(6) == 0 {
		out.Text, out.Opaque = oddTexts[r.IntN(len(oddTexts))], nil
		if r.IntN(4) == 0 {
			out.Text, out.Opaque = "", []byte(out.Text+"\xff\x00")
		}
	}
	for _, c := range e.Children {
		switch r.IntN(24) {
		case 0:
			continue
		case 1:
			out.Children = append(out.Children, mutate(r, c, depth+1))
		case 2:
			c.Children = nil
		case 3:
			if i := r.IntN(len(e.Children)); depth > 1 {
				c.Tag = e.Children[i].Tag
			}
		case 4:
			c = eas.Element{Tag: c.Tag, Children: []eas.Element{c}}
		}
		out.Children = append(out.Children, mutate(r, c, depth+1))
	}
	return out
}

// element reads a document as an element of which nothing is known.
func element(t testing.TB, doc []byte) eas.Element {
	t.Helper()
	e, err := tree(doc)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func tree(doc []byte) (eas.Element, error) {
	d, err := wbxml.NewDecoder(doc)
	if err != nil {
		return eas.Element{}, err
	}
	var read func(e eas.Element) (eas.Element, error)
	read = func(e eas.Element) (eas.Element, error) {
		for {
			token, err := d.Next()
			switch {
			case err != nil:
				return e, err
			case token.Kind == wbxml.Start:
				c, err := read(eas.Element{Tag: token.Tag})
				if err != nil {
					return e, err
				}
				e.Children = append(e.Children, c)
			case token.Kind == wbxml.End:
				return e, nil
			default:
				e.Text += string(token.Data)
			}
		}
	}
	first, err := d.Next()
	if err != nil {
		return eas.Element{}, err
	}
	return read(eas.Element{Tag: first.Tag})
}

func document(e eas.Element) []byte {
	w := wbxml.NewEncoder(nil)
	var write func(eas.Element)
	write = func(e eas.Element) {
		switch {
		case e.Opaque != nil:
			w.Start(e.Tag)
			w.Opaque(e.Opaque)
			w.End()
		case len(e.Children) == 0:
			w.Element(e.Tag, e.Text)
		default:
			w.Start(e.Tag)
			for _, c := range e.Children {
				write(c)
			}
			w.End()
		}
	}
	write(e)
	return w.Bytes()
}

// Whatever a phone sends, it is answered in the protocol or refused as what it
// is; nothing is an "internal error", and each answer keeps the schemas.
func TestOddInputIsNoInternalError(t *testing.T) {
	T, C := eas.T, eas.C
	person := eas.Properties{T(tag.ContactsFirstName, "A"), T(tag.ContactsLastName, "B"), T(tag.ContactsBirthday, "1980-05-06T00:00:00.000Z"), T(tag.ContactsEmail1Address, "a@b.c"),
		T(tag.ContactsPicture, "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP8="), C(tag.ContactsCategories, T(tag.ContactsCategory, "X")), C(tag.AirSyncBaseBody, T(tag.AirSyncBaseType, "1"), T(tag.AirSyncBaseData, "text"))}
	rule := C(tag.CalendarRecurrence, T(tag.CalendarType, "3"), T(tag.CalendarInterval, "2"), T(tag.CalendarDayOfWeek, "4"), T(tag.CalendarWeekOfMonth, "5"), T(tag.CalendarUntil, "20271201T100000Z"))
	exception := C(tag.CalendarExceptions, C(tag.CalendarException, T(tag.CalendarExceptionStartTime, "20261229T100000Z"), T(tag.CalendarSubject, "E"), T(tag.CalendarStartTime, "20261229T120000Z"), T(tag.CalendarEndTime, "20261229T130000Z")))
	event := eas.Properties{T(tag.CalendarTimezone, "AAAA"), T(tag.CalendarAllDayEvent, "0"), T(tag.CalendarStartTime, "20261201T100000Z"), T(tag.CalendarEndTime, "20261201T110000Z"), T(tag.CalendarDtStamp, "20261101T100000Z"),
		T(tag.CalendarSubject, "S"), T(tag.CalendarReminder, "15"), T(tag.CalendarBusyStatus, "2"), T(tag.CalendarSensitivity, "0"), T(tag.CalendarUID, "uid"), rule, exception,
		C(tag.CalendarAttendees, C(tag.CalendarAttendee, T(tag.CalendarEmail, "a@b.c"), T(tag.CalendarName, "N"), T(tag.CalendarAttendeeType, "1")))}
	task := eas.Properties{T(tag.TasksSubject, "S"), T(tag.TasksImportance, "1"), T(tag.TasksUtcStartDate, "2026-12-01T10:00:00.000Z"), T(tag.TasksStartDate, "2026-12-01T10:00:00.000Z"), T(tag.TasksUtcDueDate, "2026-12-02T10:00:00.000Z"), T(tag.TasksDueDate, "2026-12-02T10:00:00.000Z"),
		T(tag.TasksComplete, "1"), T(tag.TasksDateCompleted, "2026-12-02T10:00:00.000Z"), T(tag.TasksReminderSet, "1"), T(tag.TasksReminderTime, "2026-12-01T09:00:00.000Z"),
		C(tag.TasksRecurrence, T(tag.TasksType, "1"), T(tag.TasksStart, "2026-12-01T10:00:00.000Z"), T(tag.TasksInterval, "1"), T(tag.TasksDayOfWeek, "2"), T(tag.TasksOccurrences, "3"), T(tag.TasksRegenerate, "0"))}
	note := eas.Properties{T(tag.NotesSubject, "S"), T(tag.NotesMessageClass, "IPM.StickyNote"), T(tag.NotesLastModifiedDate, "20261201T100000Z"), C(tag.AirSyncBaseBody, T(tag.AirSyncBaseType, "1"), T(tag.AirSyncBaseData, "text"))}
	items := map[string]eas.Properties{"Contacts": person, "Calendar": event, "Tasks": task, "Notes": note}
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		fill(h)
		h.Store("calendar", "series", strings.Replace(bridgetest.Event("series", "Series", time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)), "SUMMARY", "RRULE:FREQ=DAILY;COUNT=5\r\nSUMMARY", 1))
		c := newRaw(t, h, v)
		random := rand.New(rand.NewPCG(1, uint64(v)))
		for round := range 5 { // many more were tried once; these are against relapses
			requests := map[eas.Command]any{
				eas.CmdFolderSync: &eas.FolderSyncRequest{SyncKey: "0"},
				eas.CmdPing:       &eas.PingRequest{HeartbeatInterval: ptr(5000), Folders: []eas.PingFolder{{ID: "1", Class: "Contacts"}, {ID: "2", Class: "Calendar"}}},
				eas.CmdProvision: &eas.ProvisionRequest{DeviceInformation: &eas.DeviceInformation{Model: "M", OS: "O"},
					Policies: []eas.Policy{{PolicyType: "MS-EAS-Provisioning-WBXML", PolicyKey: "1", Status: 1}}},
				eas.CmdGetItemEstimate: &eas.GetItemEstimateRequest{Collections: []eas.EstimateCollection{{Class: "Contacts", CollectionID: "1", SyncKey: c.collection("Contacts").SyncKey, Options: []eas.SyncOptions{{FilterType: ptr(0)}}}}},
				eas.CmdItemOperations: &eas.ItemOperationsRequest{Fetches: []eas.FetchRequest{{Store: "Mailbox", CollectionID: "1", ServerID: "1:1",
					Options: &eas.FetchOptions{Schema: []wbxml.Tag{tag.ContactsLastName}, Range: "0-10", BodyPreferences: []eas.BodyPreference{{Type: 1, TruncationSize: ptr(5)}}}}}},
				eas.CmdSettings: &eas.SettingsRequest{Oof: &eas.OofRequest{Get: &eas.OofGet{BodyType: "TEXT"}}, UserInformation: &eas.InformationRequest{Get: true},
					DeviceInformation: &eas.DeviceInformation{Model: "M"}, DevicePassword: &eas.DevicePassword{Password: "x"}},
			}
			for class, item := range items {
				if class == "Notes" && v < eas.V140 {
					continue
				}
				f := bridgetest.FolderOf(t, c.phone, class)
				sync := eas.SyncCollection{CollectionID: f.ServerID, SyncKey: f.SyncKey, WindowSize: ptr(3), GetChanges: ptr(true),
					Options: []eas.SyncOptions{{FilterType: ptr(0), Conflict: ptr(0), BodyPreferences: []eas.BodyPreference{{Type: 1, TruncationSize: ptr(100)}}}}}
				sync.Commands = []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: fmt.Sprint(round), Data: item}}
				for id := range f.Items {
					sync.Commands = append(sync.Commands, eas.SyncCommand{Do: tag.AirSyncChange, ServerID: id, Data: item})
					if class != "Notes" { // the schemas have forgotten them in a Fetch
						sync.Commands = append(sync.Commands, eas.SyncCommand{Do: tag.AirSyncFetch, ServerID: id})
					}
					if v >= eas.V160 && class == "Calendar" {
						sync.Commands = append(sync.Commands, eas.SyncCommand{Do: tag.AirSyncChange, ServerID: id, InstanceID: "20261203T090000Z", Data: item})
					}
				}
				requests[eas.Command("Sync "+class)] = &eas.SyncRequest{Collections: []eas.SyncCollection{sync}, WindowSize: ptr(10)}
			}
			for name, message := range requests {
				command, _, _ := strings.Cut(string(name), " ")
				if !eas.Command(command).KnownIn(v) {
					continue
				}
				odd := mutate(random, element(t, mustMarshal(t, message, v)), 0)
				_, _, err := c.Do(t.Context(), easclient.Call{Query: eas.Query{Command: eas.Command(command)}, Body: document(odd)})
				if status, _ := httpStatus(t, err); status >= 500 {
					t.Errorf("%s was answered %d; the request was\n%.4000s", name, status, xml(t, document(odd)))
					return
				}
			}
			bridgetest.Sync(t, c.phone)
		}
		if strings.Contains(h.Log.String(), "panic") {
			t.Error("something panicked")
		}
	})
}
