package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// A Response is what a person says to an invitation. The values are those of
// UserResponse. See [MS-ASCMD] "UserResponse".
type Response int

// The responses.
const (
	Accepted  Response = 1
	Tentative Response = 2
	Declined  Response = 3
)

var answers = map[Response]string{Accepted: "ACCEPTED", Tentative: "TENTATIVE", Declined: "DECLINED"}

// ErrNoSeries means that one occurrence of an event was meant which has none.
// It is an ErrInvalid.
var ErrNoSeries = fmt.Errorf("%w: the event has no occurrences", translate.ErrInvalid)

// An Answer is a person's response to one invitation.
type Answer struct {
	Response Response

	// Instance is the InstanceId of the one occurrence that is meant; empty
	// means the whole event.
	Instance string

	// Silent: the organizer is told by somebody else than the calendar server,
	// or by nobody. It matters where the server schedules. Up to 14.1 it is so
	// wherever phones can mail: they mail their answers themselves.
	Silent bool
}

// Respond writes a person's answer, one of whose addresses is in Options.Self,
// into an event; who is not among its guests, because one of them passed it on,
// joins them. The error is translate.ErrInvalid if the person organizes the event or
// has no known address, or if there is no such occurrence; it is ErrNoSeries if
// there are no occurrences at all.
//
// See [MS-ASCMD] "MeetingResponse" and RFC 5546, section 3.2.3.
func Respond(ics []byte, a Answer, o translate.Options) ([]byte, error) {
	obj, err := read(ics, o)
	if err != nil {
		return nil, err
	}
	partstat, ok := answers[a.Response]
	e := obj.event
	switch organizer := e.c.Get("ORGANIZER"); {
	case !ok:
		return nil, invalid("UserResponse is %d", a.Response)
	case organizer == nil:
		return nil, invalid("the event is no meeting")
	case obj.self(organizer):
		return nil, invalid("the organizer cannot answer")
	case len(o.Self) == 0:
		return nil, invalid("nobody knows the person's address")
	case e.cancelled():
		return nil, invalid("the meeting is cancelled")
	}
	before := obj.fingerprints()
	silent := a.Silent
	if o.ProtocolVersion() < eas.V160 {
		silent = obj.phoneMails()
	}
	if a.Instance != "" && !orphan(ics, a.Instance, o) {
		x, err := obj.occurrenceAt(a.Instance)
		if err != nil {
			return nil, err
		}
		if x.cancelled() {
			return nil, invalid("the occurrence is cancelled")
		}
		x.answer(partstat, silent)
		return obj.finish(ics, before), nil
	}
	was := strings.ToUpper(e.own().Param("PARTSTAT"))
	e.answer(partstat, silent)
	for _, x := range obj.overrides {
		// An occurrence that was answered apart keeps its answer.
		if own := strings.ToUpper(x.own().Param("PARTSTAT")); own == was || own == "" || own == "NEEDS-ACTION" {
			x.answer(partstat, silent)
		}
	}
	return obj.finish(ics, before), nil
}

// occurrenceAt is the override of the occurrence that an InstanceId names, made
// if there is none.
func (obj *object) occurrenceAt(instance string) (*event, error) {
	e := obj.event
	t, err := translate.ParseDateTime(instance)
	if err != nil {
		return nil, err
	}
	if !e.rule.recurs {
		return nil, ErrNoSeries
	}
	wall := e.instanceWall(t)
	if e.rule.shown {
		wall, _ = e.namedWall(t)
	}
	if x := e.findOverride(wall); x != nil {
		return x, nil
	}
	if e.rule.locked {
		if x := e.lockedOccurrence(wall); x != nil {
			return x, nil
		}
	} else if l, _ := e.exdate(wall); l == nil && e.occurs(wall) {
		return e.addOverride(wall), nil
	}
	return nil, invalid("there is no occurrence at %s", t.Format(time.RFC3339))
}

// lockedOccurrence is the override of an occurrence of an expansion, which a
// phone names by its key; nil if there is none, or if it is one of many that
// another override speaks for.
func (e *event) lockedOccurrence(key time.Time) *event {
	x := e.expansion()
	if x == nil {
		return nil
	}
	for _, o := range x.list {
		switch {
		case !o.key.Equal(key):
		case o.as == nil && e.rule.orphans:
			return e
		case o.as == nil || o.as.c == e.c:
			return e.addOverride(o.wall)
		case slices.Contains(e.overrides, o.as):
			return o.as
		}
	}
	return nil
}

// answer writes PARTSTAT into the person's line, and what follows from it.
func (e *event) answer(partstat string, silent bool) {
	l := e.own()
	if l == nil { // invited by way of a list of people
		l = e.c.Add("ATTENDEE", "mailto:"+bare(e.o.Self[0]))
	}
	if !strings.EqualFold(l.Param("PARTSTAT"), partstat) {
		l.SetParam("PARTSTAT", partstat)
		e.c.Set(replyTime, translate.CompactDateTime(e.o.Now))
	}
	// See RFC 6638, section 7.1: on ORGANIZER it concerns the guest's answers.
	switch organizer := e.c.Get("ORGANIZER"); {
	case !e.o.Schedules || organizer == nil:
	case silent:
		organizer.SetParam("SCHEDULE-AGENT", "CLIENT")
	case strings.EqualFold(organizer.Param("SCHEDULE-AGENT"), "CLIENT"):
		organizer.SetParam("SCHEDULE-AGENT") // another phone mailed its answer itself
	}
	if busyStatus := e.c.Get("X-MICROSOFT-CDO-BUSYSTATUS"); busyStatus != nil {
		switch partstat {
		case "ACCEPTED":
			intended := strings.ToUpper(e.c.Get("X-MICROSOFT-CDO-INTENDEDSTATUS").Text())
			if intended == "" {
				intended = cdoBusy[busy]
			}
			busyStatus.SetValue(intended)
		case "TENTATIVE":
			busyStatus.SetValue(cdoBusy[tentative])
		}
	}
}
