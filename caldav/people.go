package caldav

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/emersion/go-ical"

	"github.com/pushbridge/pushbridge/carddav/dav"
)

// Bounds of what a server says of people.
const (
	// maxAddresses bounds the addresses of one person.
	maxAddresses = 64

	// maxScheduleAnswer bounds the answer of a scheduling outbox, in bytes: a
	// full month of each of some hundred people.
	maxScheduleAnswer = 8 << 20
)

// A Person is what a principal says of itself.
type Person struct {
	Name      string
	Addresses []string // mail addresses, in the server's order
	Outbox    string   // where others' time is asked for; empty if nowhere
}

// Person asks a principal who it is. What the server does not know is empty.
// See RFC 6638, sections 2.1.1 and 2.4.1.
func (c Client) Person(ctx context.Context, principal string) (Person, error) {
	set, outbox := dav.Name(Namespace, "calendar-user-address-set"), dav.Name(Namespace, "schedule-outbox-URL")
	r, err := c.PropfindOne(ctx, principal, dav.Name(dav.DAV, "displayname"), set, outbox)
	if err != nil {
		return Person{}, err
	}
	p := Person{Name: r.Text(dav.DAV, "displayname")}
	if addresses, ok := r.Get(set.Space, set.Local); ok {
		for _, href := range addresses.Hrefs() {
			if a, ok := mailAddress(href); ok && len(p.Addresses) < maxAddresses {
				p.Addresses = append(p.Addresses, a)
			}
		}
	}
	if box, ok := r.Get(outbox.Space, outbox.Local); ok && len(box.Hrefs()) > 0 {
		if p.Outbox, err = c.HrefPath(box.Hrefs()[0]); err != nil {
			return Person{}, fmt.Errorf("PROPFIND %s: schedule-outbox-URL: %w", principal, err)
		}
	}
	return p, nil
}

// mailAddress is what stands behind mailto:. Other addresses of calendar users
// are paths and numbers.
func mailAddress(href string) (string, bool) {
	const scheme = "mailto:"
	if len(href) < len(scheme) || !strings.EqualFold(href[:len(scheme)], scheme) {
		return "", false
	}
	a, _, _ := strings.Cut(href[len(scheme):], "?")
	if plain, err := url.PathUnescape(a); err == nil {
		a = plain
	}
	a = strings.TrimSpace(a)
	return a, isAddress(a)
}

// isAddress tells whether a text is user@domain, such as can stand in a line of
// iCalendar.
func isAddress(a string) bool {
	at := strings.LastIndexByte(a, '@')
	return at > 0 && at < len(a)-1 && len(a) <= 254 && !strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`<>",;:`, r) })
}

// FreeBusy asks a scheduling outbox when some people are busy, and answers an
// iCalendar object for each that the server tells of, by address. See RFC 6638,
// section 5.
func (c Client) FreeBusy(ctx context.Context, outbox, self string, addresses []string, from, to, now time.Time) (map[string][]byte, error) {
	asked := make(map[string]string, len(addresses)) // as it was asked, by small letters
	for _, a := range addresses {
		if isAddress(a) {
			asked[strings.ToLower(a)] = a
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	body, err := freeBusyRequest(self, asked, from, to, now)
	if err != nil {
		return nil, err
	}
	answer, err := c.Post(ctx, outbox, `text/calendar; charset="utf-8"`, body, maxScheduleAnswer)
	if err != nil {
		return nil, err
	}
	return readScheduleResponse(outbox, answer, asked)
}

func freeBusyRequest(self string, asked map[string]string, from, to, now time.Time) ([]byte, error) {
	const form = "20060102T150405Z"
	cal, fb := ical.NewCalendar(), ical.NewComponent(ical.CompFreeBusy)
	cal.Props.SetText(ical.PropVersion, "2.0")
	cal.Props.SetText(ical.PropProductID, "-//pushbridge//caldav//EN")
	cal.Props.SetText(ical.PropMethod, "REQUEST")
	set := func(name, value string) {
		p := ical.NewProp(name)
		p.Value = value
		fb.Props.Add(p)
	}
	set(ical.PropUID, fmt.Sprintf("%d-freebusy@pushbridge", now.UnixNano()))
	set(ical.PropDateTimeStamp, now.UTC().Format(form))
	set(ical.PropDateTimeStart, from.UTC().Format(form))
	set(ical.PropDateTimeEnd, to.UTC().Format(form))
	set(ical.PropOrganizer, "mailto:"+self)
	for _, a := range asked {
		set(ical.PropAttendee, "mailto:"+a)
	}
	cal.Children = append(cal.Children, fb)
	var b bytes.Buffer
	if err := ical.NewEncoder(&b).Encode(cal); err != nil {
		return nil, fmt.Errorf("caldav: a question for free and busy times: %w", err)
	}
	return b.Bytes(), nil
}

// readScheduleResponse reads what an outbox says of each person. Only a
// request-status of 2 comes with something known. See RFC 6638, section 10.5.
func readScheduleResponse(outbox string, answer []byte, asked map[string]string) (map[string][]byte, error) {
	var doc struct {
		XMLName   xml.Name `xml:"urn:ietf:params:xml:ns:caldav schedule-response"`
		Responses []struct {
			Recipient struct {
				Href string `xml:"DAV: href"`
			} `xml:"urn:ietf:params:xml:ns:caldav recipient"`
			Status string `xml:"urn:ietf:params:xml:ns:caldav request-status"`
			Data   string `xml:"urn:ietf:params:xml:ns:caldav calendar-data"`
		} `xml:"urn:ietf:params:xml:ns:caldav response"`
	}
	if err := xml.Unmarshal(answer, &doc); err != nil {
		return nil, &dav.SyntaxError{Err: fmt.Errorf("POST %s: %w", outbox, err)}
	}
	found := make(map[string][]byte)
	for _, r := range doc.Responses {
		a, _ := mailAddress(strings.TrimSpace(r.Recipient.Href))
		if as, ok := asked[strings.ToLower(a)]; ok && strings.HasPrefix(strings.TrimSpace(r.Status), "2") && strings.TrimSpace(r.Data) != "" {
			found[as] = []byte(r.Data)
		}
	}
	return found, nil
}
