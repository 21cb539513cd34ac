package mail

import (
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
)

// answers tells whether an answer may have more to it than its class, which an
// organizer's phone is told from 16.1 on.
func (s *shown) answers(i *invite) bool {
	return s.version >= eas.V161 && (i.method == "COUNTER" || i.class == passedOnClass)
}

// answer is what there is to tell: another time that is proposed, or to whom the
// invitation was passed on. The event is the meeting as it stands, as far as the answer
// says that; with nothing to tell there is no MeetingRequest.
//
// See [MS-ASCMD] "ProposedStartTime", "ProposedEndTime" and "Forwardees".
func (s *shown) answer(i *invite, event eas.Properties, o translate.Options) (eas.Properties, []eas.Element) {
	if i.method == "COUNTER" {
		return i.proposed(event, o)
	}
	return event, forwardees(i.delegates())
}

// proposed takes the proposed time out of a counter-proposal, whose DTSTART and DTEND it
// is. What the meeting's own time is, Outlook's programs and ours say beside it; of
// others it is not known, and the phone, which wants a time, sees the proposed one in
// both places. Who proposes something else than a time, such as another place, has none.
//
// See RFC 5546, section 3.2.7, and [MS-OXCICAL] "Property: X-MS-OLK-ORIGINALSTART".
func (i *invite) proposed(event eas.Properties, o translate.Options) (eas.Properties, []eas.Element) {
	start, starts := event.Text(tag.CalendarStartTime)
	end, ends := event.Text(tag.CalendarEndTime)
	if !starts || !ends {
		return event, nil
	}
	if original := i.original(); original != nil {
		if stands, err := calendar.FromICalendar(original, o); err == nil {
			oldStart, _ := stands.Text(tag.CalendarStartTime)
			oldEnd, _ := stands.Text(tag.CalendarEndTime)
			if event = stands; oldStart == start && oldEnd == end {
				return event, nil
			}
		}
	}
	return event, []eas.Element{eas.T(tag.MeetingResponseProposedStartTime, start), eas.T(tag.MeetingResponseProposedEndTime, end)}
}

// original is the object of a counter-proposal with the meeting's own time in it; nil
// if that is not told.
func (i *invite) original() []byte {
	if i.event.Get("X-MS-OLK-ORIGINALSTART") == nil || i.event.Get("X-MS-OLK-ORIGINALEND") == nil {
		return nil
	}
	doc, err := contentline.Parse(i.ics) // a copy: the invitation stays as it was mailed
	if err != nil {
		return nil
	}
	event := doc.Component("VCALENDAR").Component("VEVENT")
	for _, p := range [][2]string{{"DTSTART", "X-MS-OLK-ORIGINALSTART"}, {"DTEND", "X-MS-OLK-ORIGINALEND"}} {
		l := event.Get(p[1])
		event.RemoveAll(p[0])
		event.Add(p[0], l.Value(), l.Params()...)
	}
	event.RemoveAll("DURATION")
	return doc.Bytes()
}

// delegates are whom a guest sends instead, the first MaxPeople. See RFC 5546, section
// 3.2.2.3.
func (i *invite) delegates() []address {
	guests := i.event.All("ATTENDEE")
	names := map[string]string{}
	for _, l := range guests {
		guest := mailbox(l)
		names[strings.ToLower(guest.addr)] = guest.name
	}
	var list []address
	for _, l := range guests {
		if !strings.EqualFold(l.Param("PARTSTAT"), "DELEGATED") {
			continue
		}
		for _, p := range l.Params() {
			if p.Name != "DELEGATED-TO" {
				continue
			}
			for _, user := range p.Values {
				addr := mailtoAddress(user)
				if strings.Contains(addr, "@") && len(list) < MaxPeople {
					list = append(list, address{name: names[strings.ToLower(addr)], addr: addr})
				}
			}
		}
	}
	return list
}

// forwardees are people as MeetingRequest has them; none if there is nobody.
func forwardees(people []address) []eas.Element {
	if len(people) == 0 {
		return nil
	}
	el := eas.C(tag.ComposeMailForwardees)
	for _, a := range people {
		one := eas.C(tag.ComposeMailForwardee)
		if a.name != "" {
			one.Children = append(one.Children, eas.T(tag.ComposeMailForwardeeName, a.name))
		}
		one.Children = append(one.Children, eas.T(tag.ComposeMailForwardeeEmail, a.addr))
		el.Children = append(el.Children, one)
	}
	return []eas.Element{el}
}
