package mail

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
)

// A Person is whom a meeting is passed on to.
type Person struct{ Name, Address string }

// MaxPeople bounds whom a meeting is passed on to at a time.
const MaxPeople = 500

// A Meeting is what is known of an event that is passed on.
type Meeting struct {
	Organizer Person // "" if there is none
	Summary   string

	object []byte // iTIP's
	method string
	when   string
	where  string
	about  string
	guests []address
	start  time.Time
}

// ReadMeeting reads an event as calendar.Request makes it. The error is
// translate.ErrUnreadable.
func ReadMeeting(object []byte, zone *time.Location) (*Meeting, error) {
	doc, err := contentline.Parse(object)
	if err != nil {
		return nil, fmt.Errorf("mail: %w: %w", translate.ErrUnreadable, err)
	}
	cal := doc.Component("VCALENDAR")
	if cal == nil || cal.Component("VEVENT") == nil {
		return nil, fmt.Errorf("mail: %w: there is no event in it", translate.ErrUnreadable)
	}
	e := cal.Component("VEVENT")
	organizer := mailbox(e.Get("ORGANIZER"))
	m := &Meeting{Organizer: Person{organizer.name, organizer.addr}, Summary: line(clean(e.Get("SUMMARY").Text())),
		object: object, method: strings.ToUpper(cal.Get("METHOD").Value()), where: line(clean(e.Get("LOCATION").Text())), about: clean(e.Get("DESCRIPTION").Text())}
	if start, ok := ical.ZonesOf(cal, zone).Moment(e.Get("DTSTART")); ok {
		m.start = start.Instant(zone)
		form := "2006-01-02 15:04 (MST)"
		if start.Form == ical.Date {
			form = "2006-01-02"
		}
		m.when = m.start.In(zone).Format(form)
	}
	for _, l := range e.All("ATTENDEE") {
		if a := mailbox(l); a.addr != "" && len(m.guests) < MaxPeople {
			m.guests = append(m.guests, a)
		}
	}
	return m, nil
}

// Message is the event as if its organizer had mailed it, for Reply and Forward.
func (m *Meeting) Message() Message {
	text := m.about
	if m.where != "" {
		text = "Where: " + m.where + "\r\n\r\n" + text
	}
	if m.when != "" {
		text = "When: " + m.when + "\r\n" + text
	}
	kind := "text/calendar; charset=utf-8; method=" + m.method
	object := encodePart(header{{name: "Content-Type", raw: []byte("Content-Type: " + kind + "\r\n")}}, m.object, true)
	first, second := partBytes(textPartOf("text/plain", text)), partBytes(object)
	b := (&letter{all: append(slices.Clone(first), second...)}).boundary()
	var head strings.Builder
	if m.Organizer.Address != "" {
		head.WriteString(addressField("From", []address{{m.Organizer.Name, m.Organizer.Address}}))
	}
	head.WriteString(addressField("To", m.guests) + textField("Subject", m.Summary))
	head.WriteString("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"" + b + "\"\r\n\r\n")
	return Message{Body: slices.Concat([]byte(head.String()), []byte("--"+b+"\r\n"), first, []byte("\r\n--"+b+"\r\n"), second, []byte("\r\n--"+b+"--\r\n"))}
}

// PassOn is what a phone would write that passes a meeting on to people, for
// Forward: the text is plain, or a document. The error is translate.ErrInvalid if
// somebody has no address.
//
// See [MS-ASCMD] "Forwardees".
func (m *Meeting) PassOn(people []Person, text string, document bool, s Sending) ([]byte, error) {
	to, err := addressesOf(people)
	if err != nil {
		return nil, err
	}
	kind := "text/plain"
	if document {
		kind = "text/html"
	}
	return m.letter(to, "FW: "+m.Summary, textPartOf(kind, text), s), nil
}

// Notice tells the organizer whom a meeting was passed on to. It is for Send.
//
// See [MS-ASCMD] "Receiving and Forwarding Meeting Requests".
func (m *Meeting) Notice(people []Person, s Sending) ([]byte, error) {
	to, err := addressesOf(people)
	if err != nil {
		return nil, err
	}
	text := "Your meeting was passed on.\r\n\r\nMeeting: " + m.Summary + "\r\n"
	if m.when != "" {
		text += "When: " + m.when + "\r\n"
	}
	text += "To: "
	for i, a := range to {
		if i > 0 {
			text += ", "
		}
		text += a.String()
	}
	organizer := []address{{m.Organizer.Name, m.Organizer.Address}}
	return m.letter(organizer, "Meeting Forward Notification: "+m.Summary, textPartOf("text/plain", clean(text)+"\r\n"), s), nil
}

func (m *Meeting) letter(to []address, subject string, text replaced, s Sending) []byte {
	head := addressField("To", to) + textField("Subject", subject)
	if len(s.Self) > 0 {
		head = addressField("From", []address{{s.Name, s.Self[0]}}) + head
	}
	return append([]byte(head), partBytes(text)...)
}

func addressesOf(people []Person) ([]address, error) {
	if len(people) == 0 || len(people) > MaxPeople {
		return nil, invalid("the meeting is passed on to %d people, and 1 to %d are possible", len(people), MaxPeople)
	}
	var list []address
	for _, p := range people {
		a := address{name: line(clean(p.Name)), addr: bareAddress([]byte(p.Address))}
		if !isRecipient(a.addr) {
			return nil, invalid("%.70q is no mail address", p.Address)
		}
		list = append(list, a)
	}
	return list, nil
}
