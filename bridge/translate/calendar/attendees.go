package calendar

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
)

// address is the mail address of an ORGANIZER or ATTENDEE, or "".
func address(l *line) string {
	value := strings.TrimSpace(l.Value())
	if len(value) > 7 && strings.EqualFold(value[:7], "mailto:") {
		return strings.TrimSpace(value[7:])
	}
	if mail := strings.TrimSpace(l.Param("EMAIL")); mail != "" {
		return mail
	}
	if strings.Contains(value, "@") && !strings.Contains(value, ":") {
		return value
	}
	return ""
}

// bare takes the name away from `"Ann" <ann@example.org>`, as some phones send
// addresses.
func bare(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.LastIndexByte(s, '<'); i >= 0 && strings.HasSuffix(s, ">") {
		s = s[i+1 : len(s)-1]
	}
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	return strings.TrimSpace(s)
}

// mine tells whether a mail address is the person's.
func (obj *object) mine(mail string) bool {
	return mail != "" && slices.ContainsFunc(obj.o.Self, func(s string) bool { return strings.EqualFold(bare(s), mail) })
}

// self tells whether a line is about the person.
func (obj *object) self(l *line) bool { return obj.mine(address(l)) }

func showOrganizerName(e *event) (eas.Element, bool) {
	return text(tag.CalendarOrganizerName, e.c.Get("ORGANIZER").Param("CN"))
}

func showOrganizerEmail(e *event) (eas.Element, bool) {
	return text(tag.CalendarOrganizerEmail, address(e.c.Get("ORGANIZER")))
}

// guests lists the attendees that phones are shown: those with an address.
func (e *event) guests() []*line {
	var list []*line
	for _, l := range e.c.All("ATTENDEE") {
		if address(l) != "" && len(list) < maxAttendees {
			list = append(list, l)
		}
	}
	return list
}

// organizes tells whether the person is the organizer. Where nobody is named
// it is the person's own event.
func (e *event) organizes() bool {
	l := e.c.Get("ORGANIZER")
	return l == nil || e.self(l)
}

// The bits of MeetingStatus. See [MS-ASCAL] "MeetingStatus".
const (
	isMeeting   = 1
	isReceived  = 2
	isCancelled = 4
)

func showMeetingStatus(e *event) (eas.Element, bool) {
	n := 0
	if len(e.guests()) > 0 {
		n = isMeeting
		if !e.organizes() {
			n |= isReceived
		}
		if e.cancelled() {
			n |= isCancelled
		}
	}
	return number(tag.CalendarMeetingStatus, n)
}

func (e *event) cancelled() bool { return strings.EqualFold(e.c.Get("STATUS").Value(), "CANCELLED") }

// mergeMeetingStatus takes only the cancelling of a meeting; the rest of the
// bits is what we told the phone.
func mergeMeetingStatus(e *event, el eas.Element) error {
	n, err := sentNumber(el, 15)
	if err == nil && n > 0 && n&isCancelled != 0 && !e.cancelled() && e.organizes() {
		e.c.Set("STATUS", "CANCELLED")
	}
	return err
}

// The values of AttendeeStatus and AttendeeType. See [MS-ASCAL].
var (
	partstats = map[string]string{"TENTATIVE": "2", "ACCEPTED": "3", "DECLINED": "4", "NEEDS-ACTION": "5"}
	statuses  = map[string]string{"2": "TENTATIVE", "3": "ACCEPTED", "4": "DECLINED", "5": "NEEDS-ACTION"}
)

// attendeeType is required, optional or resource.
func attendeeType(l *line) string {
	switch strings.ToUpper(l.Param("CUTYPE")) {
	case "RESOURCE", "ROOM":
		return "3"
	}
	switch strings.ToUpper(l.Param("ROLE")) {
	case "OPT-PARTICIPANT", "NON-PARTICIPANT":
		return "2"
	}
	return "1"
}

func showAttendees(e *event) (eas.Element, bool) {
	el := eas.C(tag.CalendarAttendees)
	for _, l := range e.guests() {
		mail := address(l)
		name := l.Param("CN")
		if name == "" {
			name = mail
		}
		one := eas.C(tag.CalendarAttendee, eas.T(tag.CalendarEmail, valid(mail)), eas.T(tag.CalendarName, valid(name)))
		if e.o.ProtocolVersion() >= eas.V120 {
			status := partstats[strings.ToUpper(l.Param("PARTSTAT"))]
			if status == "" {
				status = "0"
			}
			one.Children = append(one.Children, eas.T(tag.CalendarAttendeeStatus, status), eas.T(tag.CalendarAttendeeType, attendeeType(l)))
		}
		el.Children = append(el.Children, one)
	}
	return el, len(el.Children) > 0
}

// maxAttendees bounds how many guests a phone is shown, and may send.
const maxAttendees = 10_000

// mergeAttendees compares by address. Who is missing is uninvited, but never
// the organizer or the person, whom phones leave out; an empty list, which
// phones send out of habit, uninvites nobody. A guest cannot change who else
// is invited.
func mergeAttendees(e *event, el eas.Element) error {
	if len(el.Children) > maxAttendees {
		return invalid("%d attendees", len(el.Children))
	}
	if len(el.Children) == 0 || !e.organizes() && !e.new {
		return nil
	}
	named := map[string]bool{}
	guests := map[string]*line{}
	for _, l := range e.guests() {
		if mail := strings.ToLower(valid(address(l))); guests[mail] == nil {
			guests[mail] = l
		}
	}
	for _, a := range el.Children {
		if a.Tag != tag.CalendarAttendee {
			continue
		}
		ps := eas.Properties(a.Children)
		mail, _ := ps.Text(tag.CalendarEmail)
		if mail = bare(mail); mail == "" || strings.ContainsAny(mail, "\r\n") {
			continue
		}
		key := strings.ToLower(mail)
		if l := guests[key]; l != nil {
			mergeGuest(l, mail, ps)
		} else if !named[key] {
			e.invite(mail, ps)
		}
		named[key] = true
	}
	if len(named) == 0 {
		return nil
	}
	organizer := address(e.c.Get("ORGANIZER"))
	for _, l := range e.guests() {
		mail := address(l)
		if !named[strings.ToLower(valid(mail))] && !strings.EqualFold(mail, organizer) && !e.mine(mail) {
			e.c.Remove(l)
		}
	}
	e.nameOrganizer()
	return nil
}

// guest reads what a phone says of one guest.
func guest(sent eas.Properties) (name, status, kind string) {
	name, _ = sent.Text(tag.CalendarName)
	status, _ = sent.Text(tag.CalendarAttendeeStatus)
	kind, _ = sent.Text(tag.CalendarAttendeeType)
	return strings.Join(strings.Fields(name), " "), strings.TrimSpace(status), strings.TrimSpace(kind)
}

// mergeGuest changes the line of a guest.
func mergeGuest(l *line, mail string, sent eas.Properties) {
	name, status, kind := guest(sent)
	if name != "" && name != strings.Join(strings.Fields(valid(l.Param("CN"))), " ") && !strings.EqualFold(name, mail) {
		l.SetParam("CN", name)
	}
	if s := statuses[status]; s != "" && partstats[strings.ToUpper(l.Param("PARTSTAT"))] != status {
		l.SetParam("PARTSTAT", s)
	}
	if kind != "" && kind != attendeeType(l) {
		setKind(l, kind)
	}
}

// invite adds a guest.
func (e *event) invite(mail string, sent eas.Properties) {
	name, status, kind := guest(sent)
	byPhone := e.phoneMails() && !(e.o.Schedules && e.storeMails())
	l := e.c.Add("ATTENDEE", "mailto:"+mail)
	if name != "" && !strings.EqualFold(name, mail) {
		l.SetParam("CN", name)
	}
	setKind(l, kind)
	if s := statuses[status]; s != "" {
		l.SetParam("PARTSTAT", s)
	} else {
		l.SetParam("PARTSTAT", "NEEDS-ACTION")
	}
	if status != "3" && status != "4" {
		l.SetParam("RSVP", "TRUE")
	}
	if byPhone {
		// Without this a scheduling server would mail a second invitation. See
		// RFC 6638, section 7.1.
		l.SetParam("SCHEDULE-AGENT", "CLIENT")
	}
}

// setKind writes an AttendeeType.
func setKind(l *line, kind string) {
	switch kind {
	case "3":
		l.SetParam("CUTYPE", "RESOURCE")
		l.SetParam("ROLE", "NON-PARTICIPANT")
	case "2":
		l.SetParam("ROLE", "OPT-PARTICIPANT")
	default:
		if l.HasParam("CUTYPE") {
			l.SetParam("CUTYPE", "INDIVIDUAL")
		}
		l.SetParam("ROLE", "REQ-PARTICIPANT")
	}
}

// takeOrganizer names the organizer of a new event as the phone does: an
// invitation that a phone up to 14.1 took out of a mail is somebody else's.
func (e *event) takeOrganizer(sent eas.Properties) {
	mail, _ := sent.Text(tag.CalendarOrganizerEmail)
	name, _ := sent.Text(tag.CalendarOrganizerName)
	guests, _ := sent.Find(tag.CalendarAttendees)
	status, _ := sent.Text(tag.CalendarMeetingStatus)
	bits, _ := strconv.Atoi(strings.TrimSpace(status))
	mail, name = bare(mail), strings.Join(strings.Fields(name), " ")
	switch {
	case !strings.Contains(mail, "@") || strings.ContainsFunc(mail, unicode.IsControl):
		return
	case bits&isReceived == 0 && (len(guests.Children) == 0 || !e.mine(mail) && len(e.o.Self) > 0):
		return // their own event, or their own meeting under an address that we do not know
	}
	l := e.c.Add("ORGANIZER", "mailto:"+mail)
	if name != "" && !strings.EqualFold(name, mail) {
		l.SetParam("CN", name)
	}
	if e.o.Schedules && !e.mine(mail) && e.phoneMails() {
		l.SetParam("SCHEDULE-AGENT", "CLIENT") // the phone mails its answer, too
	}
}

// nameOrganizer makes the person the organizer of an event that has guests and
// no organizer: RFC 5545, section 3.8.4.3, asks for one.
func (e *event) nameOrganizer() {
	if e.c.Get("ORGANIZER") == nil && len(e.guests()) > 0 && len(e.o.Self) > 0 {
		e.c.Add("ORGANIZER", "mailto:"+bare(e.o.Self[0]))
	}
}

// own is the person's ATTENDEE line, or nil.
func (e *event) own() *line {
	for _, l := range e.guests() {
		if e.self(l) {
			return l
		}
	}
	return nil
}

// showResponseType tells what the person answered. See [MS-ASCAL]
// "ResponseType".
func showResponseType(e *event) (eas.Element, bool) {
	switch {
	case len(e.guests()) == 0:
		return number(tag.CalendarResponseType, 0)
	case e.organizes():
		return number(tag.CalendarResponseType, 1)
	}
	own := e.own()
	if own == nil {
		return number(tag.CalendarResponseType, 0) // in a shared calendar: nobody asks the person
	}
	if s := partstats[strings.ToUpper(own.Param("PARTSTAT"))]; s != "" {
		return text(tag.CalendarResponseType, s)
	}
	return number(tag.CalendarResponseType, 5)
}

// showResponseRequested tells whether the person is asked to answer, or as the
// organizer asks anybody.
func showResponseRequested(e *event) (eas.Element, bool) {
	guests := e.guests()
	if len(guests) == 0 {
		return eas.Element{}, false
	}
	asked := func(l *line) bool { return strings.EqualFold(l.Param("RSVP"), "TRUE") }
	if e.organizes() && slices.ContainsFunc(guests, asked) || !e.organizes() && asked(e.own()) {
		return number(tag.CalendarResponseRequested, 1)
	}
	return number(tag.CalendarResponseRequested, 0)
}

// mergeResponseRequested asks all guests of the person's own meeting, or none.
func mergeResponseRequested(e *event, el eas.Element) error {
	n, err := sentNumber(el, 1)
	if err != nil || n < 0 || !e.organizes() {
		return err
	}
	for _, l := range e.guests() {
		switch {
		case e.self(l):
		case n == 1:
			l.SetParam("RSVP", "TRUE")
		case l.HasParam("RSVP"):
			l.SetParam("RSVP")
		}
	}
	return nil
}

// disallow is Outlook's property. See [MS-OXCICAL] "X-MICROSOFT-DISALLOW-COUNTER".
const disallow = "X-MICROSOFT-DISALLOW-COUNTER"

func showDisallow(e *event) (eas.Element, bool) {
	if len(e.guests()) == 0 {
		return eas.Element{}, false
	}
	if strings.EqualFold(e.c.Get(disallow).Text(), "TRUE") {
		return number(tag.CalendarDisallowNewTimeProposal, 1)
	}
	return number(tag.CalendarDisallowNewTimeProposal, 0)
}

func mergeDisallow(e *event, el eas.Element) error {
	n, err := sentNumber(el, 1)
	switch {
	case err != nil || n < 0 || !e.organizes():
	case n == 1:
		e.c.Set(disallow, "TRUE")
	default:
		e.c.RemoveAll(disallow)
	}
	return err
}

// replyTime is when the person answered, as Outlook writes it.
const replyTime = "X-MICROSOFT-CDO-REPLYTIME"

func showReplyTime(e *event) (eas.Element, bool) {
	if m, ok := e.zones.Moment(e.c.Get(replyTime)); ok && m.Form != ical.Date {
		return text(tag.CalendarAppointmentReplyTime, translate.CompactDateTime(m.Instant(time.UTC)))
	}
	return eas.Element{}, false
}
