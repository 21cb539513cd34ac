package easserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// daily is a series of five days, and renamed the same with the occurrence of one
// day called otherwise.
func daily() string {
	start := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	return strings.Replace(bridgetest.Event("series", "Series", start), "SUMMARY", "RRULE:FREQ=DAILY;COUNT=5\r\nSUMMARY", 1)
}

func renamed(day, title string) string {
	return strings.Replace(daily(), "END:VEVENT\r\n", "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\n"+
		"RECURRENCE-ID:"+day+"\r\nDTSTART:"+day+"\r\nDURATION:PT1H\r\nSUMMARY:"+title+"\r\nEND:VEVENT\r\n", 1)
}

// speechless makes the answer to the next edit tell no news: it is stored, and
// what is to be told cannot be read just then.
func speechless(h *bridgetest.House, b *hooked) {
	b.stored = func() error {
		b.stored = nil
		h.Backend.Fail(memory.Failure{Op: memory.OpGet, Err: backend.Errorf(backend.Transient, "memory", "busy")})
		return nil
	}
}

// shows tells whether a text that others wrote stands anywhere in an item.
func shows(ps eas.Properties, text string) bool {
	for _, e := range ps {
		if e.Text == text || shows(e.Children, text) {
			return true
		}
	}
	return false
}

// The phone's owner edits a list (the occurrences of a series, the categories of a
// card) that others changed beside it, and then edits the item once more before
// the phone was told of theirs: that is told, and nothing undoes it.
func TestWhatOthersDidToAListIsToldThoughTheListWasEdited(t *testing.T) {
	tags := func(list ...string) eas.Element {
		e := eas.Element{Tag: tag.ContactsCategories}
		for _, s := range list {
			e.Children = append(e.Children, eas.T(tag.ContactsCategory, s))
		}
		return e
	}
	listed := func(list string) string { return strings.Replace(rich, "NOTE", "CATEGORIES:"+list+"\r\nNOTE", 1) }
	for _, tt := range []struct {
		name          string
		from          eas.Version
		class         string
		before, after string // others' edit
		edits         []func(s *handset) eas.SyncCommand
		lines         []string
	}{
		{"an occurrence, then the series", eas.V160, "Calendar", daily(), renamed("20261202T090000Z", "Theirs"), []func(*handset) eas.SyncCommand{
			func(s *handset) eas.SyncCommand {
				return eas.SyncCommand{Do: tag.AirSyncChange, ServerID: s.id, InstanceID: "20261203T090000Z", Data: eas.Properties{eas.T(tag.CalendarSubject, "Mine")}}
			},
			func(s *handset) eas.SyncCommand {
				return eas.SyncCommand{Do: tag.AirSyncChange, ServerID: s.id, Data: eas.Properties{eas.T(tag.CalendarSubject, "Ours")}}
			},
		}, []string{"SUMMARY:Theirs", "SUMMARY:Mine", "SUMMARY:Ours"}},
		{"a category, then another property", eas.V25, "Contacts", listed("A"), listed("A,Theirs"), []func(*handset) eas.SyncCommand{
			func(s *handset) eas.SyncCommand { s.held = s.with(tags("A", "Mine")); return s.change() },
			func(s *handset) eas.SyncCommand { s.held = s.with(cell("2")); return s.change() },
		}, []string{"CATEGORIES:A,Theirs,Mine", "TEL;TYPE=CELL:2"}},
		{"a category, then another one", eas.V25, "Contacts", listed("A"), listed("A,Theirs"), []func(*handset) eas.SyncCommand{
			func(s *handset) eas.SyncCommand { s.held = s.with(tags("A", "Mine")); return s.change() },
			func(s *handset) eas.SyncCommand { s.held = s.with(tags("A", "Mine", "More")); return s.change() },
		}, []string{"CATEGORIES:A,Theirs,Mine,More"}},
		{"a category, then without it", eas.V25, "Contacts", listed("A"), listed("A,Theirs"), []func(*handset) eas.SyncCommand{
			func(s *handset) eas.SyncCommand { s.held = s.with(tags("A", "Mine")); return s.change() },
			func(s *handset) eas.SyncCommand { s.held = s.with(tags("A")); return s.change() },
		}, []string{"CATEGORIES:A,Theirs"}},
	} {
		for _, apart := range []bool{false, true} {
			name := tt.name + ", in one request"
			if apart {
				name = tt.name + ", in two requests"
			}
			t.Run(name, func(t *testing.T) {
				inEachVersion(t, func(t *testing.T, v eas.Version) {
					if v < tt.from {
						return
					}
					for wish := range 2 {
						var b hooked
						h := bridgetest.Start(t, b.on(bridge.Memory))
						collection := backend.CollectionID(strings.ToLower(tt.class))
						h.Store(collection, "i", tt.before)
						s := newHandset(t, h, v, "phone1", tt.class, wish)
						h.Store(collection, "i", tt.after)
						var cmds []eas.SyncCommand
						for _, edit := range tt.edits {
							cmds = append(cmds, edit(s))
						}
						if apart {
							speechless(h, &b)
							if status, told := s.take(s.send(cmds[0])); status != eas.SyncOK || told {
								t.Errorf("Conflict %d: the first edit got status %d, told %v", wish, status, told)
							}
							cmds = cmds[1:]
						}
						status, told := s.take(s.send(cmds...))
						if status != eas.SyncOK || !told || !shows(s.held, "Theirs") {
							t.Errorf("Conflict %d: status %d, told %v; the phone holds %+v, want %q in it", wish, status, told, s.held, "Theirs")
						}
						stored(t, h, collection, tt.lines...)
						if status, told := s.take(s.send()); status != eas.SyncOK || told {
							t.Errorf("Conflict %d: the item is told once more", wish)
						}
					}
				})
			})
		}
	}
}
