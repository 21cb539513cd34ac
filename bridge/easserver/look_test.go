package easserver_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/store/sqlstore"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// mostQuestions is how many questions to the database a Ping may cost of a phone that
// is known and has no news: who the phone is, what is remembered of its Pings and
// waits, which folders it names, which of them were chosen for it; and behind the
// subscription once more who it is, what was chosen, which folders there are, and how
// far it is behind in all of them. When a worker begins again, all phones ping within
// a second or two, and the questions are most of what that costs.
const mostQuestions = 8

// A Ping asks the database as often, whether it is about one folder or about seven.
func TestWhatAPingAsksTheDatabase(t *testing.T) {
	for _, tt := range []struct {
		name      string
		calendars int
		edit      func(*config.File)
	}{
		{"few folders", 0, nil},
		{"more folders", 2, nil},
		{"heartbeats that are learned", 0, func(f *config.File) { f.Heartbeat.Learn = true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, tt.edit, func(b *bubble) {
				for i := range tt.calendars {
					b.SetCollection(bridgetest.User, backend.Collection{ID: backend.CollectionID(fmt.Sprint("c", i)), Kind: backend.Events, Name: fmt.Sprint("Calendar ", i)})
				}
				look(b.T, b.phone)
				if n := len(b.phone.Folders()); n != 5+tt.calendars {
					b.Fatalf("the phone has %d folders, want those of the store and %d more", n, tt.calendars)
				}
				b.want(told{eas.PingExpired, "[]", 1}, b.ping(time.Minute))
				b.bridge.Close()
				b.start()
				b.asks("the first Ping in the next worker", mostQuestions)
				b.want(told{eas.PingExpired, "[]", 1}, b.ping(time.Minute)) // it notes how long the wait before lived
				b.asks("the third one", mostQuestions+1)                    // it asks what was noted, since a wait has just ended
			})
		})
	}
}

// asks fails if a Ping asks the database too often.
func (b *bubble) asks(when string, most int64) {
	b.Helper()
	var asked atomic.Int64
	r, err := b.phone.Ping(sqlstore.Counted(b.Context(), &asked), time.Minute)
	if err != nil || r.Status != eas.PingExpired {
		b.Fatalf("%s: status %d, %v; want that nothing changed", when, r.Status, err)
	}
	if n := asked.Load(); n == 0 || n > most {
		b.Errorf("%s asks the database %d times, want at most %d", when, n, most)
	}
}
