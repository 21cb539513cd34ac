package easserver_test

import (
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// on is a command for one occurrence; no title takes it out.
func (s *handset) on(instance, title string) eas.SyncCommand {
	cmd := eas.SyncCommand{Do: tag.AirSyncDelete, ServerID: s.id, InstanceID: instance}
	if title != "" {
		cmd.Do, cmd.Data = tag.AirSyncChange, eas.Properties{eas.T(tag.CalendarSubject, title)}
	}
	return cmd
}

const second, third = "20261202T090000Z", "20261203T090000Z"

// Others rename an occurrence, or the whole series, of what the server holds.
func rename(t *testing.T, h *bridgetest.House, instance, title string) {
	t.Helper()
	for id, body := range h.Backend.Items(bridgetest.User, "calendar") {
		event := string(body)
		switch {
		case instance == "":
			event = strings.Replace(event, "SUMMARY:Series", "SUMMARY:"+title, 1)
		case strings.Contains(event, "SUMMARY:Mine"):
			event = strings.Replace(event, "SUMMARY:Mine", "SUMMARY:"+title, 1)
		default:
			event = strings.Replace(event, "END:VCALENDAR", "BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:"+instance+
				"\r\nDTSTART:"+instance+"\r\nDURATION:PT1H\r\nSUMMARY:"+title+"\r\nEND:VEVENT\r\nEND:VCALENDAR", 1)
		}
		h.Store("calendar", id, event)
	}
}

// The worker dies between the write of an edited occurrence and its own commit;
// the phone sends the edit again, or another one. What is there is its own; what
// others did beside it stays.
func TestAnEditOfAnOccurrenceAfterACrash(t *testing.T) {
	type edit struct{ instance, title string }
	for _, tt := range []struct {
		name         string
		first, again []edit
		others       edit // meanwhile
		told         bool
		status       eas.SyncStatus // where the server wins
		want         []string
	}{
		{"again", []edit{{second, "Mine"}}, []edit{{second, "Mine"}}, edit{}, false, eas.SyncOK, []string{"SUMMARY:Series", "SUMMARY:Mine"}},
		{"newer", []edit{{second, "Mine"}}, []edit{{second, "Newer"}}, edit{}, false, eas.SyncOK, []string{"SUMMARY:Series", "SUMMARY:Newer"}},
		{"taken out after all", []edit{{second, "Mine"}}, []edit{{second, ""}}, edit{}, false, eas.SyncOK, []string{"EXDATE:" + second}},
		{"taken out, again", []edit{{second, ""}}, []edit{{second, ""}}, edit{}, false, eas.SyncOK, []string{"EXDATE:" + second}},
		{"taken out, and another one edited", []edit{{second, ""}}, []edit{{second, ""}, {third, "Mine"}}, edit{}, false, eas.SyncOK, []string{"EXDATE:" + second, "SUMMARY:Mine"}},
		{"two, newer", []edit{{second, "Mine"}, {third, "Mine, too"}}, []edit{{second, "Newer"}, {third, "Newer, too"}}, edit{}, false, eas.SyncOK,
			[]string{"SUMMARY:Newer", "SUMMARY:Newer\\, too"}},
		{"newer, and others the series", []edit{{second, "Mine"}}, []edit{{second, "Newer"}}, edit{"", "Theirs"}, true, eas.SyncOK, []string{"SUMMARY:Newer", "SUMMARY:Theirs"}},
		{"newer, and others the same one", []edit{{second, "Mine"}}, []edit{{second, "Newer"}}, edit{second, "Theirs"}, true, eas.SyncConflict, []string{"SUMMARY:Series"}},
	} {
		for wish := range 2 {
			t.Run(tt.name, func(t *testing.T) {
				var b hooked
				state := t.TempDir()
				h := bridgetest.Start(t, b.on(state))
				h.Store("calendar", "e", daily())
				s := newHandset(t, h, eas.V161, "phone1", "Calendar", wish)
				var first, again []eas.SyncCommand
				for _, e := range tt.first {
					first = append(first, s.on(e.instance, e.title))
				}
				for _, e := range tt.again {
					again = append(again, s.on(e.instance, e.title))
				}
				stop(&b, len(first))
				if _, err := s.send(first...); err == nil {
					t.Fatal("the edit was answered")
				}
				if tt.others.title != "" {
					rename(t, h, tt.others.instance, tt.others.title)
				}
				other := hooked{Backend: b.Backend} // another worker takes over
				s.c.URL = bridgetest.Start(t, other.on(state)).URL
				status, told := s.take(s.send(again...))
				want, title := eas.SyncOK, "SUMMARY:"+tt.again[0].title
				if wish == 1 {
					want = tt.status
				}
				if want == eas.SyncConflict {
					title = "SUMMARY:" + tt.others.title
				}
				if status != want || told != tt.told {
					t.Errorf("Conflict %d: the edit got status %d, told %v; want %d, %v", wish, status, told, want, tt.told)
				}
				lines := tt.want
				if tt.again[0].title != "" {
					lines = append(lines[:len(lines):len(lines)], title)
				}
				stored(t, h, "calendar", lines...)
				once(t, h, "RECURRENCE-ID:"+second, "EXDATE:"+second)
				if status, told := s.take(s.send()); status != eas.SyncOK || told {
					t.Errorf("Conflict %d: the series is told once more", wish)
				}
			})
		}
	}
}

// stop makes the answer to the n-th Put from now vanish, after it was stored.
func stop(b *hooked, n int) {
	b.stored = func() error {
		if n--; n > 0 {
			return nil
		}
		hiccup(b)
		return b.stored()
	}
}

// once asserts that no line is there twice.
func once(t *testing.T, h *bridgetest.House, lines ...string) {
	t.Helper()
	for _, body := range h.Backend.Items(bridgetest.User, "calendar") {
		for _, line := range lines {
			if n := strings.Count(string(body), line); n > 1 {
				t.Errorf("%q is there %d times in\n%s", line, n, body)
			}
		}
	}
}

// Two phones edit one series: different occurrences both stay, whoever wins; of
// the same one it is the wish of the second that decides.
func TestTwoPhonesEditOccurrences(t *testing.T) {
	for _, tt := range []struct {
		name   string
		theirs func(*handset) eas.SyncCommand
		status eas.SyncStatus // where the server wins
		lines  []string
		wins   []string // beside lines where the phone wins
	}{
		{"another one", func(s *handset) eas.SyncCommand { return s.on(third, "Theirs") }, eas.SyncOK, []string{"SUMMARY:Theirs", "SUMMARY:Mine", "SUMMARY:Series"}, nil},
		{"another one is taken out", func(s *handset) eas.SyncCommand { return s.on(third, "") }, eas.SyncOK, []string{"EXDATE:" + third, "SUMMARY:Mine"}, nil},
		{"the series", func(s *handset) eas.SyncCommand {
			return eas.SyncCommand{Do: tag.AirSyncChange, ServerID: s.id, Data: eas.Properties{eas.T(tag.CalendarSubject, "Theirs")}}
		}, eas.SyncOK, []string{"SUMMARY:Theirs", "SUMMARY:Mine"}, nil},
		{"the same one", func(s *handset) eas.SyncCommand { return s.on(second, "Theirs") }, eas.SyncConflict, []string{"SUMMARY:Theirs"}, []string{"SUMMARY:Mine"}},
	} {
		for wish := range 2 {
			t.Run(tt.name, func(t *testing.T) {
				h := bridgetest.Start(t, bridgetest.Options{})
				h.Store("calendar", "e", daily())
				one, two := newHandset(t, h, eas.V161, "phone1", "Calendar", wish), newHandset(t, h, eas.V161, "phone2", "Calendar", wish)
				if status, told := one.take(one.send(tt.theirs(one))); status != eas.SyncOK || told {
					t.Errorf("the first edit got status %d, told %v", status, told)
				}
				want, lines := eas.SyncOK, tt.lines
				if tt.status != eas.SyncOK && wish == 0 {
					lines = tt.wins
				} else {
					want = tt.status
				}
				if status, told := two.take(two.send(two.on(second, "Mine"))); status != want || !told {
					t.Errorf("Conflict %d: the second edit got status %d, told %v; want %d and the series", wish, status, told, want)
				}
				stored(t, h, "calendar", lines...)
				// And on, upon what it was told, or on what it did itself.
				if status, _ := two.take(two.send(two.on(second, "Last"))); status != eas.SyncOK {
					t.Errorf("Conflict %d: the next edit got status %d", wish, status)
				}
				stored(t, h, "calendar", "SUMMARY:Last")
			})
		}
	}
}

// A phone edits an occurrence twice, and others something else in between: the
// occurrence is the phone's own.
func TestAnOccurrenceThatThePhoneEditedBefore(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	h.Store("calendar", "e", daily())
	s := newHandset(t, h, eas.V161, "phone1", "Calendar", 1)
	if status, told := s.take(s.send(s.on(second, "Mine"))); status != eas.SyncOK || told {
		t.Errorf("the first edit got status %d, told %v", status, told)
	}
	rename(t, h, "", "Theirs")
	if status, told := s.take(s.send(s.on(second, "Newer"))); status != eas.SyncOK || !told {
		t.Errorf("the second edit got status %d, told of the other's: %v", status, told)
	}
	stored(t, h, "calendar", "SUMMARY:Theirs", "SUMMARY:Newer")
}

// What of an occurrence differs from its series is told of it; so who edits the
// series changes how its occurrences are told, and has edited none of them.
func TestAnOccurrenceBesideAnEditOfItsSeries(t *testing.T) {
	override := func(place string) string {
		return "BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:" + second +
			"\r\nDTSTART:" + second + "\r\nDURATION:PT1H\r\nSUMMARY:Special\r\nLOCATION:" + place + "\r\nEND:VEVENT\r\nEND:VCALENDAR"
	}
	for _, tt := range []struct {
		name, occurrence string // where it takes place
		old, new         string // what others replace once
		status           eas.SyncStatus
	}{
		{"it becomes another place than the series'", "Here", "LOCATION:Here", "LOCATION:There", eas.SyncOK},
		{"it was another one, and is the same now", "There", "LOCATION:Here", "LOCATION:There", eas.SyncOK},
		{"it is another one still", "Elsewhere", "LOCATION:Here", "LOCATION:There", eas.SyncOK},
		{"the series has no place any more", "Here", "LOCATION:Here\r\n", "", eas.SyncOK},
		{"the occurrence itself", "Elsewhere", "LOCATION:Elsewhere", "LOCATION:There", eas.SyncConflict},
		{"the occurrence itself, and now it is the series'", "Elsewhere", "LOCATION:Elsewhere", "LOCATION:Here", eas.SyncConflict},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := bridgetest.Start(t, bridgetest.Options{})
			event := strings.Replace(daily(), "SUMMARY:Series", "SUMMARY:Series\r\nLOCATION:Here", 1)
			event = strings.Replace(event, "END:VCALENDAR", override(tt.occurrence), 1)
			h.Store("calendar", "e", event)
			s := newHandset(t, h, eas.V161, "phone1", "Calendar", 1)
			changed := strings.Replace(event, tt.old, tt.new, 1)
			if changed == event {
				t.Fatal("nobody edits anything")
			}
			h.Store("calendar", "e", changed)
			if status, told := s.take(s.send(s.on(second, "Mine"))); status != tt.status || !told {
				t.Errorf("the edit got status %d, told %v; want %d and the series", status, told, tt.status)
			}
			want := "SUMMARY:Mine"
			if tt.status != eas.SyncOK {
				want = "SUMMARY:Special"
			}
			stored(t, h, "calendar", want)
		})
	}
}
