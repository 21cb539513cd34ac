package caldav

import (
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// maxScheduling bounds the calendars of which it is remembered whether the
	// server schedules in them, a hundred bytes each.
	maxScheduling = 20_000

	// schedulingLasts is how long that is believed: scheduling is switched on
	// and off together with the server.
	schedulingLasts = time.Hour

	// autoSchedule is the class of servers that mail invitations and answers.
	// See RFC 6638, section 2.
	autoSchedule = "calendar-auto-schedule"
)

// scheduling remembers, by path, what the server said.
type scheduling = lru.Cache[string, saidSchedules]

type saidSchedules struct {
	yes   bool
	until time.Time
}

func newScheduling() *scheduling {
	cache, err := lru.New[string, saidSchedules](maxScheduling)
	if err != nil {
		panic(err) // only for sizes below one
	}
	return cache
}

// Schedules implements backend.Scheduler. A server that refuses the question,
// other than for the password or for now, does not schedule.
func (s *session) Schedules(ctx context.Context, c backend.CollectionID) (bool, error) {
	p, err := s.place(c)
	if err != nil {
		return false, err
	}
	if said, ok := s.scheduling.Get(p.path); ok && time.Now().Before(said.until) {
		return said.yes, nil
	}
	yes, err := s.client.Complies(ctx, p.path, autoSchedule)
	err = s.client.Error(err)
	switch kind := backend.KindOf(err); {
	case err != nil && (kind == backend.Denied || kind == backend.Transient):
		return false, err
	case kind == backend.NotFound:
		return false, err
	}
	s.scheduling.Add(p.path, saidSchedules{yes, time.Now().Add(schedulingLasts)})
	return yes, nil
}
