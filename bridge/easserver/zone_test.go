package easserver_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// Where people are, the configuration says: an event without a zone begins by their
// clock, and what a phone adds is in their zone where its own has the same rules.
func TestZoneOfPeople(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.TimeZone = "Europe/Vienna" }})
		jog := bridgetest.Event("jog", "Jog", time.Date(2031, 1, 7, 7, 0, 0, 0, time.UTC))
		h.Store("calendar", "jog", strings.NewReplacer("0000Z\r\nDTEND", "0000\r\nDTEND", "0000Z\r\nSUMMARY", "0000\r\nSUMMARY").Replace(jog))
		r := newRaw(t, h, v)
		for _, item := range bridgetest.FolderOf(t, r.phone, "Calendar").Items {
			if start, _ := item.Text(tag.CalendarStartTime); start != "20310107T060000Z" {
				t.Errorf("what begins at 7 in Vienna begins at %s", start)
			}
		}
		c := r.collection("Calendar")
		c.Commands = []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "new", Data: append(when("20310107T110000Z", "20310107T120000Z"), eas.T(tag.CalendarSubject, "Lunch"))}}
		if got := r.one(c); len(got.Responses) != 1 || got.Responses[0].Status != eas.SyncOK {
			t.Fatalf("answered %+v", got)
		}
		for id, body := range h.Backend.Items(bridgetest.User, "calendar") {
			if id != "jog" && !strings.Contains(string(body), "DTSTART;TZID=Europe/Vienna:20310107T120000") {
				t.Errorf("the phone's lunch is\n%s", body)
			}
		}
	})
}

// newYork is how programs explain a zone by its rules alone.
const newYork = "BEGIN:VTIMEZONE\r\nTZID:Ours\r\n" +
	"BEGIN:STANDARD\r\nDTSTART:20071104T020000\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\r\nEND:STANDARD\r\n" +
	"BEGIN:DAYLIGHT\r\nDTSTART:20070311T020000\r\nTZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\r\nEND:DAYLIGHT\r\n" +
	"END:VTIMEZONE"

// local is an event without a zone.
func local(uid, start, end string) string {
	return strings.Join([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//pushbridge//test//EN", "BEGIN:VEVENT", "UID:" + uid, "DTSTAMP:20260101T000000Z",
		"SUMMARY:" + uid, start, end, "END:VEVENT", "END:VCALENDAR", ""}, "\r\n")
}

// everyTuesday is what phones are told of the rule of "class" below.
var everyTuesday = eas.C(tag.CalendarRecurrence, eas.T(tag.CalendarType, "1"), eas.T(tag.CalendarInterval, "1"),
	eas.T(tag.CalendarDayOfWeek, "4"), eas.T(tag.CalendarOccurrences, "4"))

// A calendar gets a zone of its own: what has none in it begins at another moment,
// which phones are told of. One that edits such an event before it hears of that
// moves it only where its owner did.
func TestZoneOfACalendar(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.TimeZone = "Europe/Vienna" }})
		h.Store("calendar", "jog", local("jog", "DTSTART:20310107T070000", "DTEND:20310107T080000"))
		h.Store("calendar", "swim", local("swim", "DTSTART:20310107T090000", "DTEND:20310107T100000"))
		h.Store("calendar", "holiday", local("holiday", "DTSTART;VALUE=DATE:20310108", "DTEND;VALUE=DATE:20310109"))
		h.Store("calendar", "call", local("call", "DTSTART:20310107T170000Z", "DTEND:20310107T180000Z"))
		h.Store("calendar", "class", local("class", "DTSTART:20310107T110000\r\nRRULE:FREQ=WEEKLY;COUNT=4", "DURATION:PT1H"))
		r := newRaw(t, h, v)
		held := map[string]string{}
		for id, item := range bridgetest.FolderOf(t, r.phone, "Calendar").Items {
			held[phone.Title(item)] = id
		}
		h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "calendar", Kind: backend.Events, Name: "Calendar", Default: true, Zone: newYork})
		bridgetest.Sync(t, h.Phone(v, "phone2", phone.Settings{})) // which asks for the folders

		c := r.collection("Calendar")
		named := func(s string) eas.Element { return eas.T(tag.CalendarSubject, s) }
		c.Commands = []eas.SyncCommand{
			{Do: tag.AirSyncChange, ServerID: held["jog"], Data: append(when("20310107T060000Z", "20310107T070000Z"), named("Jog along"))},
			{Do: tag.AirSyncChange, ServerID: held["swim"], Data: append(when("20310107T150000Z", "20310107T160000Z"), named("swim"))},
			{Do: tag.AirSyncAdd, ClientID: "new", Data: append(when("20310107T180000Z", "20310107T190000Z"), named("Lunch"))},
		}
		const second = "20310114T100000Z" // occurrence, as the phone holds it
		edit := eas.SyncCommand{Do: tag.AirSyncChange, ServerID: held["class"], Data: eas.Properties{named("Test")}}
		if v >= eas.V160 {
			edit.InstanceID = second
		} else {
			edit.Data = append(when("20310107T100000Z", "20310107T110000Z"), named("class"), everyTuesday,
				eas.C(tag.CalendarExceptions, eas.C(tag.CalendarException, eas.T(tag.CalendarExceptionStartTime, second), named("Test"))))
		}
		c.Commands = append(c.Commands, edit)
		got := r.one(c)
		for _, response := range got.Responses {
			want := eas.SyncOK
			if response.ServerID == held["class"] {
				want = eas.SyncBadItem
			}
			if response.Status != want {
				t.Errorf("answered %+v, want status %d", response, want)
			}
		}
		starts := map[string]string{}
		for _, cmd := range got.Commands {
			start, _ := cmd.Data.Text(tag.CalendarStartTime)
			title, _ := cmd.Data.Text(tag.CalendarSubject)
			starts[title] = start
		}
		day := "20310108T050000Z"
		if v >= eas.V160 {
			day = "20310108T000000Z"
		}
		want := map[string]string{"Jog along": "20310107T120000Z", "swim": "20310107T150000Z", "holiday": day, "class": "20310107T160000Z"}
		if !maps.Equal(starts, want) {
			t.Errorf("the phone is told %v, want %v", starts, want)
		}
		for id, line := range map[backend.ItemID]string{
			"jog": "DTSTART:20310107T070000\r\n", "swim": "DTSTART:20310107T100000\r\n", "holiday": "DTSTART;VALUE=DATE:20310108\r\n", "call": "DTSTART:20310107T170000Z\r\n",
			"class": "COUNT=4\r\nDURATION:PT1H\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		} {
			if body := string(h.Backend.Items(bridgetest.User, "calendar")[id]); !strings.Contains(body, line) {
				t.Errorf("want %q in\n%s", line, body)
			}
		}
		for id, body := range h.Backend.Items(bridgetest.User, "calendar") {
			if strings.Contains(string(body), "SUMMARY:Lunch") && !strings.Contains(string(body), "DTSTART;TZID=America/New_York:20310107T130000") {
				t.Errorf("the phone's lunch is %s:\n%s", id, body)
			}
		}
	})
}

// What no zone can be made of is none, and is said once for each list of folders.
func TestOddZonesOfCalendars(t *testing.T) {
	for name, zone := range map[string]string{
		"an unknown name": "Middle-earth/Shire", "no words": "\x00\xff;:\r\n", "rules without an end": "BEGIN:VTIMEZONE\r\nTZID:x\r\n",
		"no rules": "BEGIN:VTIMEZONE\r\nTZID:x\r\nEND:VTIMEZONE", "rules that nobody has": strings.Replace(newYork, "-0400", "-0411", 2),
		"an offset of a day": strings.ReplaceAll(newYork, "-0", "-9"), "a megabyte": strings.Repeat("BEGIN:VTIMEZONE\r\n", 60_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.TimeZone = "Europe/Vienna" }})
			for _, id := range []backend.CollectionID{"calendar", "work"} {
				h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: id, Kind: backend.Events, Name: string(id), Default: id == "calendar", Zone: zone})
			}
			h.Store("calendar", "jog", local("jog", "DTSTART:20310107T070000", "DTEND:20310107T080000"))
			p := h.Phone(eas.V161, "phone1", phone.Settings{})
			bridgetest.Sync(t, p)
			if start, _ := begins(t, p, "jog"); start != "20310107T060000Z" {
				t.Errorf("what begins at 7 in Vienna begins at %s", start)
			}
			lists, said := h.Backend.Calls(memory.OpCollections), strings.Count(h.Log.String(), "have a time zone that is not known")
			if said == 0 || said > lists {
				t.Errorf("the log says it %d times for %d lists of folders", said, lists)
			}
		})
	}
}
