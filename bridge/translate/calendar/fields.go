package calendar

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
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
		{tag: tag.AirSyncBaseLocation, from: v160, exception: v160, show: showPlace, merge: mergePlace, canBeEmpty: true},
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
		{tag: tag.CalendarResponseRequested, from: v140, show: showResponseRequested},
		{tag: tag.CalendarResponseType, from: v140, exception: v140, show: showResponseType},
		{tag: tag.CalendarDisallowNewTimeProposal, from: v140, show: showDisallow},
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
	if e.series == nil && e.c.Get("RECURRENCE-ID") != nil && v >= eas.V160 {
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
	v := e.o.ProtocolVersion()
	for _, f := range fields {
		if f.merge == nil || !f.in(v) {
			continue
		}
		el, ok := sent.Find(f.tag)
		shown, has := f.show(e)
		switch {
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

func text(t wbxml.Tag, s string) (eas.Element, bool) { return eas.T(t, s), s != "" }

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

func showLocation(e *event) (eas.Element, bool) {
	return text(tag.CalendarLocation, e.c.Get("LOCATION").Text())
}

func mergeLocation(e *event, el eas.Element) error {
	e.setLocation(el.Content())
	return nil
}

// setLocation replaces the location. What describes the old one on a map goes
// with it.
func (e *event) setLocation(s string) {
	e.setText("LOCATION", s)
	e.c.RemoveAll("GEO")
	e.c.RemoveAll("X-APPLE-STRUCTURED-LOCATION")
}

// showPlace is the location as 16.0 and later have it. See [MS-ASAIRS]
// "Location".
func showPlace(e *event) (eas.Element, bool) {
	el := eas.C(tag.AirSyncBaseLocation)
	if s := e.c.Get("LOCATION").Text(); s != "" {
		el.Children = append(el.Children, eas.T(tag.AirSyncBaseDisplayName, s))
	}
	if lat, long, ok := e.geo(); ok {
		el.Children = append(el.Children, eas.T(tag.AirSyncBaseLatitude, lat), eas.T(tag.AirSyncBaseLongitude, long))
	}
	return el, len(el.Children) > 0
}

// geo reads GEO, a latitude and a longitude.
func (e *event) geo() (lat, long string, ok bool) {
	lat, long, ok = strings.Cut(e.c.Get("GEO").Value(), ";")
	lat, long = strings.TrimSpace(lat), strings.TrimSpace(long)
	return lat, long, ok && isDegrees(lat, 90) && isDegrees(long, 180)
}

func isDegrees(s string, most float64) bool {
	f, err := strconv.ParseFloat(s, 64)
	return err == nil && f >= -most && f <= most
}

func mergePlace(e *event, el eas.Element) error {
	place := eas.Properties(el.Children)
	name, _ := place.Text(tag.AirSyncBaseDisplayName)
	lat, _ := place.Text(tag.AirSyncBaseLatitude)
	long, _ := place.Text(tag.AirSyncBaseLongitude)
	if oldLat, oldLong, _ := e.geo(); tidy(name) != tidy(e.c.Get("LOCATION").Text()) || lat != oldLat || long != oldLong {
		e.setLocation(name)
		if isDegrees(lat, 90) && isDegrees(long, 180) {
			e.c.Set("GEO", lat+";"+long)
		}
	}
	return nil
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
	case strings.EqualFold(e.c.Get("TRANSP").Value(), "TRANSPARENT"):
		return free
	case strings.EqualFold(e.c.Get("STATUS").Value(), "TENTATIVE"):
		return tentative
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

// maxCategories is how many a phone is told of. See [MS-ASCAL] "Categories".
const maxCategories = 300

func showCategories(e *event) (eas.Element, bool) {
	el := eas.C(tag.CalendarCategories)
	for _, s := range e.c.List("CATEGORIES") {
		if s = strings.TrimSpace(s); s != "" && len(el.Children) < maxCategories {
			el.Children = append(el.Children, eas.T(tag.CalendarCategory, s))
		}
	}
	return el, len(el.Children) > 0
}

func mergeCategories(e *event, el eas.Element) error {
	var list []string
	for _, c := range el.Children {
		if s := tidy(c.Content()); c.Tag == tag.CalendarCategory && s != "" && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	if len(list) > maxCategories {
		return invalid("%d categories", len(list))
	}
	if len(list) == 0 {
		e.c.RemoveAll("CATEGORIES")
		return nil
	}
	e.c.SetList("CATEGORIES", list)
	return nil
}

// oldBody are the elements of version 2.5. See [MS-ASCAL] "Body (Calendar
// Namespace)".
var oldBody = translate.BodyTags{Body: tag.CalendarBody, Truncated: tag.CalendarBodyTruncated}

// body tells the description, and under it what phones have no other place for.
func (e *event) body() eas.Properties {
	var ps eas.Properties
	if tail := e.tail(); tail != "" && !e.styled() {
		ps = translate.AppendText(nil, translate.Text{Plain: e.description() + tail}, e.o, oldBody)
	} else {
		ps = translate.AppendDescription(nil, e.c, e.o, oldBody)
	}
	// Version 2.5 tells the size of a text in every class but this one.
	return slices.DeleteFunc(ps, func(el eas.Element) bool { return el.Tag == 0 })
}

func (e *event) description() string { return e.c.Get("DESCRIPTION").Text() }

// styled tells whether the description is there as HTML, too. See
// translate.AppendDescription.
func (e *event) styled() bool {
	return e.c.Get("X-ALT-DESC") != nil || e.c.Get("STYLED-DESCRIPTION") != nil || e.c.Get("DESCRIPTION").HasParam("ALTREP")
}

// maxLink bounds the addresses that are shown under a description.
const maxLink = 2000

// tail is what follows the description on a phone: the page and the online
// meeting that belong to the event, unless the description names them, and what
// is to be said of a series that cannot be shown as it is.
func (e *event) tail() string {
	links := []string{strings.TrimSpace(e.c.Get("URL").Value())}
	if e.o.ProtocolVersion() < eas.V141 {
		links = append(links, e.conference())
	}
	description := e.description()
	var parts []string
	for _, link := range links {
		if isLink(link) && !strings.Contains(description, link) && !slices.Contains(parts, link) {
			parts = append(parts, link)
		}
	}
	if notice := e.notice(); notice != "" {
		parts = append(parts, notice)
	}
	if len(parts) == 0 {
		return ""
	}
	tail := strings.Join(parts, "\n")
	if strings.TrimSpace(description) != "" {
		tail = "\n\n" + tail
	}
	return tail
}

func isLink(s string) bool {
	s = strings.ToLower(s)
	return len(s) <= maxLink && (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) && !strings.ContainsAny(s, " \t")
}

// mergeBody stores an edit of the description. The tail is none of it, whether
// the phone left it where it was or not.
func (e *event) mergeBody(sent eas.Properties) error {
	tail := e.tail()
	if tail == "" || e.styled() {
		_, err := translate.MergeDescription(e.c, sent, e.o, oldBody)
		return err
	}
	stored := translate.Text{Plain: e.description() + tail}
	merged, changed, err := translate.MergeText(stored, sent, e.o, oldBody)
	if err != nil || !changed {
		return err
	}
	text := tidy(strings.ReplaceAll(merged.Plain, "\r\n", "\n"))
	text = strings.TrimRight(strings.TrimSuffix(text, strings.TrimSpace(tail)), " \t\n")
	if text != strings.TrimRight(e.description(), " \t\n") {
		e.setText("DESCRIPTION", text)
	}
	return nil
}

// conference is the address of the online meeting, under the names that
// several programs give it. See RFC 7986, section 5.11, and [MS-OXCICAL].
func (e *event) conference() string {
	for _, name := range []string{"X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK", "CONFERENCE"} {
		for _, l := range e.c.All(name) {
			if link := strings.TrimSpace(l.Value()); isLink(link) {
				return link
			}
		}
	}
	return ""
}

func showExternalLink(e *event) (eas.Element, bool) {
	return text(tag.CalendarOnlineMeetingExternalLink, e.conference())
}

// showConfLink tells the address of a conference that is called, not visited.
// See [MS-ASCAL] "OnlineMeetingConfLink".
func showConfLink(e *event) (eas.Element, bool) {
	for _, name := range []string{"X-MICROSOFT-ONLINEMEETINGCONFLINK", "CONFERENCE"} {
		for _, l := range e.c.All(name) {
			link := strings.TrimSpace(l.Value())
			if scheme, _, ok := strings.Cut(strings.ToLower(link), ":"); ok && len(link) <= maxLink && (scheme == "sip" || scheme == "sips" || scheme == "conf") {
				return text(tag.CalendarOnlineMeetingConfLink, link)
			}
		}
	}
	return eas.Element{}, false
}
