package calendar

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// oldBody are the elements of version 2.5. See [MS-ASCAL] "Body (Calendar
// Namespace)".
var oldBody = translate.BodyTags{Body: tag.CalendarBody, Truncated: tag.CalendarBodyTruncated, RTF: tag.CalendarCompressedRTF}

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

// isLink tells whether an address can be shown as it is: a phone that sends it back
// in a text says the same again.
func isLink(s string) bool {
	if len(s) > maxLink || !utf8.ValidString(s) || strings.ContainsFunc(s, odd) {
		return false
	}
	s = strings.ToLower(s)
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

// odd are characters that no address has. See RFC 3986, section 2.
func odd(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

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
