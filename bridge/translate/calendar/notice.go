package calendar

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate"
)

// A Notice is what some guests of a meeting are to be told of it, as iTIP has it.
// See RFC 5546, sections 3.2.2 and 3.2.5.
type Notice struct {
	Method string  // REQUEST or CANCEL
	Body   []byte  // the iCalendar object, with the method in it
	From   Mailbox // the organizer
	To     []Mailbox

	Summary string
	Text    string // when and where, and what it is about, for people
	Name    string // the same for the same notice, whenever it is made
}

// A Mailbox is somebody who is invited, or who invites.
type Mailbox struct{ Name, Address string }

// Notices lists what is to be told to the guests of a meeting that the person
// organizes, because it became what after is: before is empty for a new meeting,
// and after is for one that is deleted. What does not concern guests, such as a
// reminder, is no reason; neither is a change of what is over.
//
// Where the server schedules, it tells guests itself, but for those of whom it was
// said that it does not; of them those are listed whom it cannot tell because the
// meeting is deleted.
func Notices(before, after []byte, o translate.Options) ([]Notice, error) {
	if o.Schedules && after != nil {
		return nil, nil
	}
	was, err := meetingOf(before, o)
	if err != nil {
		return nil, err
	}
	is, err := meetingOf(after, o)
	if err != nil || was == nil && is == nil || was.over() && is.over() {
		return nil, err
	}
	if was != nil && is == nil && after != nil && len(after) > 0 {
		return nil, nil // the person does not organize it any more
	}
	c := &changes{was: was, is: is, groups: map[string]*group{}}
	for _, g := range mergedGuests(was, is) {
		c.compare(g)
	}
	return c.notices(o)
}

// A meeting is an event of the person's own, as its guests see it.
type meeting struct {
	obj    *object
	base   *component                 // of all occurrences; nil where there are only some
	parts  map[string]*event          // occurrences that are told apart
	order  []string                   // their keys
	outs   map[string]time.Time       // occurrences that are taken out, by their keys
	prints map[string]string          // what guests are told, by key; "" is that of base
	likely map[string]string          // see expected
	guests map[string]map[string]bool // their addresses in lower case, by key
	people []Mailbox                  // all of them
	off    bool                       // cancelled as a whole
}

// meetingOf reads the person's own meeting; nil if it is none.
func meetingOf(ics []byte, o translate.Options) (*meeting, error) {
	if len(ics) == 0 {
		return nil, nil
	}
	obj, err := read(ics, o)
	if err != nil {
		return nil, err
	}
	e := obj.event
	if !e.organizes() || address(e.c.Get("ORGANIZER")) == "" && len(o.Self) == 0 {
		return nil, nil
	}
	m := &meeting{obj: obj, parts: map[string]*event{}, outs: map[string]time.Time{}, prints: map[string]string{}, likely: map[string]string{}, guests: map[string]map[string]bool{}}
	all := obj.overrides
	if e.c.Get("RECURRENCE-ID") == nil {
		m.base, m.off = e.c, e.cancelled()
		m.take("", e)
		for _, at := range e.moments("EXDATE") {
			m.outs[instanceKey(at)] = at
		}
	} else {
		all = append([]*event{e}, all...)
	}
	for _, x := range all {
		m.takePart(x)
	}
	return m, nil
}

func instanceKey(at time.Time) string { return at.Format("20060102T150405") }

// takePart takes an occurrence that is told apart.
func (m *meeting) takePart(x *event) {
	l := x.c.Get("RECURRENCE-ID")
	at, ok := m.obj.zones.Moment(l)
	if !ok {
		return
	}
	wall, key := at.Wall, l.Value()
	if m.base != nil {
		wall = m.obj.event.ownWall(at)
		key = instanceKey(wall)
	}
	if _, there := m.parts[key]; there {
		return
	}
	if x.cancelled() && m.base != nil {
		m.outs[key] = wall
		return
	}
	if x.cancelled() {
		return
	}
	m.parts[key], m.order = x, append(m.order, key)
	m.take(key, x)
}

func (m *meeting) take(key string, x *event) {
	m.prints[key], m.guests[key] = noticed(x.c), map[string]bool{}
	for _, l := range x.c.All("ATTENDEE") {
		if !m.obj.told(l) || agent(l) == "NONE" || m.obj.o.Schedules && agent(l) != "CLIENT" || len(m.guests[key]) >= maxAttendees {
			continue
		}
		g := Mailbox{valid(l.Param("CN")), valid(address(l))}
		m.guests[key][strings.ToLower(g.Address)] = true
		m.people = append(m.people, g)
	}
}

// over tells whether nothing of the meeting is still to come.
func (m *meeting) over() bool {
	if m == nil {
		return true
	}
	ends := m.obj.event.seriesEnd()
	for _, x := range m.obj.overrides {
		if ends != translate.Forever {
			ends = max(ends, x.endInstant().Unix())
		}
	}
	return ends != translate.Forever && ends < m.obj.o.Now.Unix()
}

// noticeable are the properties that guests are told of.
var noticeable = map[string]bool{
	"DTSTART": true, "DTEND": true, "DURATION": true, "RRULE": true, "RDATE": true, "EXRULE": true, "STATUS": true, "SUMMARY": true, "LOCATION": true,
	"DESCRIPTION": true, "URL": true, "GEO": true, "ATTACH": true, "CONFERENCE": true, "RESOURCES": true, "CONTACT": true, "COMMENT": true,
	"X-ALT-DESC": true, "STYLED-DESCRIPTION": true, "X-GOOGLE-CONFERENCE": true, "X-MICROSOFT-SKYPETEAMSMEETINGURL": true,
}

// noticed is what guests are told of a component: if it is as it was, they need
// not hear of it. Who else is invited and what is taken out is looked at apart.
func noticed(c *component) string {
	var b strings.Builder
	for _, l := range c.Lines() {
		if noticeable[l.Name()] {
			writeLine(&b, l)
		}
	}
	return b.String()
}

// mergedGuests lists everybody who is or was invited to anything, once.
func mergedGuests(meetings ...*meeting) (list []Mailbox) {
	seen := map[string]bool{}
	for _, m := range meetings {
		if m == nil {
			continue
		}
		for _, g := range m.people {
			if mail := strings.ToLower(g.Address); !seen[mail] {
				seen[mail] = true
				list = append(list, g)
			}
		}
	}
	return list
}

// A view is what one guest sees of a meeting.
type view struct {
	base  bool
	parts []string // occurrences that are told apart
	outs  []string // occurrences without this guest
}

func (v view) empty() bool { return !v.base && len(v.parts) == 0 }

func (m *meeting) invites(key string, g Mailbox) bool {
	return m.guests[key][strings.ToLower(g.Address)]
}

func (m *meeting) view(g Mailbox) view {
	if m == nil || m.off {
		return view{}
	}
	v := view{base: m.base != nil && m.invites("", g)}
	for _, key := range m.order {
		if m.invites(key, g) {
			v.parts = append(v.parts, key)
		} else if v.base {
			v.outs = append(v.outs, key)
		}
	}
	if v.base {
		v.outs = append(v.outs, slices.Sorted(maps.Keys(m.outs))...)
	}
	return v
}

// A group are the guests who are told the same.
type group struct {
	method string
	whole  bool // all that they see
	view   view // of what is, or was
	list   []string
	guests []Mailbox
}

// changes are what became of a meeting.
type changes struct {
	was, is *meeting
	groups  map[string]*group
	order   []string
}

func (c *changes) add(g Mailbox, to group) {
	key := to.method + strconv.FormatBool(to.whole) + strings.Join(to.list, ",") + "/" + strings.Join(to.view.parts, ",") + "/" + strings.Join(to.view.outs, ",")
	if c.groups[key] == nil {
		c.groups[key] = &to
		c.order = append(c.order, key)
	}
	c.groups[key].guests = append(c.groups[key].guests, g)
}

// compare works out what one guest is to be told.
func (c *changes) compare(g Mailbox) {
	old, now := c.was.view(g), c.is.view(g)
	switch {
	case now.empty() && old.empty():
	case now.empty():
		c.add(g, group{method: "CANCEL", whole: old.base, view: old, list: old.parts})
	case old.empty(), old.base != now.base, now.base && c.was.prints[""] != c.is.prints[""]:
		c.add(g, group{method: "REQUEST", whole: true, view: now})
	default:
		c.compareParts(g, old, now)
	}
}

// compareParts works out which occurrences one guest is to be told of, where
// nothing else changed.
func (c *changes) compareParts(g Mailbox, old, now view) {
	var changed, gone []string
	for _, key := range now.parts {
		print, was := c.was.prints[key]
		if !was {
			print = c.was.expected(key, c.is.parts[key])
		}
		if slices.Contains(old.outs, key) || print != c.is.prints[key] {
			changed = append(changed, key)
		}
	}
	again := false // an occurrence is like all others again
	for _, key := range old.outs {
		again = again || now.base && !slices.Contains(now.outs, key) && !slices.Contains(now.parts, key)
	}
	for _, key := range old.parts {
		if !slices.Contains(now.parts, key) {
			if now.base && !slices.Contains(now.outs, key) {
				again = true
			} else {
				gone = append(gone, key)
			}
		}
	}
	for _, key := range now.outs {
		if !slices.Contains(old.outs, key) && !slices.Contains(gone, key) {
			gone = append(gone, key)
		}
	}
	gone = slices.DeleteFunc(gone, func(key string) bool { return c.was.past(key) })
	if again {
		c.add(g, group{method: "REQUEST", whole: true, view: now})
		return
	}
	if len(changed) > 0 {
		c.add(g, group{method: "REQUEST", list: changed, view: now})
	}
	if len(gone) > 0 {
		c.add(g, group{method: "CANCEL", list: gone, view: old})
	}
}

// expected is what guests were told of an occurrence that was not told apart.
func (m *meeting) expected(key string, now *event) string {
	if m.base == nil {
		return ""
	}
	at, ok := now.recurrenceID()
	if !ok || instanceKey(at) != key {
		return ""
	}
	if print, ok := m.likely[key]; ok {
		return print
	}
	obj, err := read(m.obj.doc.Bytes(), m.obj.o)
	if err != nil {
		return ""
	}
	m.likely[key] = noticed(obj.event.addOverride(at).c)
	return m.likely[key]
}

// past tells whether an occurrence is over.
func (m *meeting) past(key string) bool {
	if x := m.parts[key]; x != nil {
		return x.endInstant().Before(m.obj.o.Now)
	}
	at, err := time.Parse("20060102T150405", key)
	if err != nil || m.base == nil {
		return false
	}
	_, end := m.obj.event.occurrence(at)
	return end.Instant(m.obj.o.Location()).Before(m.obj.o.Now)
}

// sequence is the number of the meeting's last change. See RFC 5546, section 2.1.4.
func (m *meeting) sequence() int {
	if m == nil {
		return 0
	}
	n := 0
	for _, c := range m.obj.components() {
		if k, err := strconv.Atoi(strings.TrimSpace(c.Get("SEQUENCE").Value())); err == nil && k < 1<<30 {
			n = max(n, k)
		}
	}
	return n
}

func (c *changes) notices(o translate.Options) ([]Notice, error) {
	var list []Notice
	for _, key := range c.order {
		g := c.groups[key]
		m := c.is
		if g.method == "CANCEL" {
			m = c.was
		}
		n, err := c.write(m, g, o)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// organizer is the person, as the event says.
func (m *meeting) organizer() Mailbox {
	l := m.obj.event.c.Get("ORGANIZER")
	if mail := address(l); mail != "" {
		return Mailbox{valid(l.Param("CN")), valid(mail)}
	}
	return Mailbox{Address: bare(m.obj.o.Self[0])}
}
