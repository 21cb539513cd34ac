package easserver

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/directory"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Bounds of free and busy times.
const (
	// maxSpan is the longest span that is asked for. See [MS-ASCMD] "EndTime
	// (ResolveRecipients)".
	maxSpan = 42 * 24 * time.Hour

	// defaultSpan is the one where the phone does not say.
	defaultSpan = 7 * 24 * time.Hour

	// maxAsked is how many names a request has at most for anybody's time to be
	// told. See [MS-ASCMD] "Status (ResolveRecipients)", 160.
	maxAsked = 100

	// maxBusyEvents bounds the events that are looked at for the person's own
	// time, those that are over apart.
	maxBusyEvents = 5000
)

// An askedTime is the span of time that is asked for.
type askedTime struct{ from, to time.Time }

// askedFor reads the span. See [MS-ASCMD] "StartTime (ResolveRecipients)" and
// "EndTime (ResolveRecipients)".
func askedFor(a *eas.AvailabilityRequest) (*askedTime, bool) {
	from, err := translate.ParseDateTime(a.StartTime)
	if err != nil {
		return nil, false
	}
	to := from.Add(defaultSpan)
	if a.EndTime != "" {
		if to, err = translate.ParseDateTime(a.EndTime); err != nil {
			return nil, false
		}
	}
	span := to.Sub(from)
	return &askedTime{from, to}, from.Year() > 1600 && from.Year() < 9000 && span >= calendar.Slot && span <= maxSpan
}

// times tells when people are busy: of the person by the person's own
// calendars, of others what a backend tells.
func (r *resolver) times(ctx context.Context, asked int, people []directory.Match) ([]eas.Availability, error) {
	list := make([]eas.Availability, len(people))
	if asked > maxAsked {
		for i := range list {
			list[i].Status = eas.ResolveTooManyPeople
		}
		return list, nil
	}
	var others []string
	var own *eas.Availability
	for i, m := range people {
		if !r.isSelf(m) {
			others = append(others, m.Addresses[0])
			continue
		}
		if own == nil {
			merged, err := r.ownTime(ctx)
			if backend.KindOf(err) == backend.Denied {
				return nil, err
			}
			own = availability(merged, err)
		}
		list[i] = *own
	}
	told, later, err := r.othersTime(ctx, others)
	if err != nil {
		return nil, err
	}
	for i, m := range people {
		if list[i].Status != 0 {
			continue
		}
		list[i].Status = eas.ResolveBusyNever
		if merged, ok := told[m.Addresses[0]]; ok {
			list[i] = eas.Availability{Status: eas.ResolveOK, MergedFreeBusy: merged}
		} else if later {
			list[i].Status = eas.ResolveBusyLater
		}
	}
	return list, nil
}

// availability is what is told of the person's own time.
func availability(merged string, err error) *eas.Availability {
	switch {
	case err == nil:
		return &eas.Availability{Status: eas.ResolveOK, MergedFreeBusy: merged}
	case backend.KindOf(err) == backend.Transient:
		return &eas.Availability{Status: eas.ResolveBusyLater}
	}
	return &eas.Availability{Status: eas.ResolveBusyNever}
}

func (r *resolver) isSelf(m directory.Match) bool {
	return slices.ContainsFunc(m.Addresses, func(a string) bool {
		return slices.ContainsFunc(r.self.Addresses, func(o string) bool { return strings.EqualFold(a, o) })
	})
}

// errTooMuch means that a calendar is too full to be looked at.
var errTooMuch = errors.New("easserver: too many events to tell when somebody is free")

// ownTime merges the events of all of the person's own calendars.
func (r *resolver) ownTime(ctx context.Context) (string, error) {
	s := r.server
	folders, err := s.Engine.Folders(ctx, r.call.phone.User)
	if err != nil {
		return "", err
	}
	merged := calendar.MergeBusy(nil, r.availability.from, r.availability.to)
	left := maxBusyEvents
	for _, f := range folders {
		if f.Kind != backend.Events || f.Owner != "" {
			continue
		}
		if merged, err = r.addCalendar(ctx, f, merged, &left); err != nil {
			return "", err
		}
	}
	return merged, nil
}

// addCalendar lays the events of a calendar over what is merged already.
func (r *resolver) addCalendar(ctx context.Context, f syncengine.Folder, merged string, left *int) (string, error) {
	s := r.server
	session, err := r.call.account.Session(ctx, f.Backend)
	if err != nil {
		return "", err
	}
	if _, err := s.Engine.Refresh(ctx, f, session); err != nil {
		return "", err
	}
	ids, more, err := s.Engine.NotOver(ctx, f, r.availability.from, *left)
	if err != nil {
		return "", err
	}
	if more {
		return "", errTooMuch
	}
	*left -= len(ids)
	o := s.translation(r.call)
	o.Self, o.Calendar = r.self.Addresses, zoneOf(f)
	for batch := range slices.Chunk(ids, photoBatch*8) {
		err := session.Get(ctx, f.Collection, batch, func(it backend.Fetched) error {
			if it.Err != nil {
				return nil // Sync tells of those that cannot be read
			}
			periods, err := busyPeriods(it.Body, r.availability, o)
			if err == nil {
				merged = overlay(merged, calendar.MergeBusy(periods, r.availability.from, r.availability.to))
			}
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return merged, nil
}

// busyPeriods is guarded as all translations are: no event is worth a crash.
func busyPeriods(ics []byte, asked *askedTime, o translate.Options) (list []calendar.Period, err error) {
	defer guard(&err)
	return calendar.Periods(ics, asked.from, asked.to, o)
}

// overlay takes the higher digit of each half hour.
func overlay(a, b string) string {
	merged := []byte(a)
	for i := range min(len(a), len(b)) {
		merged[i] = max(merged[i], b[i])
	}
	return string(merged)
}

// othersTime asks the backends that know when others are busy. later tells that
// one of them could not be asked just now.
func (r *resolver) othersTime(ctx context.Context, addresses []string) (told map[string]string, later bool, err error) {
	told = make(map[string]string)
	if len(addresses) == 0 {
		return told, false, nil
	}
	for _, name := range r.server.Accounts.Names() {
		session, err := r.call.account.Session(ctx, name)
		var found map[string][]byte
		if err == nil {
			f, ok := backend.As[backend.FreeBusier](session)
			if !ok {
				continue
			}
			found, err = f.FreeBusy(ctx, addresses, r.availability.from, r.availability.to)
		}
		switch backend.KindOf(err) {
		case backend.Denied:
			return nil, false, err
		case backend.Transient:
			later = true
		}
		for a, ics := range found {
			if periods, err := toldPeriods(ics); err == nil {
				told[a] = calendar.MergeBusy(periods, r.availability.from, r.availability.to)
			}
		}
	}
	return told, later, nil
}

func toldPeriods(ics []byte) (list []calendar.Period, err error) {
	defer guard(&err)
	return calendar.FreeBusy(ics)
}
