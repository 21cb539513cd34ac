package mail

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

func itoa(n int) string { return strconv.Itoa(n) }

// maxCalendar is the largest calendar part that is read, in bytes.
const maxCalendar = 1 << 20

// An invite is the calendar part of a message.
type invite struct {
	ics    []byte
	method string // in upper case
	class  string // MessageClass, "" if it makes the message nothing special
	cal    *contentline.Component
	event  *contentline.Component
}

// Invitation answers the calendar part of a message, in UTF-8, and its method,
// such as REQUEST. The error is translate.ErrNoAttachment if there is none, or
// translate.ErrUnreadable.
func Invitation(m Message) (ics []byte, method string, err error) {
	root, err := m.tree()
	if err != nil {
		return nil, "", err
	}
	s := &shown{Message: m, root: root, content: contentOf(root)}
	if i := s.readInvitation(); i != nil {
		return i.ics, i.method, nil
	}
	return nil, "", translate.ErrNoAttachment
}

// invitation is readInvitation, once.
func (s *shown) invitation() *invite {
	if !s.invited {
		s.invited, s.invite = true, s.readInvitation()
	}
	return s.invite
}

// readInvitation reads the calendar part; nil if there is none, or it is not all
// here, or no event.
func (s *shown) readInvitation() *invite {
	p := s.content.calendar
	if p == nil || p.left != nil {
		return nil
	}
	data, all := p.decoded(maxCalendar)
	if !all {
		return nil
	}
	i := &invite{ics: []byte(decodeCharset(data, p.params["charset"], ""))}
	doc, err := contentline.Parse(i.ics)
	if err != nil {
		return nil
	}
	i.cal = doc.Component("VCALENDAR")
	if i.cal == nil {
		return nil
	}
	if i.event = i.cal.Component("VEVENT"); i.event == nil {
		return nil
	}
	if i.method = strings.ToUpper(strings.TrimSpace(i.cal.Get("METHOD").Value())); i.method == "" {
		i.method = strings.ToUpper(strings.TrimSpace(p.params["method"]))
	}
	i.class = s.meetingClass(i)
	return i
}

// meeting appends the MeetingRequest of an invitation or a cancellation, and of an
// answer that proposes another time or passes the invitation on. An event that cannot
// be read leaves a message like any other. See [MS-ASEMAIL] "MeetingRequest".
func (s *shown) meeting() {
	i := s.invitation()
	if i == nil || meetingClasses[i.method] == "" && !s.answers(i) {
		return
	}
	o := s.o
	o.Item, o.Body, o.Ghosted = "", translate.Body{Omit: true, Truncate: -1}, nil
	event, err := calendar.FromICalendar(i.ics, o)
	if err != nil {
		return
	}
	if meetingClasses[i.method] != "" {
		s.addText(s.meetingRequest(i, event))
		return
	}
	if event, told := s.answer(i, event, o); len(told) > 0 {
		el := s.meetingRequest(i, event)
		el.Children = append(el.Children, told...) // which the schema has last
		s.addText(el)
	}
}

// meetingRequest writes the elements in the order of the schema.
func (s *shown) meetingRequest(i *invite, event eas.Properties) eas.Element {
	el := eas.C(tag.EmailMeetingRequest)
	add := func(t wbxml.Tag, text string) { el.Children = append(el.Children, eas.T(t, text)) }
	copied := func(from, to wbxml.Tag) {
		if text, ok := event.Text(from); ok && text != "" {
			add(to, text)
		}
	}
	moment := func(from, to wbxml.Tag) {
		if at, ok := eventTime(event, from); ok {
			add(to, translate.DateTime(at))
		}
	}
	copied(tag.CalendarAllDayEvent, tag.EmailAllDayEvent)
	moment(tag.CalendarStartTime, tag.EmailStartTime)
	stamp, ok := eventTime(event, tag.CalendarDtStamp)
	if !ok {
		stamp = s.received()
	}
	add(tag.EmailDtStamp, translate.DateTime(stamp))
	moment(tag.CalendarEndTime, tag.EmailEndTime)
	add(tag.EmailInstanceType, i.instanceType(event))
	if s.version < eas.V160 {
		copied(tag.CalendarLocation, tag.EmailLocation)
	} else if place, ok := event.Find(tag.AirSyncBaseLocation); ok {
		el.Children = append(el.Children, place)
	}
	if organizer := i.organizer(); organizer != "" {
		add(tag.EmailOrganizer, organizer)
	}
	if at, ok := i.recurrenceID(s.o); ok {
		add(tag.EmailRecurrenceId, translate.DateTime(at))
	}
	copied(tag.CalendarReminder, tag.EmailReminder)
	add(tag.EmailResponseRequested, i.responseRequested(event))
	if recurrence, ok := event.Find(tag.CalendarRecurrence); ok && len(recurrence.Children) > 0 {
		el.Children = append(el.Children, eas.C(tag.EmailRecurrences, recurrenceOf(recurrence)))
	}
	copied(tag.CalendarSensitivity, tag.EmailSensitivity)
	add(tag.EmailBusyStatus, i.busyStatus())
	add(tag.EmailTimeZone, s.timeZone(event))
	s.identity(i, add)
	return el
}

// identity writes the last elements: up to 14.1 a meeting is known by its
// GlobalObjId, from 16.0 on by its UID.
func (s *shown) identity(i *invite, add func(wbxml.Tag, string)) {
	uid := i.event.Get("UID").Text()
	rest := func() {
		if s.version >= eas.V140 && i.event.Get("X-MICROSOFT-DISALLOW-COUNTER") != nil {
			add(tag.EmailDisallowNewTimeProposal, bit(strings.EqualFold(i.event.Get("X-MICROSOFT-DISALLOW-COUNTER").Text(), "TRUE")))
		}
		if s.version >= eas.V141 {
			add(tag.Email2MeetingMessageType, i.messageType())
		}
	}
	if s.version >= eas.V160 {
		rest()
		add(tag.CalendarUID, clean(line(uid)))
		return
	}
	at, ok := i.recurrenceID(s.o)
	if !ok {
		at = time.Time{}
	}
	add(tag.EmailGlobalObjId, globalObjectID(uid, at.In(s.o.Location())))
	rest()
}

func eventTime(event eas.Properties, t wbxml.Tag) (time.Time, bool) {
	text, _ := event.Text(t)
	at, err := translate.ParseDateTime(text)
	return at, err == nil
}

// The values of InstanceType. See [MS-ASEMAIL] "InstanceType".
const (
	instanceSingle    = "0"
	instanceMaster    = "1"
	instanceException = "3"
)

func (i *invite) instanceType(event eas.Properties) string {
	if i.event.Get("RECURRENCE-ID") != nil {
		return instanceException
	}
	if _, ok := event.Find(tag.CalendarRecurrence); ok || i.event.Get("RRULE") != nil {
		return instanceMaster
	}
	return instanceSingle
}

// recurrenceID is which occurrence of a series is meant, if only one is.
func (i *invite) recurrenceID(o translate.Options) (time.Time, bool) {
	l := i.event.Get("RECURRENCE-ID")
	if l == nil {
		return time.Time{}, false
	}
	m, ok := ical.ZonesOf(i.cal, o.Location()).Moment(l)
	if !ok {
		return time.Time{}, false
	}
	return m.Instant(o.Location()), true
}

// organizer is who invites, as an address with a name.
func (i *invite) organizer() string {
	l := i.event.Get("ORGANIZER")
	if l == nil {
		return ""
	}
	addr := strings.TrimSpace(l.Value())
	if rest, ok := cutPrefixFold(addr, "mailto:"); ok {
		addr = rest
	}
	return clean(address{name: line(l.Param("CN")), addr: bareAddress([]byte(addr))}.String())
}

// responseRequested tells whether an answer is wanted: it is, unless the
// invitation says otherwise. See [MS-ASEMAIL] "ResponseRequested".
func (i *invite) responseRequested(event eas.Properties) string {
	if i.method != "REQUEST" {
		return "0"
	}
	for _, l := range i.event.All("ATTENDEE") {
		if strings.EqualFold(l.Param("RSVP"), "TRUE") {
			return "1"
		}
	}
	if text, _ := event.Text(tag.CalendarResponseRequested); text == "1" {
		return "1"
	}
	return bit(!strings.EqualFold(i.event.Get("ATTENDEE").Param("RSVP"), "FALSE"))
}

// busyStatus is what the time will be to those who accept. See [MS-ASEMAIL]
// "BusyStatus".
func (i *invite) busyStatus() string {
	intended := i.event.Get("X-MICROSOFT-CDO-INTENDEDSTATUS").Text()
	if intended == "" {
		intended = i.event.Get("X-MICROSOFT-CDO-BUSYSTATUS").Text()
	}
	switch strings.ToUpper(intended) {
	case "FREE":
		return "0"
	case "OOF":
		return "3"
	case "BUSY":
		return "2"
	}
	switch {
	case i.method == "CANCEL", strings.EqualFold(i.event.Get("TRANSP").Value(), "TRANSPARENT"):
		return "0"
	case strings.EqualFold(i.event.Get("STATUS").Value(), "TENTATIVE"):
		return "1"
	}
	return "2"
}

// messageType is 1 for a first invitation and 2 for a later one; 0 is
// unspecified. See [MS-ASEMAIL] "MeetingMessageType".
func (i *invite) messageType() string {
	n, err := strconv.Atoi(strings.TrimSpace(i.event.Get("SEQUENCE").Value()))
	switch {
	case i.method != "REQUEST":
		return "0"
	case err == nil && n > 0:
		return "2"
	}
	return "1"
}

// timeZone is the zone of the meeting. An all-day one has none from 16.0 on,
// while the schema wants it: then it is the person's own.
func (s *shown) timeZone(event eas.Properties) string {
	if text, ok := event.Text(tag.CalendarTimezone); ok && text != "" {
		return text
	}
	at, ok := eventTime(event, tag.CalendarStartTime)
	if !ok {
		at = s.received()
	}
	return tz.BlobAt(s.o.Location(), at).String()
}

// recurrenceTags are the elements of a recurrence in the order of the schema,
// and what the Calendar class calls them.
var recurrenceTags = []struct{ calendar, mail wbxml.Tag }{
	{tag.CalendarType, tag.EmailType},
	{tag.CalendarInterval, tag.EmailInterval},
	{tag.CalendarUntil, tag.EmailUntil},
	{tag.CalendarOccurrences, tag.EmailOccurrences},
	{tag.CalendarWeekOfMonth, tag.EmailWeekOfMonth},
	{tag.CalendarDayOfMonth, tag.EmailDayOfMonth},
	{tag.CalendarDayOfWeek, tag.EmailDayOfWeek},
	{tag.CalendarMonthOfYear, tag.EmailMonthOfYear},
	{tag.CalendarCalendarType, tag.Email2CalendarType},
	{tag.CalendarIsLeapMonth, tag.Email2IsLeapMonth},
	{tag.CalendarFirstDayOfWeek, tag.Email2FirstDayOfWeek},
}

func recurrenceOf(of eas.Element) eas.Element {
	el := eas.C(tag.EmailRecurrence)
	for _, t := range recurrenceTags {
		if text, ok := eas.Properties(of.Children).Text(t.calendar); ok {
			el.Children = append(el.Children, eas.T(t.mail, text))
		}
	}
	return el
}

// globalObjectID is a UID in the form of Outlook. One that Outlook made is in
// that form already, in hexadecimal digits. See [MS-ASEMAIL] "GlobalObjId" and
// "Converting a GlobalObjId to a UID".
func globalObjectID(uid string, instance time.Time) string {
	raw := outlookID(uid)
	if raw == nil {
		data := append([]byte("vCal-Uid\x01\x00\x00\x00"), uid...)
		data = append(data, 0)
		raw = append(append([]byte{}, globalPrefix...), make([]byte, 20)...)
		n := len(data)
		raw = append(raw, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
		raw = append(raw, data...)
	}
	if !instance.IsZero() {
		y, m, d := instance.Date()
		copy(raw[len(globalPrefix):], []byte{byte(y >> 8), byte(y), byte(m), byte(d)})
	}
	return base64.StdEncoding.EncodeToString(raw)
}

var globalPrefix = []byte{0x04, 0, 0, 0, 0x82, 0, 0xE0, 0, 0x74, 0xC5, 0xB7, 0x10, 0x1A, 0x82, 0xE0, 0x08}

// globalHeader is what is in front of the data: the prefix, the date of an
// occurrence, a time, eight reserved bytes and the length.
const globalHeader = 40

// outlookID is the bytes of a UID that Outlook made, nil for another one.
func outlookID(uid string) []byte {
	if len(uid)%2 != 0 || len(uid) < 2*globalHeader || len(uid) > 1<<10 {
		return nil
	}
	raw := make([]byte, 0, len(uid)/2)
	for i := 0; i < len(uid); i += 2 {
		high, low := nibble(uid[i]), nibble(uid[i+1])
		if high < 0 || low < 0 {
			return nil
		}
		raw = append(raw, byte(high<<4|low))
	}
	if string(raw[:len(globalPrefix)]) != string(globalPrefix) {
		return nil
	}
	return raw
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
