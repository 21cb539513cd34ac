package translate

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A kind is how the content of a property is compared. What the translations
// take for the same is the same here, and rather more than less: a difference
// only matters where the server's object changed meanwhile, and then an echo
// that is taken for an edit would undo that change.
type kind uint8

const (
	text       kind = iota // but for blanks
	mute                   // phones have no say in it
	flag                   // a number, a truth
	minute                 // a point in time, to the minute
	day                    // the same, of which phones may know only the day
	birthday               // a day, sent as some point in time of it
	mailbox                // a mail address, with or without a name
	picture                // base64
	prose                  // a text, as plain text or HTML
	place                  // [MS-ASAIRS] "Location"
	recurrence             // a pattern
	words                  // a set of texts: Categories, Children
	guests                 // Attendees
	exceptions             // Exceptions
)

func (k kind) isList() bool { return k == words || k == guests || k == exceptions }

// sums answers what the element looks like, first as it stands and then in the
// other ways in which a phone may send it back.
func (k kind) sums(e *eas.Element) []sum {
	content := e.Content()
	switch k {
	case flag:
		switch s := strings.ToLower(strings.TrimSpace(content)); s {
		case "true":
			return one("1")
		case "false":
			return one("0")
		default:
			return one(s)
		}
	case minute:
		return one(minuteOf(content))
	case day:
		return daySums(content)
	case birthday:
		return one(dayOf(content))
	case mailbox:
		if i := strings.LastIndexByte(content, '<'); i >= 0 && strings.HasSuffix(strings.TrimSpace(content), ">") {
			content = strings.TrimSuffix(strings.TrimSpace(content[i+1:]), ">")
		}
		return one(strings.TrimPrefix(fold(content), "mailto:"))
	case picture:
		return one(strings.Join(strings.Fields(content), ""))
	case prose:
		return proseSums(e)
	case place:
		return one(nested(e, 0, func(c *eas.Element) bool {
			return c.Tag == tag.AirSyncBaseDisplayName || c.Tag == tag.AirSyncBaseLatitude || c.Tag == tag.AirSyncBaseLongitude
		}))
	case recurrence:
		return one(pattern(e))
	case words, guests, exceptions:
		return listSums(k, e)
	}
	if len(e.Children) > 0 {
		return one(nested(e, 0, nil))
	}
	return one(fold(content))
}

// one is the sum of a content; an empty one is absent.
func one(s string) []sum {
	if s == "" {
		return []sum{absent}
	}
	return []sum{sumOf(s)}
}

// fold takes away what phones do to blanks at the ends and to line breaks.
func fold(s string) string { return strings.TrimSpace(clean(strings.ToValidUTF8(s, "\uFFFD"))) }

// minuteOf is a point in time to the minute, or the text if it is none.
func minuteOf(s string) string {
	t, err := ParseDateTime(s)
	if err != nil {
		return fold(s)
	}
	return strconv.FormatInt(t.Unix()/60, 10)
}

// daySums are a point in time and the midnight before it, for phones that know
// only dates send midnight back.
func daySums(s string) []sum {
	t, err := ParseDateTime(s)
	if err != nil {
		return one(fold(s))
	}
	exact := one(strconv.FormatInt(t.Unix()/60, 10))
	if midnight := t.Truncate(24 * time.Hour); !midnight.Equal(t) {
		return append(exact, one(strconv.FormatInt(midnight.Unix()/60, 10))...)
	}
	return exact
}

// dayOf is the day that a phone means by a point in time: midnight UTC, some
// hour of the day, or midnight where the person is, which is at most half a day
// away from it. See package contact, which knows the person's zone, too.
func dayOf(s string) string {
	t, err := ParseDateTime(s)
	if err != nil {
		return fold(s)
	}
	return t.Add(12 * time.Hour).Format(time.DateOnly)
}

// nested writes the children of an element in an order of their own, those that
// count and have something in them, each in the same one of its forms or, if it
// has not so many, in its last one.
func nested(e *eas.Element, form int, counts func(*eas.Element) bool) string {
	var parts []string
	for i := range e.Children {
		c := &e.Children[i]
		p := propertyOf(c.Tag)
		if p.kind == mute || counts != nil && !counts(c) {
			continue
		}
		sums := p.kind.sums(c)
		if s := sums[min(form, len(sums)-1)]; s != absent {
			parts = append(parts, labelled(c.Tag, strconv.FormatUint(uint64(s), 36)))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ";")
}

func labelled(t wbxml.Tag, s string) string { return strconv.Itoa(int(t)) + "=" + s }

// pattern writes a Recurrence without what goes without saying and without what
// phones do not keep: the first day of the week, the time of day of its end.
func pattern(e *eas.Element) string {
	var parts []string
	for i := range e.Children {
		c := &e.Children[i]
		s := fold(c.Content())
		switch c.Tag {
		case tag.CalendarUntil, tag.TasksUntil:
			if t, err := ParseDateTime(s); err == nil {
				s = t.Format(time.DateOnly)
			}
		case tag.CalendarInterval, tag.TasksInterval:
			if s == "1" {
				continue
			}
		case tag.CalendarFirstDayOfWeek, tag.TasksFirstDayOfWeek, tag.CalendarCalendarType, tag.TasksCalendarType, tag.TasksStart:
			continue
		case tag.CalendarIsLeapMonth, tag.TasksIsLeapMonth, tag.TasksRegenerate, tag.TasksDeadOccur:
			if s == "0" {
				continue
			}
		}
		if s != "" {
			parts = append(parts, labelled(c.Tag, s))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ";")
}

// An element is one of a list: its key tells which one, its sums what is said
// of it, the first one as it stands.
type element struct {
	key  sum
	sums []sum
}

// element reads an element of a list; its key is absent if it has none.
func (k kind) element(e *eas.Element) element {
	switch k {
	case guests:
		return guest(e)
	case exceptions:
		return exception(e)
	}
	s := fold(e.Content())
	return element{key: one(s)[0], sums: one(s)}
}

// guest reads an Attendee. Its name does not count, and some phones send back
// neither the status nor the type.
func guest(e *eas.Element) element {
	ps := eas.Properties(e.Children)
	mail, _ := ps.Text(tag.CalendarEmail)
	who := mailbox.sums(&eas.Element{Text: strings.ToLower(mail)})[0]
	if who == absent {
		return element{}
	}
	status, _ := ps.Text(tag.CalendarAttendeeStatus)
	typ, _ := ps.Text(tag.CalendarAttendeeType)
	el := element{key: who}
	for _, form := range [][2]string{{status, typ}, {"", typ}, {status, ""}, {"", ""}} {
		el.sums = append(el.sums, sumOf(strconv.FormatUint(uint64(who), 36), form[0], form[1]))
	}
	return el
}

// exception reads an Exception, whose text may come back in another form.
func exception(e *eas.Element) element {
	ps := eas.Properties(e.Children)
	at, ok := ps.Text(tag.CalendarExceptionStartTime)
	if !ok {
		at, ok = ps.Text(tag.AirSyncBaseInstanceId)
	}
	if !ok {
		return element{}
	}
	el := element{key: instanceKey(at)}
	deleted, _ := ps.Text(tag.CalendarDeleted)
	for form := range exceptions.forms() {
		what := "deleted"
		if strings.TrimSpace(deleted) != "1" {
			what = nested(e, form, func(c *eas.Element) bool {
				return c.Tag != tag.CalendarDeleted && c.Tag != tag.CalendarExceptionStartTime
			})
		}
		if s := sumOf(strconv.FormatUint(uint64(el.key), 36), what); !slices.Contains(el.sums, s) {
			el.sums = append(el.sums, s)
		}
	}
	return el
}

// instanceKey names an occurrence by its time.
func instanceKey(at string) sum { return sumOf(minuteOf(at)) }

// forms is in how many ways the elements of a list may come back.
func (k kind) forms() int {
	switch k {
	case guests: // without status, type, or both
		return 4
	case exceptions: // with a text in another form
		return 2
	}
	return 1
}

// listSums are those of a list as a whole, in no order.
func listSums(k kind, e *eas.Element) []sum {
	var list []sum
	for form := range k.forms() {
		var parts []string
		for i := range e.Children {
			if el := k.element(&e.Children[i]); el.key != absent {
				parts = append(parts, strconv.FormatUint(uint64(el.sums[min(form, len(el.sums)-1)]), 36))
			}
		}
		slices.Sort(parts)
		s := one(strings.Join(slices.Compact(parts), ";"))[0]
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}
