package calendar

import (
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// MergeInstance applies a phone's edit of one occurrence, which 16.0 and later
// name by InstanceId beside ServerId. The error is translate.ErrInvalid if the
// event has no such occurrence, or has occurrences that phones are not shown.
// See [MS-ASAIRS] "InstanceId".
//
// An override without its series is edited by its InstanceId, too.
func MergeInstance(ics []byte, instance string, sent eas.Properties, o translate.Options) ([]byte, error) {
	if orphan(ics, instance, o) {
		return Merge(ics, sent, o)
	}
	return withInstance(ics, instance, o, func(e *event, wall time.Time) error {
		x := e.findOverride(wall)
		if x == nil {
			x = e.addOverride(wall)
		}
		if err := x.mergeTimes(sent); err != nil {
			return err
		}
		return x.mergeFields(sent, false)
	})
}

// DeleteInstance takes one occurrence out of a series. An occurrence that is
// gone already is no error.
func DeleteInstance(ics []byte, instance string, o translate.Options) ([]byte, error) {
	return withInstance(ics, instance, o, func(e *event, wall time.Time) error {
		e.exclude(wall)
		return nil
	})
}

func withInstance(ics []byte, instance string, o translate.Options, edit func(*event, time.Time) error) ([]byte, error) {
	obj, err := read(ics, o)
	if err != nil {
		return nil, err
	}
	t, err := translate.ParseDateTime(instance)
	if err != nil {
		return nil, err
	}
	e := obj.event
	if !e.rule.shown { // also of an expansion
		return nil, invalid("the event has no occurrences that could be changed from a phone")
	}
	wall, ok := e.namedWall(t)
	if !ok {
		return nil, invalid("there is no occurrence at %s", t.Format(time.RFC3339))
	}
	before := obj.fingerprints()
	if err := edit(e, wall); err != nil {
		return nil, err
	}
	return obj.finish(ics, before), nil
}

// namedWall finds the occurrence that an InstanceId names, on the series' clock;
// false if there is none.
func (e *event) namedWall(t time.Time) (wall time.Time, ok bool) {
	exists := func(wall time.Time) bool { return e.knows(wall) || e.occurs(wall) }
	if wall = e.instanceWall(t); exists(wall) {
		return wall, true
	}
	wall, ok = e.toldWall(t)
	return wall, ok && exists(wall)
}

// orphan tells whether the event is an override without its series, and of
// that very occurrence.
func orphan(ics []byte, instance string, o translate.Options) bool {
	obj, err := read(ics, o)
	if err != nil {
		return false
	}
	m, ok := obj.zones.Moment(obj.event.c.Get("RECURRENCE-ID"))
	t, err := translate.ParseDateTime(instance)
	return ok && err == nil && !obj.event.rule.orphans && obj.event.instanceStamp(m) == translate.CompactDateTime(t)
}
