package task

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

var versions = eas.Versions

var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// options are those of a person in Berlin.
func options(v eas.Version) translate.Options {
	berlin, _ := tz.Location("Europe/Berlin")
	return translate.Options{Version: v, Zone: berlin, Now: now}
}

// object wraps the lines of a to-do; every object here has the same UID and
// stamp, and something that we do not know.
func object(lines ...string) []byte {
	all := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN", "BEGIN:VTODO", "UID:t1", "DTSTAMP:20260101T000000Z", "x-Odd;A=b:  kept "}
	all = append(all, lines...)
	all = append(all, "END:VTODO", "END:VCALENDAR", "")
	return []byte(strings.Join(all, "\r\n"))
}

var samples = map[string][]byte{
	"nothing but a name":   object("SUMMARY:Buy milk"),
	"dates":                object("SUMMARY:Tax", "DTSTART;VALUE=DATE:20261101", "DUE;VALUE=DATE:20261130", "PRIORITY:3", "CLASS:PRIVATE", "CATEGORIES:Home,Money"),
	"times in a zone":      object("SUMMARY:Call", "DTSTART;TZID=America/New_York:20261101T090000", "DUE;TZID=America/New_York:20261101T100000"),
	"a floating due time":  object("SUMMARY:Call", "DUE:20261101T233000"),
	"a duration":           object("SUMMARY:Call", "DTSTART:20261101T090000Z", "DURATION:P1DT2H"),
	"a start alone":        object("SUMMARY:Call", "DTSTART;VALUE=DATE:20261101"),
	"done":                 object("SUMMARY:Call", "STATUS:COMPLETED", "COMPLETED:20261102T101112Z", "PERCENT-COMPLETE:100"),
	"done without a date":  object("SUMMARY:Call", "PERCENT-COMPLETE:100"),
	"an alarm":             object("SUMMARY:Call", "DUE:20261101T090000Z", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "END:VALARM"),
	"an alarm at a time":   object("SUMMARY:Call", "BEGIN:VALARM", "ACTION:EMAIL", "TRIGGER:-PT1H", "END:VALARM", "BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER;VALUE=DATE-TIME:20261101T080000Z", "END:VALARM"),
	"every other week":     object("SUMMARY:Bins", "DTSTART;VALUE=DATE:20261102", "DUE;VALUE=DATE:20261102", "RRULE:WKST=SU;FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;UNTIL=20271231"),
	"every hour":           object("SUMMARY:Bins", "DTSTART:20261102T090000Z", "RRULE:FREQ=HOURLY"),
	"a subtask":            object("SUMMARY:Part", "RELATED-TO;RELTYPE=PARENT:t0", "PERCENT-COMPLETE:50", "STATUS:IN-PROCESS", "X-APPLE-SORT-ORDER:7"),
	"a long text":          object("SUMMARY:Text", "DESCRIPTION:One\\nTwo\\, three\\n\\nFour"),
	"folded in odd places": object("SUMM", " ARY:Te", "\txt"),
}

func TestIdentity(t *testing.T) {
	for name, ics := range samples {
		for _, v := range versions {
			t.Run(name+" "+v.String(), func(t *testing.T) { identity(t, ics, options(v)) })
		}
	}
}

// TestIdentityAnywhere: wherever the person is.
func TestIdentityAnywhere(t *testing.T) {
	for name, ics := range samples {
		for _, zone := range []string{"UTC", "Pacific/Auckland", "Pacific/Honolulu", "Asia/Kathmandu", "America/St_Johns"} {
			o := options(eas.V141)
			o.Zone, _ = tz.Location(zone)
			t.Run(name+" "+zone, func(t *testing.T) { identity(t, ics, o) })
		}
	}
}

// identity is the promise that everything rests on: what a phone is shown and
// sends back changes nothing.
func identity(t *testing.T, ics []byte, o translate.Options) {
	t.Helper()
	ps, err := FromICalendar(ics, o)
	if err != nil {
		if !errors.Is(err, translate.ErrUnreadable) && !errors.Is(err, translate.ErrNotShown) {
			t.Errorf("error %v is neither ErrUnreadable nor ErrNotShown", err)
		}
		return
	}
	back, err := Merge(ics, ps, o)
	if err != nil {
		t.Errorf("what the phone was shown is refused: %v", err)
	} else if !bytes.Equal(back, ics) {
		t.Errorf("a phone that changed nothing changed the object:\n%s", back)
	}
}

func TestCorpus(t *testing.T) {
	dir := os.Getenv("PUSHBRIDGE_CORPUS")
	if dir == "" {
		t.Skip("PUSHBRIDGE_CORPUS is not set")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "ics", "*.ics"))
	for _, f := range files {
		ics, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(f), func(t *testing.T) {
			for _, v := range versions {
				identity(t, ics, options(v))
			}
		})
	}
}

// TestAnswersAreValid validates what phones are told against the schemas.
func TestAnswersAreValid(t *testing.T) {
	for name, ics := range samples {
		for _, v := range versions {
			ps, err := FromICalendar(ics, options(v))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			doc, err := eas.Marshal(eas.SyncResponse{Collections: []eas.SyncResult{{SyncKey: "1", CollectionID: "1", Status: eas.SyncOK,
				Commands: []eas.SyncCommand{{Do: tag.AirSyncAdd, ServerID: "1:1", Data: ps}}}}}, v)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			eastest.Validate(t, doc)
		}
	}
}

func set(ps eas.Properties, t wbxml.Tag, text string) eas.Properties {
	for i := range ps {
		if ps[i].Tag == t {
			ps[i] = eas.T(t, text)
			return ps
		}
	}
	return append(ps, eas.T(t, text))
}

func without(ps eas.Properties, tags ...wbxml.Tag) eas.Properties {
	var rest eas.Properties
	for _, el := range ps {
		keep := true
		for _, t := range tags {
			keep = keep && el.Tag != t
		}
		if keep {
			rest = append(rest, el)
		}
	}
	return rest
}

// lines lists the lines that two objects do not have in common, stamps apart.
func lines(before, after []byte) (gone, added []string) {
	count := map[string]int{}
	for l := range strings.SplitSeq(string(before), "\r\n") {
		count[l]++
	}
	for l := range strings.SplitSeq(string(after), "\r\n") {
		if count[l]--; count[l] < 0 && !strings.HasPrefix(l, "DTSTAMP") {
			added = append(added, l)
		}
	}
	for l := range strings.SplitSeq(string(before), "\r\n") {
		if count[l] > 0 && !strings.HasPrefix(l, "DTSTAMP") {
			gone = append(gone, l)
			count[l]--
		}
	}
	return gone, added
}

func TestEditsTouchTheirLinesOnly(t *testing.T) {
	for _, c := range []struct {
		name, sample string
		edit         func(eas.Properties) eas.Properties
		gone, added  string // lines, separated by |
	}{
		{"another name", "dates", func(ps eas.Properties) eas.Properties { return set(ps, tag.TasksSubject, "Taxes, at last") },
			"SUMMARY:Tax", `SUMMARY:Taxes\, at last`},
		{"ticked off", "dates", func(ps eas.Properties) eas.Properties {
			return set(set(ps, tag.TasksComplete, "1"), tag.TasksDateCompleted, "2026-11-22T07:00:00.000Z")
		}, "", "STATUS:COMPLETED|PERCENT-COMPLETE:100|COMPLETED:20261122T070000Z"},
		{"ticked off, and nothing else sent", "dates", func(eas.Properties) eas.Properties { return eas.Properties{eas.T(tag.TasksComplete, "1")} },
			"", "STATUS:COMPLETED|PERCENT-COMPLETE:100|COMPLETED:20261122T080000Z"},
		{"open again", "done", func(ps eas.Properties) eas.Properties {
			return set(without(ps, tag.TasksDateCompleted), tag.TasksComplete, "0")
		}, "STATUS:COMPLETED|COMPLETED:20261102T101112Z|PERCENT-COMPLETE:100", "STATUS:NEEDS-ACTION"},
		{"another due date", "dates", func(ps eas.Properties) eas.Properties {
			return set(set(ps, tag.TasksDueDate, "2026-12-01T00:00:00.000Z"), tag.TasksUtcDueDate, "2026-11-30T23:00:00.000Z")
		}, "DUE;VALUE=DATE:20261130", "DUE;VALUE=DATE:20261201"},
		{"another due date keeps the time of day", "times in a zone", func(ps eas.Properties) eas.Properties {
			return set(without(ps, tag.TasksUtcDueDate), tag.TasksDueDate, "2026-11-03T00:00:00.000Z")
		}, "DUE;TZID=America/New_York:20261101T100000", "DUE;TZID=America/New_York:20261103T100000"},
		{"a due date as UTC only", "nothing but a name", func(ps eas.Properties) eas.Properties {
			return set(ps, tag.TasksUtcDueDate, "2026-11-30T23:00:00.000Z")
		}, "", "DUE;VALUE=DATE:20261201"},
		{"no dates any more", "dates", func(ps eas.Properties) eas.Properties {
			return without(ps, tag.TasksDueDate, tag.TasksUtcDueDate, tag.TasksStartDate, tag.TasksUtcStartDate)
		}, "DTSTART;VALUE=DATE:20261101|DUE;VALUE=DATE:20261130", ""},
		{"more important", "dates", func(ps eas.Properties) eas.Properties { return set(ps, tag.TasksImportance, "1") }, "PRIORITY:3", "PRIORITY:5"},
		{"personal is private already", "dates", func(ps eas.Properties) eas.Properties { return set(ps, tag.TasksSensitivity, "1") }, "", ""},
		{"sensitivity left out", "dates", func(ps eas.Properties) eas.Properties { return without(ps, tag.TasksSensitivity) }, "", ""},
		{"one category less", "dates", func(ps eas.Properties) eas.Properties {
			return append(without(ps, tag.TasksCategories), eas.C(tag.TasksCategories, eas.T(tag.TasksCategory, "Money")))
		}, "CATEGORIES:Home,Money", "CATEGORIES:Money"},
		{"categories left out", "dates", func(ps eas.Properties) eas.Properties { return without(ps, tag.TasksCategories) }, "CATEGORIES:Home,Money", ""},
		{"a later reminder", "an alarm", func(ps eas.Properties) eas.Properties {
			return set(ps, tag.TasksReminderTime, "2026-11-01T08:55:00.000Z")
		},
			"TRIGGER:-PT15M", "TRIGGER;VALUE=DATE-TIME:20261101T085500Z"},
		{"no reminder", "an alarm at a time", func(ps eas.Properties) eas.Properties {
			return set(without(ps, tag.TasksReminderTime), tag.TasksReminderSet, "0")
		}, "BEGIN:VALARM|END:VALARM|ACTION:AUDIO|TRIGGER;VALUE=DATE-TIME:20261101T080000Z", ""},
		{"another end of the series", "every other week", func(ps eas.Properties) eas.Properties {
			el, _ := ps.Find(tag.TasksRecurrence)
			el.Children = append(without(el.Children, tag.TasksUntil), eas.T(tag.TasksOccurrences, "5"))
			return append(without(ps, tag.TasksRecurrence), el)
		}, "RRULE:WKST=SU;FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;UNTIL=20271231", "RRULE:WKST=SU;FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;COUNT=5"},
		{"a series from now on", "a start alone", func(ps eas.Properties) eas.Properties {
			return append(ps, eas.C(tag.TasksRecurrence, eas.T(tag.TasksType, "2"), eas.T(tag.TasksStart, "2026-11-01T00:00:00.000Z"), eas.T(tag.TasksDayOfMonth, "1")))
		}, "", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1"},
		{"a series that counts from when it was done", "every other week", func(ps eas.Properties) eas.Properties {
			el, _ := ps.Find(tag.TasksRecurrence)
			el.Children = append(slices.Clone(el.Children), eas.T(tag.TasksRegenerate, "1"))
			return append(without(ps, tag.TasksRecurrence), el)
		}, "", "X-PUSHBRIDGE-REGENERATE:1"},
		{"an occurrence that is done with does not recur", "dates", func(ps eas.Properties) eas.Properties {
			return append(ps, eas.C(tag.TasksRecurrence, eas.T(tag.TasksType, "0"), eas.T(tag.TasksStart, "2026-11-01T00:00:00.000Z"), eas.T(tag.TasksDeadOccur, "1")))
		}, "", ""},
		{"another place in the list", "dates", func(ps eas.Properties) eas.Properties {
			return append(ps, eas.T(tag.TasksOrdinalDate, "2026-11-01T08:00:00.000Z"), eas.T(tag.TasksSubOrdinalDate, "5"))
		}, "", "X-PUSHBRIDGE-ORDINAL-DATE:20261101T080000Z|X-PUSHBRIDGE-SUBORDINAL-DATE:5"},
		{"a subtask that is half done", "a subtask", func(ps eas.Properties) eas.Properties { return set(ps, tag.TasksSubject, "Half") }, "SUMMARY:Part", "SUMMARY:Half"},
		{"no series any more", "every other week", func(ps eas.Properties) eas.Properties { return without(ps, tag.TasksRecurrence) },
			"RRULE:WKST=SU;FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;UNTIL=20271231", ""},
		{"another name for what recurs in its own way", "every hour", func(ps eas.Properties) eas.Properties { return set(ps, tag.TasksSubject, "Bin") }, "SUMMARY:Bins", "SUMMARY:Bin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(eas.V141)
			ps, err := FromICalendar(samples[c.sample], o)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Merge(samples[c.sample], c.edit(ps), o)
			if err != nil {
				t.Fatal(err)
			}
			gone, added := lines(samples[c.sample], got)
			if strings.Join(gone, "|") != c.gone || strings.Join(added, "|") != c.added {
				t.Errorf("gone  %q\nwant  %q\nadded %q\nwant  %q", strings.Join(gone, "|"), c.gone, strings.Join(added, "|"), c.added)
			}
		})
	}
}

func TestRefusedEdits(t *testing.T) {
	recurrence := func(els ...eas.Element) eas.Properties { return eas.Properties{eas.C(tag.TasksRecurrence, els...)} }
	for _, c := range []struct {
		name, sample string
		sent         eas.Properties
	}{
		{"Complete is neither 0 nor 1", "dates", eas.Properties{eas.T(tag.TasksComplete, "2")}},
		{"a date that is none", "dates", eas.Properties{eas.T(tag.TasksDueDate, "tomorrow")}},
		{"due before it starts", "dates", eas.Properties{eas.T(tag.TasksStartDate, "2026-12-02T00:00:00.000Z"), eas.T(tag.TasksDueDate, "2026-12-01T00:00:00.000Z")}},
		{"Importance out of range", "dates", eas.Properties{eas.T(tag.TasksImportance, "3")}},
		{"a type 4", "dates", recurrence(eas.T(tag.TasksType, "4"))},
		{"a daily series with a day of the month", "dates", recurrence(eas.T(tag.TasksType, "0"), eas.T(tag.TasksDayOfMonth, "1"))},
		{"a series without a start", "nothing but a name", recurrence(eas.T(tag.TasksType, "0"))},
		{"Regenerate is neither 0 nor 1", "dates", recurrence(eas.T(tag.TasksType, "0"), eas.T(tag.TasksRegenerate, "x"))},
		{"too many categories", "dates", eas.Properties{eas.T(tag.TasksSubject, "x"), eas.C(tag.TasksCategories, make([]eas.Element, 301)...)}},
		{"another rule for what recurs in its own way", "every hour", recurrence(eas.T(tag.TasksType, "0"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := Merge(samples[c.sample], c.sent, options(eas.V141)); !errors.Is(err, translate.ErrInvalid) {
				t.Errorf("error = %v, want ErrInvalid\nThe phone must be told that this is not stored:\n%s", err, got)
			}
		})
	}
}

func TestNew(t *testing.T) {
	sent := eas.Properties{
		eas.T(tag.TasksSubject, "Water the plants"), eas.T(tag.TasksImportance, "2"), eas.T(tag.TasksComplete, "0"),
		eas.T(tag.TasksStartDate, "2026-11-23T00:00:00.000Z"), eas.T(tag.TasksUtcStartDate, "2026-11-22T23:00:00.000Z"),
		eas.T(tag.TasksDueDate, "2026-11-24T00:00:00.000Z"), eas.T(tag.TasksUtcDueDate, "2026-11-23T23:00:00.000Z"),
		eas.T(tag.TasksReminderSet, "1"), eas.T(tag.TasksReminderTime, "2026-11-23T08:00:00.000Z"),
		eas.C(tag.TasksRecurrence, eas.T(tag.TasksType, "1"), eas.T(tag.TasksStart, "2026-11-23T00:00:00.000Z"), eas.T(tag.TasksDayOfWeek, "2")),
	}
	got, err := New("u1", sent, options(eas.V141))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{"BEGIN:VCALENDAR", "PRODID:-//pushbridge//pushbridge//EN", "VERSION:2.0", "BEGIN:VTODO", "CREATED:20261122T080000Z",
		"DTSTAMP:20261122T080000Z", "UID:u1", "DTSTART;VALUE=DATE:20261123", "DUE;VALUE=DATE:20261124",
		"RRULE:FREQ=WEEKLY;BYDAY=MO", "SUMMARY:Water the plants", "PRIORITY:1", "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Water the plants",
		"TRIGGER;VALUE=DATE-TIME:20261123T080000Z", "END:VALARM", "END:VTODO", "END:VCALENDAR", ""}, "\r\n")
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if UID(got) != "u1" {
		t.Errorf("UID = %q", UID(got))
	}
}

func TestFacts(t *testing.T) {
	for name, want := range map[string]translate.Facts{
		"dates": {Ends: translate.Forever},
		"done":  {Ends: time.Date(2026, 11, 2, 10, 11, 12, 0, time.UTC).Unix(), Done: true},
	} {
		if got, err := Facts(samples[name], options(eas.V141)); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
	}
}

// FuzzMerge: whatever the object, a phone that changes nothing changes nothing.
func FuzzMerge(f *testing.F) {
	for _, ics := range samples {
		f.Add(ics)
	}
	f.Fuzz(func(t *testing.T, ics []byte) {
		for _, v := range versions {
			identity(t, ics, options(v))
		}
		Facts(ics, options(eas.V141))
	})
}

func BenchmarkFromICalendar(b *testing.B) {
	o := options(eas.V141)
	for b.Loop() {
		FromICalendar(samples["every other week"], o)
	}
}
