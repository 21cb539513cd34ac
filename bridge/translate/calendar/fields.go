package calendar

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A field is one property of the Calendar class: in which versions there is
// one, how an event shows it, and how a phone's value gets into the event.
type field struct {
	tag       wbxml.Tag
	from, to  eas.Version // the first and the last version that have it; 0 means no bound
	exception eas.Version // the first version that has it in an Exception; 0 means none
	show      func(*event) (eas.Element, bool)

	// merge takes a value that differs from the one shown. Nil means that
	// phones have no say in it, or that another place sees to it.
	merge func(*event, eas.Element) error

	// same compares the value shown with the one sent, if equal does not.
	same func(shown, sent eas.Element) bool

	// removable: its absence from a whole item means that it is to be
	// removed, which merge does with an empty element. Everything else stays
	// when it is absent, for a phone that does not know of CLASS must not make
	// private things public.
	removable bool

	always     bool // in every Exception
	canBeEmpty bool // an empty element in an Exception takes the series' value away
}

// fields is the Calendar class in the order in which it is sent. The time zone
// comes before the times, because some phones read from front to back. See
// [MS-ASCAL] "Calendar" and the tables of versions in its elements.
var fields []field

// The table is filled here because showing exceptions looks into it.
func init() {
	const (
		first = eas.V25
		v140  = eas.V140
		v160  = eas.V160
	)
	fields = []field{
		{tag: tag.CalendarTimezone, show: showTimezone},
		{tag: tag.CalendarAllDayEvent, exception: first, show: showAllDay},
		{tag: tag.CalendarBusyStatus, exception: first, show: showBusy, merge: mergeBusy},
		{tag: tag.CalendarOrganizerName, show: showOrganizerName},
		{tag: tag.CalendarOrganizerEmail, show: showOrganizerEmail},
		{tag: tag.CalendarDtStamp, show: showStamp},
		{tag: tag.CalendarEndTime, exception: first, show: showEnd, always: true},
		{tag: tag.CalendarLocation, to: eas.V141, exception: first, show: showLocation, merge: mergeLocation, removable: true, canBeEmpty: true},
		{tag: tag.AirSyncBaseLocation, from: v160, exception: v160, show: showPlace, merge: mergePlace, same: samePlace, canBeEmpty: true},
		{tag: tag.CalendarReminder, exception: first, show: showReminder, merge: mergeReminder, removable: true, canBeEmpty: true},
		{tag: tag.CalendarSensitivity, exception: first, show: showSensitivity, merge: mergeSensitivity},
		{tag: tag.CalendarSubject, exception: first, show: showSubject, merge: mergeSubject, always: true},
		{tag: tag.CalendarStartTime, exception: first, show: showStart, always: true},
		{tag: tag.CalendarUID, show: showUID},
		{tag: tag.CalendarMeetingStatus, exception: v140, show: showMeetingStatus, merge: mergeMeetingStatus},
		{tag: tag.CalendarAttendees, exception: v140, show: showAttendees, merge: mergeAttendees},
		{tag: tag.CalendarCategories, exception: first, show: showCategories, merge: mergeCategories, removable: true, canBeEmpty: true},
		{tag: tag.CalendarRecurrence, show: (*event).recurrence},
		{tag: tag.CalendarExceptions, show: (*event).exceptions},
		{tag: tag.CalendarResponseRequested, from: v140, show: showResponseRequested, merge: mergeResponseRequested},
		{tag: tag.CalendarResponseType, from: v140, exception: v140, show: showResponseType},
		{tag: tag.CalendarAppointmentReplyTime, from: v140, exception: v140, show: showReplyTime},
		{tag: tag.CalendarDisallowNewTimeProposal, from: v140, show: showDisallow, merge: mergeDisallow},
		{tag: tag.CalendarOnlineMeetingConfLink, from: eas.V141, exception: eas.V141, show: showConfLink},
		{tag: tag.CalendarOnlineMeetingExternalLink, from: eas.V141, exception: eas.V141, show: showExternalLink},
		{tag: tag.AirSyncBaseAttachments, from: v160, exception: v160, show: showAttachments, merge: mergeAttachments},
	}
}

// in tells whether a version has the field.
func (f field) in(v eas.Version) bool {
	return (f.from == 0 || v >= f.from) && (f.to == 0 || v <= f.to)
}

// show lists what a phone is told of the event.
func (e *event) show() eas.Properties {
	v := e.o.ProtocolVersion()
	var ps eas.Properties
	for _, f := range fields {
		if !f.in(v) {
			continue
		}
		if el, ok := f.show(e); ok {
			ps = append(ps, el)
		}
	}
	if e.series == nil && e.c.Get("RECURRENCE-ID") != nil && v >= eas.V160 && !e.rule.orphans {
		// An occurrence without its series. See [MS-ASAIRS] "InstanceId".
		if m, ok := e.zones.Moment(e.c.Get("RECURRENCE-ID")); ok {
			ps = append(ps, eas.T(tag.AirSyncBaseInstanceId, e.instanceStamp(m)))
		}
	}
	return append(ps, e.body()...)
}

func (e *event) instanceStamp(m moment) string {
	if m.Form == ical.Date {
		return e.stamp(m.Wall, true)
	}
	return translate.CompactDateTime(m.Instant(time.UTC))
}

// mergeFields applies every field but times, recurrence and exceptions.
func (e *event) mergeFields(sent eas.Properties, whole bool) error {
	// What was shown is asked before anything changes: guests bring their RSVP.
	type shown struct {
		el  eas.Element
		has bool
	}
	v := e.o.ProtocolVersion()
	was := make([]shown, len(fields))
	for i, f := range fields {
		if f.merge != nil && f.in(v) {
			was[i].el, was[i].has = f.show(e)
		}
	}
	for i, f := range fields {
		if f.merge == nil || !f.in(v) {
			continue
		}
		el, ok := sent.Find(f.tag)
		shown, has := was[i].el, was[i].has
		switch {
		case ok && has && f.same != nil && f.same(shown, el):
		case ok && !has && tidy(el.Content()) == "" && len(el.Children) == 0: // nothing, and nothing again
		case ok && (!has || !equal(shown, el)):
			if err := f.merge(e, el); err != nil {
				return err
			}
		case !ok && has && f.removable && whole && !e.plainDates() && !e.o.Absent(f.tag):
			if err := f.merge(e, eas.Element{Tag: f.tag}); err != nil {
				return err
			}
		}
	}
	return e.mergeBody(sent)
}

// equal compares two elements as a person would.
func equal(a, b eas.Element) bool {
	return a.Tag == b.Tag && tidy(a.Content()) == tidy(b.Content()) && slices.EqualFunc(a.Children, b.Children, equal)
}

func tidy(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }

func text(t wbxml.Tag, s string) (eas.Element, bool) { return eas.T(t, valid(s)), s != "" }

// maxText is the length in bytes of a text that a phone is shown, apart from the
// description. It is more than any place or name has, and phones keep these in
// small fields.
const maxText = 16 << 10

// valid makes a text fit for a phone: not every file is UTF-8, reasonable, or
// made of what XML has a place for.
func valid(s string) string {
	return contentline.Clean(strings.ToValidUTF8(translate.Truncate(s, maxText), "\uFFFD"))
}

func number(t wbxml.Tag, n int) (eas.Element, bool) { return eas.T(t, strconv.Itoa(n)), true }

// sentNumber reads a number between 0 and hi; an empty element is -1.
func sentNumber(el eas.Element, hi int) (int, error) {
	s := strings.TrimSpace(el.Content())
	if s == "" {
		return -1, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > hi {
		return 0, invalid("%s is %.20q", tag.Name(el.Tag), s)
	}
	return n, nil
}

func showTimezone(e *event) (eas.Element, bool) {
	if e.plainDates() && e.allDay {
		return eas.Element{}, false
	}
	return eas.T(tag.CalendarTimezone, e.blob().String()), true
}

func showAllDay(e *event) (eas.Element, bool) {
	if e.allDay {
		return number(tag.CalendarAllDayEvent, 1)
	}
	return number(tag.CalendarAllDayEvent, 0)
}

func showStart(e *event) (eas.Element, bool) {
	s := e.when()
	return text(tag.CalendarStartTime, e.stamp(s.start, s.allDay))
}

func showEnd(e *event) (eas.Element, bool) {
	s := e.when()
	return text(tag.CalendarEndTime, e.stamp(s.end, s.allDay))
}

// showStamp tells DTSTAMP, or whatever else says when the object was written.
func showStamp(e *event) (eas.Element, bool) {
	for _, name := range []string{"DTSTAMP", "LAST-MODIFIED", "CREATED", "DTSTART"} {
		if m, ok := e.zones.Moment(e.c.Get(name)); ok {
			return text(tag.CalendarDtStamp, translate.CompactDateTime(m.Instant(time.UTC)))
		}
	}
	return eas.Element{}, false
}

// maxUID is the longest UID that phones take. See [MS-ASCAL] "UID".
const maxUID = 300

func showUID(e *event) (eas.Element, bool) {
	return text(tag.CalendarUID, translate.Truncate(e.c.Get("UID").Text(), maxUID))
}

func showSubject(e *event) (eas.Element, bool) {
	return text(tag.CalendarSubject, e.c.Get("SUMMARY").Text())
}

func mergeSubject(e *event, el eas.Element) error {
	e.setText("SUMMARY", el.Content())
	return nil
}

// setText sets a property, or removes it if the text is empty.
func (e *event) setText(name, s string) {
	if s = tidy(s); s == "" {
		e.c.RemoveAll(name)
		return
	}
	e.c.SetText(name, s)
}

// The values of BusyStatus. See [MS-ASCAL] "BusyStatus".
const (
	free = iota
	tentative
	busy
	outOfOffice
)

var cdoBusy = []string{free: "FREE", tentative: "TENTATIVE", busy: "BUSY", outOfOffice: "OOF"}

func showBusy(e *event) (eas.Element, bool) {
	if i := slices.Index(cdoBusy, strings.ToUpper(e.c.Get("X-MICROSOFT-CDO-BUSYSTATUS").Text())); i >= 0 {
		return number(tag.CalendarBusyStatus, i)
	}
	return number(tag.CalendarBusyStatus, e.plainBusy())
}

// plainBusy is the status as the standard has it.
func (e *event) plainBusy() int {
	switch {
	case strings.EqualFold(e.c.Get("TRANSP").Value(), "TRANSPARENT"), e.cancelled():
		return free
	case strings.EqualFold(e.c.Get("STATUS").Value(), "TENTATIVE"):
		return tentative
	}
	if own := e.own(); own != nil && !e.organizes() {
		switch strings.ToUpper(own.Param("PARTSTAT")) {
		case "", "TENTATIVE", "NEEDS-ACTION":
			return tentative // an invitation without a yes
		}
	}
	return busy
}

// mergeBusy says as much as possible with TRANSP, and the rest with Outlook's
// property. STATUS says more than BusyStatus does and stays.
func mergeBusy(e *event, el eas.Element) error {
	n, err := sentNumber(el, 4)
	if err != nil || n < 0 {
		return err
	}
	if n >= len(cdoBusy) {
		n = free // working elsewhere, from 16.0 on: free for all who know no such thing
	}
	if shown, _ := showBusy(e); shown.Text == strconv.Itoa(n) {
		return nil
	}
	switch l := e.c.Get("TRANSP"); {
	case n == free:
		e.c.Set("TRANSP", "TRANSPARENT")
	case l != nil:
		l.SetValue("OPAQUE")
	}
	if e.c.Get("X-MICROSOFT-CDO-BUSYSTATUS") != nil || e.plainBusy() != n {
		e.c.Set("X-MICROSOFT-CDO-BUSYSTATUS", cdoBusy[n])
	}
	return nil
}

// classes are the values of Sensitivity. iCalendar has no "personal". See
// [MS-ASCAL] "Sensitivity".
var classes = []string{"PUBLIC", "PRIVATE", "PRIVATE", "CONFIDENTIAL"}

func showSensitivity(e *event) (eas.Element, bool) {
	switch strings.ToUpper(e.c.Get("CLASS").Text()) {
	case "", "PUBLIC":
		return number(tag.CalendarSensitivity, 0)
	case "CONFIDENTIAL":
		return number(tag.CalendarSensitivity, 3)
	}
	// PRIVATE, and by RFC 5545, section 3.8.1.3, what we do not know.
	return number(tag.CalendarSensitivity, 2)
}

func mergeSensitivity(e *event, el eas.Element) error {
	n, err := sentNumber(el, 3)
	if err != nil || n < 0 {
		return err
	}
	if shown, _ := showSensitivity(e); n == 1 && shown.Text == "2" || shown.Text == strconv.Itoa(n) {
		return nil
	}
	e.c.Set("CLASS", classes[n])
	return nil
}

func showCategories(e *event) (eas.Element, bool) {
	ps := translate.AppendList(nil, tag.CalendarCategories, tag.CalendarCategory, e.categories())
	if len(ps) == 0 {
		return eas.Element{}, false
	}
	return ps[0], true
}

func (e *event) categories() []string {
	list := e.c.List("CATEGORIES")
	for i, s := range list {
		list[i] = valid(s)
	}
	return list
}

func mergeCategories(e *event, el eas.Element) error {
	want, changed, err := translate.MergeList(e.categories(), eas.Properties{el}, tag.CalendarCategories, tag.CalendarCategory, translate.Options{})
	switch {
	case err != nil:
	case changed && len(want) == 0:
		e.c.RemoveAll("CATEGORIES")
	case changed:
		e.c.SetList("CATEGORIES", want)
	}
	return err
}
