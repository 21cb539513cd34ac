package mail

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
)

// responses say what a person's answer is called, in PARTSTAT and to people.
var responses = map[calendar.Response]struct{ partstat, subject, text string }{
	calendar.Accepted:  {"ACCEPTED", "Accepted: ", "accepts"},
	calendar.Tentative: {"TENTATIVE", "Tentative: ", "may come to"},
	calendar.Declined:  {"DECLINED", "Declined: ", "declines"},
}

// MeetingReply makes the message that tells an organizer a person's answer to
// an invitation: iTIP's REPLY, mailed as RFC 6047 says. The comment may be
// empty. The error is translate.ErrInvalid if there is nobody to tell, or
// translate.ErrUnreadable.
//
// See RFC 5546, section 3.2.3, and [MS-ASCMD] "MeetingResponse".
func MeetingReply(ics []byte, a calendar.Answer, comment string, s Sending) (*Outgoing, error) {
	return meetingReply(ics, a, nil, comment, s)
}

// A Proposal is another time for a meeting.
type Proposal struct{ Start, End time.Time }

// MeetingCounter is MeetingReply for somebody who would come at another time:
// iTIP's COUNTER. The error is translate.ErrInvalid, too, if the organizer wants no
// other times.
//
// See RFC 5546, section 3.2.7, and [MS-ASCMD] "ProposedStartTime".
func MeetingCounter(ics []byte, a calendar.Answer, p Proposal, comment string, s Sending) (*Outgoing, error) {
	return meetingReply(ics, a, &p, comment, s)
}

func meetingReply(ics []byte, a calendar.Answer, p *Proposal, comment string, s Sending) (*Outgoing, error) {
	doc, err := contentline.Parse(ics)
	if err != nil {
		return nil, fmt.Errorf("mail: %w: %w", translate.ErrUnreadable, err)
	}
	cal := doc.Component("VCALENDAR")
	if cal == nil || cal.Component("VEVENT") == nil {
		return nil, fmt.Errorf("mail: %w: there is no event in it", translate.ErrUnreadable)
	}
	r := &reply{cal: cal, event: cal.Component("VEVENT"), s: s, proposal: p, comment: comment}
	how, ok := responses[a.Response]
	organizer := mailbox(r.event.Get("ORGANIZER"))
	switch {
	case !ok:
		return nil, invalid("UserResponse is %d", a.Response)
	case !strings.Contains(organizer.addr, "@"):
		return nil, invalid("the meeting has no organizer with an address")
	case len(s.Self) == 0:
		return nil, invalid("nobody knows the person's address")
	case p != nil && strings.EqualFold(r.event.Get("X-MICROSOFT-DISALLOW-COUNTER").Text(), "TRUE"):
		return nil, invalid("the organizer wants no other times proposed")
	}
	own := r.attendee()
	made, err := r.calendar(own, how.partstat, a.Instance)
	if err != nil {
		return nil, err
	}
	summary := line(clean(r.event.Get("SUMMARY").Text()))
	name := own.shown()
	plain := name + " " + how.text + ": " + summary + "\r\n"
	subject := how.subject
	if p != nil {
		subject = "New time proposed: "
		plain += "Proposed instead: " + r.proposed() + "\r\n"
	}
	if comment != "" {
		plain = clean(comment) + "\r\n\r\n" + plain
	}
	return r.message(own, organizer, subject+summary, plain, made)
}

// A reply is an answer to an invitation.
type reply struct {
	cal, event *contentline.Component
	s          Sending
	proposal   *Proposal // of another time; nil if none is made
	comment    string
}

func (r *reply) method() string {
	if r.proposal != nil {
		return "COUNTER"
	}
	return "REPLY"
}

// proposed tells people of the proposed time, on the clock of the meeting.
func (r *reply) proposed() string {
	start, end := r.proposal.Start, r.proposal.End
	if m, ok := ical.ZonesOf(r.cal, r.s.Now.Location()).Moment(r.event.Get("DTSTART")); ok && m.Loc != nil {
		start, end = start.In(m.Loc), end.In(m.Loc)
	}
	return start.Format("2006-01-02 15:04") + " to " + end.Format("2006-01-02 15:04 (MST)")
}

// mailbox is whom a property of iCalendar means.
func mailbox(l *contentline.Line) address {
	if l == nil {
		return address{}
	}
	value := strings.TrimSpace(l.Value())
	if email := l.Param("EMAIL"); email != "" && !strings.Contains(value, "@") {
		value = email
	}
	return address{name: line(clean(l.Param("CN"))), addr: mailtoAddress(value)}
}

// mailtoAddress is the mail address of a calendar user.
func mailtoAddress(user string) string {
	user = strings.TrimSpace(user)
	if rest, ok := cutPrefixFold(user, "mailto:"); ok {
		user = rest
		if plain, err := url.PathUnescape(rest); err == nil {
			user = plain
		}
	}
	return bareAddress([]byte(user))
}

// attendee is the person as the invitation has it, so that the organizer's
// program knows who answers; else by the first of the person's addresses.
func (r *reply) attendee() address {
	for _, l := range r.event.All("ATTENDEE") {
		a := mailbox(l)
		if slices.ContainsFunc(r.s.Self, func(own string) bool { return strings.EqualFold(own, a.addr) }) {
			if a.name == "" {
				a.name = r.s.Name
			}
			return a
		}
	}
	return address{name: r.s.Name, addr: r.s.Self[0]}
}

// kept are the properties that an answer repeats: what identifies the event,
// and its time for people's programs. See RFC 5546, section 3.2.3.
var kept = []string{"SEQUENCE", "DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID", "SUMMARY", "LOCATION", "ORGANIZER"}

// calendar writes the iCalendar object.
func (r *reply) calendar(own address, partstat, instance string) ([]byte, error) {
	doc, err := ical.Create("VEVENT", r.event.Get("UID").Text(), r.s.Now)
	if err != nil {
		return nil, err
	}
	cal := doc.Component("VCALENDAR")
	event := cal.Component("VEVENT")
	cal.Add("METHOD", r.method())
	for _, zone := range r.cal.Components("VTIMEZONE") {
		cal.AddCopy(zone)
	}
	for _, name := range kept {
		if l := r.event.Get(name); l != nil && (instance == "" || name != "RRULE") {
			event.Add(name, l.Value(), l.Params()...)
		}
	}
	if instance != "" {
		if err := r.occurrence(cal, event, instance); err != nil {
			return nil, err
		}
	}
	if r.proposal != nil {
		r.propose(event)
	}
	params := []contentline.Param{contentline.P("PARTSTAT", partstat)}
	if own.name != "" {
		params = append(params, contentline.P("CN", own.name))
	}
	event.Add("ATTENDEE", "mailto:"+own.addr, params...)
	if r.comment != "" {
		event.AddText("COMMENT", clean(r.comment))
	}
	return doc.Bytes(), nil
}

// occurrence makes the answer one to a single occurrence.
func (r *reply) occurrence(cal, event *contentline.Component, instance string) error {
	at, err := translate.ParseDateTime(instance)
	if err != nil {
		return err
	}
	zone := r.s.Now.Location()
	start, ok := ical.ZonesOf(cal, zone).Moment(r.event.Get("DTSTART"))
	if !ok {
		return invalid("the event has no start")
	}
	id := start.When(at)
	if start.Form == ical.Date {
		id = start.At(time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC))
	}
	event.RemoveAll("RECURRENCE-ID")
	id.Put(event, "RECURRENCE-ID")
	if end, ok := ical.ZonesOf(cal, zone).Moment(event.Get("DTEND")); ok {
		end = end.At(id.Wall.Add(end.Wall.Sub(start.Wall)))
		end.Put(event, "DTEND")
	}
	id.Put(event, "DTSTART")
	return nil
}

// propose puts the proposed time into the place of the meeting's own, which stays
// beside it for Outlook. See [MS-OXCICAL] "Property: X-MS-OLK-ORIGINALSTART".
func (r *reply) propose(event *contentline.Component) {
	zones := ical.ZonesOf(r.cal, r.s.Now.Location())
	for _, p := range []struct {
		name, original string
		at             time.Time
	}{{"DTSTART", "X-MS-OLK-ORIGINALSTART", r.proposal.Start}, {"DTEND", "X-MS-OLK-ORIGINALEND", r.proposal.End}} {
		now, ok := zones.Moment(event.Get(p.name))
		if ok {
			event.Add(p.original, now.Value(), now.Params()...)
		}
		if !ok || now.Form == ical.Date { // a whole day; phones propose times
			now = ical.Moment{Form: ical.UTC, Loc: time.UTC}
		}
		now.When(p.at).Put(event, p.name)
	}
	event.RemoveAll("DURATION")
}

// message wraps it.
func (r *reply) message(own, organizer address, subject, plain string, ics []byte) (*Outgoing, error) {
	return meetingMessage(own, []address{organizer}, subject, plain, r.method(), ics, r.s)
}

// MeetingNotice makes the message that tells guests what became of a meeting. The
// errors are those of Send.
func MeetingNotice(n calendar.Notice, s Sending) (*Outgoing, error) {
	from := address{name: line(clean(n.From.Name)), addr: bareAddress([]byte(n.From.Address))}
	if from.name == "" {
		from.name = s.Name
	}
	to := make([]address, 0, len(n.To))
	for _, g := range n.To {
		to = append(to, address{name: line(clean(g.Name)), addr: bareAddress([]byte(g.Address))})
	}
	subject := line(clean(n.Summary))
	if n.Method == "CANCEL" {
		subject = "Cancelled: " + subject
	}
	return meetingMessage(from, to, subject, clean(n.Text), n.Method, n.Body, s)
}

// meetingMessage wraps an iCalendar object. See RFC 6047, section 2.4.
func meetingMessage(from address, to []address, subject, plain, method string, ics []byte, s Sending) (*Outgoing, error) {
	object := encodePart(header{{name: "Content-Type", raw: []byte("Content-Type: text/calendar; charset=utf-8; method=" + method + "\r\n")}}, ics, true)
	first, second := partBytes(textPartOf("text/plain", plain)), partBytes(object)
	b := (&letter{all: append(slices.Clone(first), second...)}).boundary()
	head := addressField("From", []address{from}) + addressField("To", to) + textField("Subject", subject) +
		"Content-Type: multipart/alternative; boundary=\"" + b + "\"\r\n\r\n"
	return Send(slices.Concat([]byte(head), []byte("--"+b+"\r\n"), first, []byte("\r\n--"+b+"\r\n"), second, []byte("\r\n--"+b+"--\r\n")), s)
}

// Scheduling tells which meeting a phone's mail is about, if it is an invitation, a
// cancellation or an answer, and is for nobody but those whom the meeting concerns; and
// which of these it is, as iTIP calls it. Else the UID is empty.
func Scheduling(message []byte) (uid, method string) {
	m := Message{Body: message}
	ics, method, err := Invitation(m)
	if err != nil || method != "REQUEST" && method != "CANCEL" && method != "REPLY" {
		return "", ""
	}
	root, err := m.tree()
	if err != nil {
		return "", ""
	}
	doc, err := contentline.Parse(ics)
	if err != nil {
		return "", ""
	}
	concerned := map[string]bool{}
	for _, cal := range doc.Components("VCALENDAR") {
		for _, event := range cal.Components("VEVENT") {
			for _, l := range append(event.All("ATTENDEE"), event.All("ORGANIZER")...) {
				concerned[strings.ToLower(mailbox(l).addr)] = true
			}
		}
	}
	for _, field := range []string{"To", "Cc", "Bcc"} {
		for _, a := range root.header.addresses(field, "") {
			if !concerned[strings.ToLower(a.addr)] {
				return "", ""
			}
		}
	}
	return calendar.UID(ics), method
}
