package task

import (
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

const day = 24 * time.Hour

// A date is one of a task's two dates. Each travels twice: as the wall clock's
// reading, dressed up as UTC, and as the instant. See [MS-ASTASK] "StartDate"
// and "UtcStartDate".
type dateField struct {
	name       string
	local, utc wbxml.Tag
	get        func(*todo) (moment, bool)
}

var dateFields = []dateField{
	{"DTSTART", tag.TasksStartDate, tag.TasksUtcStartDate, (*todo).start},
	{"DUE", tag.TasksDueDate, tag.TasksUtcDueDate, (*todo).due},
}

func (t *todo) start() (moment, bool) { return t.zones.Moment(t.c.Get("DTSTART")) }

// due is DUE, or what DTSTART and DURATION come to.
func (t *todo) due() (moment, bool) {
	if m, ok := t.zones.Moment(t.c.Get("DUE")); ok {
		return m, true
	}
	start, ok := t.start()
	days, rest, has := ical.ParseDuration(t.c.Get("DURATION").Value())
	if !ok || !has {
		return moment{}, false
	}
	due := start.At(start.Wall.AddDate(0, 0, days))
	if rest != 0 && due.Form != ical.Date {
		due = due.When(due.Instant(time.UTC).Add(rest))
	}
	return due, true
}

// wall is what the person's clock shows at a moment.
func (t *todo) wall(m moment) time.Time {
	if m.Form == ical.Date {
		return m.Wall
	}
	return ical.Reading(m.Instant(time.UTC), t.o.Location())
}

// dates tells both dates, each as a pair. A phone takes a start only together
// with a due date: a task that only starts is due when it starts.
func (t *todo) dates() eas.Properties {
	var ps eas.Properties
	due, hasDue := t.due()
	start, hasStart := t.start()
	if hasStart {
		ps = append(ps, t.pair(start, tag.TasksUtcStartDate, tag.TasksStartDate)...)
	}
	switch {
	case hasDue:
		ps = append(ps, t.pair(due, tag.TasksUtcDueDate, tag.TasksDueDate)...)
	case hasStart:
		ps = append(ps, t.pair(start, tag.TasksUtcDueDate, tag.TasksDueDate)...)
	}
	return ps
}

func (t *todo) pair(m moment, utc, local wbxml.Tag) eas.Properties {
	return eas.Properties{
		eas.T(utc, translate.DateTime(m.Instant(t.o.Location()))),
		eas.T(local, translate.DateTime(t.wall(m))),
	}
}

// sentTime reads one time of what a phone sent. An empty element is absent.
func sentTime(sent eas.Properties, tag wbxml.Tag) (at time.Time, ok bool, err error) {
	text, ok := sent.Text(tag)
	if !ok || strings.TrimSpace(text) == "" {
		return at, false, nil
	}
	at, err = translate.ParseDateTime(text)
	if err == nil && !ical.Sensible(at) {
		err = invalid("a date in the year %d", at.Year())
	}
	return at, err == nil, err
}

// sentWall reads a pair as what the person's clock shows. The local one of
// the two decides, for phones show people dates.
func (t *todo) sentWall(sent eas.Properties, f dateField) (wall time.Time, ok bool, err error) {
	if wall, ok, err = sentTime(sent, f.local); ok || err != nil {
		return wall, ok, err
	}
	at, ok, err := sentTime(sent, f.utc)
	return ical.Reading(at, t.o.Location()), ok, err
}

// mergeDates applies both dates.
func (t *todo) mergeDates(sent eas.Properties) error {
	walls := map[string]time.Time{}
	for _, f := range dateFields {
		wall, ok, err := t.sentWall(sent, f)
		if err != nil {
			return err
		}
		if ok {
			walls[f.name] = wall
		}
	}
	if start, due := walls["DTSTART"], walls["DUE"]; !start.IsZero() && !due.IsZero() && due.Truncate(day).Before(start.Truncate(day)) && !t.unmoved(walls) {
		return invalid("the task is due before it starts")
	}
	for _, f := range dateFields {
		wall, ok := walls[f.name]
		old, has := f.get(t)
		switch {
		case ok && has && t.sameDate(old, wall):
		case ok && !has && t.onlyEcho(f, wall):
		case ok:
			if err := t.setDate(f, wall, old, has); err != nil {
				return err
			}
		case has && whole(sent) && !t.o.Absent(f.local) && !t.o.Absent(f.utc):
			if err := t.removeDate(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// sameDate tells whether a phone means the date that it was shown: the same
// minute, or the same day without a time of day.
func (t *todo) sameDate(old moment, wall time.Time) bool {
	was := t.wall(old)
	if was.Truncate(time.Minute).Equal(wall.Truncate(time.Minute)) {
		return true
	}
	return was.Truncate(day).Equal(wall.Truncate(day)) && (old.Form == ical.Date || wall.Equal(wall.Truncate(day)))
}

// unmoved tells whether a phone sends the dates that it was shown, in whatever order
// somebody else put them.
func (t *todo) unmoved(walls map[string]time.Time) bool {
	for _, f := range dateFields {
		old, has := f.get(t)
		if wall, ok := walls[f.name]; ok && (!has || !t.sameDate(old, wall)) {
			return false
		}
	}
	return true
}

// onlyEcho tells whether a due date is the one that was made up of the start.
func (t *todo) onlyEcho(f dateField, wall time.Time) bool {
	start, ok := t.start()
	return ok && f.name == "DUE" && t.sameDate(start, wall)
}

// setDate writes a date in the form that it has, else in the form that the
// other one has, for both must be alike: RFC 5545, section 3.8.2.3.
func (t *todo) setDate(f dateField, wall time.Time, old moment, has bool) error {
	if t.locked() {
		return invalid("the dates of a task that recurs in this way cannot be changed from a phone")
	}
	form := old
	if !has {
		form = t.newForm(wall)
	}
	m := form.At(wall.Truncate(day))
	if form.Form != ical.Date {
		if wall.Equal(wall.Truncate(day)) && has {
			// A phone that only knows dates leaves the time of day as it was.
			was := t.wall(old)
			wall = wall.Add(was.Sub(was.Truncate(day)))
		}
		m = form.When(ical.OnClock(wall, t.o.Location()))
	}
	if f.name == "DUE" {
		t.c.RemoveAll("DURATION")
	}
	m.Put(t.c, f.name)
	return nil
}

// newForm is the form of a task's first date: a date, unless the phone sent a
// time of day, or the other date has one.
func (t *todo) newForm(wall time.Time) moment {
	for _, name := range []string{"DTSTART", "DUE"} {
		if m, ok := t.zones.Moment(t.c.Get(name)); ok {
			return m
		}
	}
	if wall.Equal(wall.Truncate(day)) {
		return moment{Form: ical.Date, Loc: t.o.Location()}
	}
	return moment{Form: ical.UTC, Loc: time.UTC}
}

// removeDate takes a date away. A recurring task needs its start.
func (t *todo) removeDate(f dateField) error {
	if t.c.Get("RRULE") != nil && f.name == "DTSTART" {
		return nil
	}
	t.c.RemoveAll(f.name)
	t.c.RemoveAll("DURATION") // it counts from the start, and ends at the due date
	return nil
}
