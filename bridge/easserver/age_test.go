package easserver_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// recurring is a series in UTC.
func recurring(uid, start, rule string) []byte {
	return []byte(strings.Join([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//pushbridge//test//EN", "BEGIN:VEVENT", "UID:" + uid,
		"DTSTAMP:20000101T000000Z", "SUMMARY:" + uid, "DTSTART:" + start, "DURATION:PT20M", "RRULE:" + rule, "END:VEVENT", "END:VCALENDAR", ""}, "\r\n"))
}

// begins is when an event begins on a phone, and when its series ends there.
func begins(t *testing.T, p *phone.Phone, uid string) (start, until string) {
	t.Helper()
	for _, item := range bridgetest.FolderOf(t, p, eas.ClassCalendar).Items {
		if phone.Title(item) != uid {
			continue
		}
		start, _ = item.Text(tag.CalendarStartTime)
		if r, ok := item.Find(tag.CalendarRecurrence); ok {
			until, _ = eas.Properties(r.Children).Text(tag.CalendarUntil)
		}
		return start, until
	}
	t.Fatalf("the phone does not hold %q", uid)
	return "", ""
}

// waits lets a phone wait, as long as nothing happens, until it is told
// something, and answers when that was.
func (b *bubble) waits(p *phone.Phone, most time.Duration) string {
	b.Helper()
	for end := time.Now().Add(most); time.Now().Before(end); {
		r, err := p.Ping(b.Context(), 30*time.Minute)
		if err != nil {
			b.Fatal(err)
		}
		if r.Status == eas.PingChanges {
			return time.Now().UTC().Truncate(time.Minute).Format("02 15:04")
		}
	}
	return "never"
}

// TestNextOccurrenceWhilePhonesWait: an event several times a day, of which
// phones are shown the next one. Nobody edits anything; when an occurrence is
// over, each phone that waits is told of the next one, once, also when the
// bridge ends before or after that moment.
func TestNextOccurrenceWhilePhonesWait(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		b.Store(bridgetest.User, "calendar", "pills", recurring("pills", "19991220T060000Z", "FREQ=DAILY;BYHOUR=6,14,22"))
		b.Store(bridgetest.User, "calendar", "plain", recurring("plain", "19991220T060000Z", "FREQ=DAILY"))
		_, second := b.another("phone2", eas.V161)
		_, third := b.another("phone3", eas.V25)
		phones := []*phone.Phone{b.phone, second, third}
		wants := func(when, start string) {
			b.Helper()
			for i, p := range phones {
				if got, _ := begins(b.T, p, "pills"); got != start {
					b.Errorf("%s: phone %d shows %s, want %s", when, i+1, got, start)
				}
			}
		}
		for _, p := range phones {
			bridgetest.Sync(b.T, p)
		}
		wants("at first", "20000101T060000Z")
		for _, step := range []struct {
			told, start   string
			before, after bool // the bridge ends
		}{
			{"01 06:30", "20000101T140000Z", false, false},
			{"01 14:30", "20000101T220000Z", true, false},
			{"01 22:30", "20000102T060000Z", false, true},
			{"02 06:30", "20000102T140000Z", true, true},
		} {
			if step.before {
				time.Sleep(time.Hour)
				b.bridge.Close()
				b.start()
			}
			var all sync.WaitGroup
			for i, p := range phones {
				all.Go(func() {
					if told := b.waits(p, 24*time.Hour); told != step.told {
						b.Errorf("phone %d is told on %s, want %s", i+1, told, step.told)
					}
				})
			}
			all.Wait()
			if step.after {
				b.bridge.Close()
				b.start()
			}
			for i, p := range phones {
				if events := bridgetest.Sync(b.T, p); len(events) != 1 {
					b.Errorf("phone %d is told %v, want one change", i+1, events)
				}
			}
			wants("after "+step.told, step.start)
		}
	})
}

// TestExpansionWhilePhonesWait: of a series that goes on for ever phones are
// shown two years, and the next month comes, and an old one goes, when a month is
// over: whether they wait then, or come later.
func TestExpansionWhilePhonesWait(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		b.Store(bridgetest.User, "calendar", "payday", recurring("payday", "19900115T100000Z", "FREQ=MONTHLY;BYMONTHDAY=15,-1"))
		_, late := b.another("phone2", eas.V161)
		bridgetest.Sync(b.T, b.phone)
		bridgetest.Sync(b.T, late)
		if start, _ := begins(b.T, b.phone, "payday"); start != "19991215T100000Z" {
			b.Errorf("at first it begins at %s", start)
		}
		_, first := begins(b.T, b.phone, "payday")
		time.Sleep(30 * 24 * time.Hour)
		bridgetest.Sync(b.T, b.phone) // nothing is new yet
		if start, until := begins(b.T, b.phone, "payday"); start != "19991215T100000Z" || until != first {
			b.Errorf("before the month is over it begins at %s, and ends at %s, not %s", start, until, first)
		}
		if told := b.waits(b.phone, 72*time.Hour); told != "01 00:00" {
			b.Errorf("told on %s, want the first of the month", told)
		}
		for _, p := range []*phone.Phone{b.phone, late} {
			bridgetest.Sync(b.T, p)
			if start, until := begins(b.T, p, "payday"); start != "20000115T100000Z" || until <= first {
				b.Errorf("in the next month it begins at %s and ends at %s, before it was %s", start, until, first)
			}
		}
		if told := b.waits(b.phone, 24*time.Hour); told != "never" {
			b.Errorf("told once more on %s", told)
		}
	})
}

// TestWaitingSyncAndAge: a Sync that waits brings what is another now.
func TestWaitingSyncAndAge(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		b.Store(bridgetest.User, "calendar", "pills", recurring("pills", "19991220T060000Z", "FREQ=DAILY;BYHOUR=0,14"))
		bridgetest.Sync(b.T, b.phone)
		f := bridgetest.FolderOf(b.T, b.phone, eas.ClassCalendar)
		res, err := b.client.Sync(b.Context(), &eas.SyncRequest{HeartbeatInterval: ptr(3000),
			Collections: []eas.SyncCollection{{CollectionID: f.ServerID, SyncKey: f.SyncKey}}})
		if err != nil || res == nil || len(res.Collections) != 1 || len(res.Collections[0].Commands) != 1 {
			b.Fatalf("answered %+v, %v", res, err)
		}
		if at := time.Now().UTC(); at.Minute() != 30 {
			b.Errorf("answered at %v", at)
		}
		if start, _ := res.Collections[0].Commands[0].Data.Text(tag.CalendarStartTime); start != "20000101T140000Z" {
			b.Errorf("it begins at %s", start)
		}
	})
}

// TestAgeWhileTheServerIsDown: nobody is sent for what cannot be read, and
// it comes when the server is up again.
func TestAgeWhileTheServerIsDown(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		b.Store(bridgetest.User, "calendar", "pills", recurring("pills", "19991220T060000Z", "FREQ=DAILY;BYHOUR=0,14"))
		bridgetest.Sync(b.T, b.phone)
		down := backend.Errorf(backend.Transient, "memory", "pulled the plug")
		for _, op := range []memory.Op{memory.OpChanges, memory.OpGet, memory.OpCollections, memory.OpProbe} {
			b.Fail(memory.Failure{Op: op, Err: down, Times: -1})
		}
		time.AfterFunc(2*time.Hour, b.Mend)
		told := b.waits(b.phone, 5*time.Hour)
		if at, err := time.Parse("02 15:04", told); err != nil || at.Hour() != 2 || at.Minute() > 10 {
			b.Errorf("told on %s, want soon after 2:00", told)
		}
		bridgetest.Sync(b.T, b.phone)
		if start, _ := begins(b.T, b.phone, "pills"); start != "20000101T140000Z" {
			b.Errorf("it begins at %s", start)
		}
	})
}
