package easserver_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

func when(s, e string) eas.Properties {
	return eas.Properties{eas.T(tag.CalendarStartTime, s), eas.T(tag.CalendarEndTime, e)}
}

// What contradicts itself is status 6 and is not stored. See [MS-ASCAL]
// "Recurrence" and [MS-ASCNTC] "Picture".
func TestItemsThatContradictThemselves(t *testing.T) {
	rule := func(children ...eas.Element) eas.Properties {
		return append(when("20261201T100000Z", "20261201T110000Z"), eas.T(tag.CalendarSubject, "S"), eas.C(tag.CalendarRecurrence, children...))
	}
	e := eas.T
	for _, tt := range []struct {
		name, class string
		item        eas.Properties
	}{
		{"DayOfMonth in a daily rule", "Calendar", rule(e(tag.CalendarType, "0"), e(tag.CalendarDayOfMonth, "3"))},
		{"a type that there is not", "Calendar", rule(e(tag.CalendarType, "4"))},
		{"no type", "Calendar", rule(e(tag.CalendarInterval, "1"))},
		{"weekly on no day", "Calendar", rule(e(tag.CalendarType, "1"), e(tag.CalendarDayOfWeek, "0"))},
		{"monthly on day 32", "Calendar", rule(e(tag.CalendarType, "2"), e(tag.CalendarDayOfMonth, "32"))},
		{"yearly in month 13", "Calendar", rule(e(tag.CalendarType, "5"), e(tag.CalendarDayOfMonth, "1"), e(tag.CalendarMonthOfYear, "13"))},
		{"the sixth Monday", "Calendar", rule(e(tag.CalendarType, "3"), e(tag.CalendarDayOfWeek, "2"), e(tag.CalendarWeekOfMonth, "6"))},
		{"an interval that is no number", "Calendar", rule(e(tag.CalendarType, "0"), e(tag.CalendarInterval, "often"))},
		{"the end before the start", "Calendar", append(when("20261201T110000Z", "20261201T100000Z"), e(tag.CalendarSubject, "S"))},
		{"a start that is no time", "Calendar", append(when("tomorrow", "20261201T100000Z"), e(tag.CalendarSubject, "S"))},
		{"a task's rule without a start", "Tasks", eas.Properties{e(tag.TasksSubject, "S"), eas.C(tag.TasksRecurrence, e(tag.TasksType, "0"), e(tag.TasksDayOfMonth, "3"))}},
		{"a picture that is too large", "Contacts", append(lastName("X"), e(tag.ContactsPicture, base64.StdEncoding.EncodeToString(make([]byte, 60_000))))},
		{"a birthday that is none", "Contacts", append(lastName("X"), e(tag.ContactsBirthday, "long ago"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, v := range bridgetest.Versions {
				h := bridgetest.Start(t, bridgetest.Options{})
				r := newRaw(t, h, v)
				c := r.collection(tt.class)
				c.Commands = []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "1", Data: tt.item}}
				got := r.one(c)
				if got.Status != eas.SyncOK || len(got.Responses) != 1 || got.Responses[0].Status != eas.SyncBadItem || got.Responses[0].ServerID != "" {
					t.Errorf("%s: answered %+v, want status 6", v, got)
				}
				for _, c := range []backend.CollectionID{"calendar", "tasks", "contacts"} {
					if n := len(h.Backend.Items(bridgetest.User, c)); n != 0 {
						t.Errorf("%s: %d items were stored", v, n)
					}
				}
			}
		})
	}
}

// What a phone leaves out of a new item is there when another phone gets it.
func TestWhatIsMadeUp(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		one, two := h.Phone(v, "phone1", phone.Settings{}), h.Phone(v, "phone2", phone.Settings{})
		bridgetest.Sync(t, one)
		rule := eas.C(tag.CalendarRecurrence, eas.T(tag.CalendarType, "1"), eas.T(tag.CalendarInterval, "1"), eas.T(tag.CalendarDayOfWeek, "4"), eas.T(tag.CalendarOccurrences, "5"))
		if _, err := one.Add(bridgetest.FolderOf(t, one, "Calendar").ServerID, append(when("20261201T100000Z", "20261201T110000Z"), eas.T(tag.CalendarSubject, "S"), rule)); err != nil {
			t.Fatal(err)
		}
		bridgetest.Sync(t, one)
		bridgetest.Sync(t, two)
		for _, item := range bridgetest.FolderOf(t, two, "Calendar").Items {
			want := []wbxml.Tag{tag.CalendarDtStamp, tag.CalendarStartTime, tag.CalendarEndTime, tag.CalendarUID, tag.CalendarSensitivity, tag.CalendarBusyStatus, tag.CalendarAllDayEvent, tag.CalendarMeetingStatus}
			if v < eas.V160 {
				want = append(want, tag.CalendarTimezone)
			}
			for _, w := range want {
				if _, ok := item.Find(w); !ok {
					t.Errorf("the event has no %s", tag.Name(w))
				}
			}
			r, _ := item.Find(tag.CalendarRecurrence)
			inner := eas.Properties(r.Children)
			_, until := inner.Find(tag.CalendarUntil)
			_, occurrences := inner.Find(tag.CalendarOccurrences)
			_, first := inner.Find(tag.CalendarFirstDayOfWeek)
			if until == occurrences || v >= eas.V141 && !first {
				t.Errorf("the rule is %v", inner)
			}
		}
	})
}

// [MS-ASAIRS] "TruncationSize (BodyPreference)", as small as it gets.
func TestTruncation(t *testing.T) {
	for _, v := range []eas.Version{eas.V121, eas.V141, eas.V161} {
		for _, tt := range []struct {
			prefs []eas.BodyPreference
			data  string
			cut   bool
			none  bool
		}{
			{[]eas.BodyPreference{{Type: 1, TruncationSize: ptr(8)}}, "What is ", true, false},
			{[]eas.BodyPreference{{Type: 1, TruncationSize: ptr(0)}}, "", true, true},
			{[]eas.BodyPreference{{Type: 1}}, "What is to be noted", false, false},
			{[]eas.BodyPreference{{Type: 1, TruncationSize: ptr(8), AllOrNone: true}}, "", true, true},
			{nil, "What is to be noted", false, false},
		} {
			h := bridgetest.Start(t, bridgetest.Options{})
			h.Store("calendar", "e", strings.Replace(bridgetest.Event("e", "E", time.Now().Add(time.Hour)), "X-KEEP", "DESCRIPTION:What is to be noted\r\nX-KEEP", 1))
			r := newRaw(t, h, v)
			c := r.collection("Calendar")
			c.SyncKey, c.Options = "0", []eas.SyncOptions{{BodyPreferences: tt.prefs}}
			c.SyncKey = r.one(c).SyncKey
			c.Options = nil // it sticks
			got := r.one(c)
			body, _ := got.Commands[0].Data.Find(tag.AirSyncBaseBody)
			inner := eas.Properties(body.Children)
			data, has := inner.Text(tag.AirSyncBaseData)
			truncated, _ := inner.Text(tag.AirSyncBaseTruncated)
			size, _ := inner.Text(tag.AirSyncBaseEstimatedDataSize)
			if data != tt.data || (truncated == "1") != tt.cut || size != "19" || tt.none == has && data != "" {
				t.Errorf("%s: body %v for %+v, want %q, truncated %v, of 19 bytes", v, inner, tt.prefs, tt.data, tt.cut)
			}
		}
	}
}

// A contact that turns into a group leaves the phones, and comes back as a
// contact.
func TestItemThatIsNoLongerShown(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		h.Store("contacts", "c", bridgetest.Card("c", "C"))
		r := newRaw(t, h, v)
		var id string
		for id = range bridgetest.FolderOf(t, r.phone, "Contacts").Items {
		}
		h.Store("contacts", "c", "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:c\r\nKIND:group\r\nFN:C\r\nMEMBER:urn:uuid:1\r\nEND:VCARD\r\n")
		c := r.collection("Contacts")
		c.Commands, c.GetChanges = []eas.SyncCommand{{Do: tag.AirSyncFetch, ServerID: id}, {Do: tag.AirSyncChange, ServerID: id, Data: lastName("X")}}, ptr(false)
		for _, o := range r.one(c).Responses {
			if o.Status == eas.SyncOK {
				t.Errorf("the phone was answered %+v for a group", o)
			}
		}
		r.phone = bridgetest.Checked(t, phone.New(r.Client, phone.Settings{}))
		h.Store("contacts", "c", bridgetest.Card("c", "C"))
		bridgetest.Sync(t, r.phone)
		h.Store("contacts", "c", "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:c\r\nKIND:group\r\nFN:C\r\nMEMBER:urn:uuid:1\r\nEND:VCARD\r\n")
		bridgetest.Sync(t, r.phone)
		if n := len(bridgetest.FolderOf(t, r.phone, "Contacts").Items); n != 0 {
			t.Errorf("the phone holds %d contacts, want none: it is a group now", n)
		}
		h.Store("contacts", "c", bridgetest.Card("c", "Again"))
		bridgetest.Sync(t, r.phone)
		if n := len(bridgetest.FolderOf(t, r.phone, "Contacts").Items); n != 1 {
			t.Errorf("the phone holds %d contacts, want the one that came back", n)
		}
	})
}

// A phone whose edit is refused for what is in it gets back what is there.
func TestRefusedChangeIsUndone(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		h.Store("calendar", "e", bridgetest.Event("e", "As it is", time.Now().Add(time.Hour)))
		r := newRaw(t, h, v)
		c := r.collection("Calendar")
		for id := range bridgetest.FolderOf(t, r.phone, "Calendar").Items {
			c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Data: append(when("20261201T110000Z", "20261201T100000Z"), eas.T(tag.CalendarSubject, "Backwards"))}}
		}
		got := r.one(c)
		if len(got.Responses) != 1 || got.Responses[0].Status != eas.SyncBadItem || len(got.Commands) != 1 || got.Commands[0].Do != tag.AirSyncChange {
			t.Fatalf("answered %+v, want status 6 and the event", got)
		}
		if s, _ := got.Commands[0].Data.Text(tag.CalendarSubject); s != "As it is" {
			t.Errorf("the phone is told of %q, want what the server holds", s)
		}
	})
}
