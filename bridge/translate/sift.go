package translate

import (
	"slices"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A Sifted is what of a phone's edit is to be merged into an object that
// somebody else may have changed since the phone was sent it.
type Sifted struct {
	// Sent is what the phone changed; where both sides changed one property,
	// the phone's value. Properties that the phone did not change are left out,
	// or are as the object shows them, whichever the translations take for "no
	// edit".
	Sent eas.Properties

	// Kept is the same with the server's value where both sides changed one.
	Kept eas.Properties

	// Disputed tells whether Sent and Kept may differ. Whether they do to the
	// object only merging both can tell.
	Disputed bool

	// Foreign tells whether the object shows something that the phone neither
	// holds nor wrote.
	Foreign bool
}

// Sift compares a phone's edit, property by property, with what that phone was
// last sent: held. tried is what it wrote into the object by earlier tries of
// the same edit, of which it never heard; it may be zero. now is what the object
// shows to this phone, with the same options as before.
//
// Properties that mean something only together (the times of an event and its
// recurrence) are one; of lists (categories, attendees, exceptions) each element
// is one. A value that is what the phone holds is no edit; nor is absence that
// the translations do not take for removal.
func Sift(held, tried Digest, sent, now eas.Properties, o Options) Sifted {
	s := sifter{held: held, tried: tried, sent: sent, now: now, o: o, whole: wholeItem(sent, tagsOf(now))}
	for _, g := range s.groups() {
		s.group(g)
	}
	return s.out
}

type sifter struct {
	held, tried Digest
	sent, now   eas.Properties
	o           Options
	whole       bool
	renamed     bool // the phone changed a part of a contact's name
	out         Sifted
}

// groups lists all that is spoken of, in the phone's order; FileAs comes last,
// because phones make it of the rest.
func (s *sifter) groups() []wbxml.Tag {
	var list []wbxml.Tag
	add := func(t wbxml.Tag) {
		if g := groupOf(t); !slices.Contains(list, g) {
			list = append(list, g)
		}
	}
	for _, ps := range []eas.Properties{s.sent, s.now} {
		for i := range ps {
			add(ps[i].Tag)
		}
	}
	for _, t := range s.held.tags() {
		add(t)
	}
	slices.SortStableFunc(list, func(a, b wbxml.Tag) int {
		switch {
		case a == b:
			return 0
		case a == tag.ContactsFileAs:
			return 1
		case b == tag.ContactsFileAs:
			return -1
		}
		return 0
	})
	return list
}

// group decides one property, or several that belong together.
func (s *sifter) group(g wbxml.Tag) {
	if propertyOf(g).kind == mute {
		s.both(s.sentOf(g))
		return
	}
	known, own := s.knows(g)
	s.out.Foreign = s.out.Foreign || !known && !own
	if propertyOf(g).theirs {
		s.both(s.sentOf(g))
		return
	}
	changed := s.differs(s.held, g)
	if changed && slices.Contains(namesMake, g) {
		s.renamed = true
	}
	switch {
	case own && !known:
		s.both(s.sentOf(g)) // even if the phone takes its first try back
	case !changed, !known && !s.differs(shown{s.now}, g):
		s.both(s.noEdit(g)) // or both sides made the same edit
	case known:
		s.both(s.sentOf(g)) // nobody else edited it
	case g == tag.ContactsFileAs && s.renamed:
		s.both(s.noEdit(g)) // it follows the name
	case s.onlyLooks(g):
		s.both(s.noEdit(g))
	case propertyOf(g).kind.isList():
		s.list(g)
	default:
		s.out.Disputed = true
		s.out.Sent = append(s.out.Sent, s.sentOf(g)...)
		s.out.Kept = append(s.out.Kept, s.noEdit(g)...)
	}
}

func (s *sifter) both(ps eas.Properties) {
	s.out.Sent, s.out.Kept = append(s.out.Sent, ps...), append(s.out.Kept, ps...)
}

// sentOf is what the phone sent of a group.
func (s *sifter) sentOf(g wbxml.Tag) eas.Properties { return of(s.sent, g) }

func of(ps eas.Properties, g wbxml.Tag) eas.Properties {
	var list eas.Properties
	for i := range ps {
		if groupOf(ps[i].Tag) == g {
			list = append(list, ps[i])
		}
	}
	return list
}

// noEdit is how the group looks in an item in which the phone did not edit it.
func (s *sifter) noEdit(g wbxml.Tag) eas.Properties {
	mark := slices.ContainsFunc(s.sentOf(g), func(e eas.Element) bool { return wholes[e.Tag.Page()] == e.Tag })
	if !mark && !slices.ContainsFunc(members(g), func(t wbxml.Tag) bool { return !propertyOf(t).quiet && propertyOf(t).kind != mute }) {
		return nil // its absence says nothing
	}
	list := of(s.now, g)
	if !s.whole {
		list = slices.DeleteFunc(list, func(e eas.Element) bool { _, ok := s.sent.Find(e.Tag); return !ok })
	}
	if mark && len(list) == 0 {
		list = eas.Properties{{Tag: g}} // the item was sent as a whole all the same
	}
	return list
}

// knows tells whether what the object shows of a group is what the phone holds,
// and whether it is what the phone tried to write.
func (s *sifter) knows(g wbxml.Tag) (known, own bool) {
	if propertyOf(g).kind == mute {
		return true, false
	}
	return s.shows(s.held, g), len(s.tried.entries) > 0 && s.shows(s.tried, g)
}

// shows tells whether the object shows of a group what a digest has.
func (s *sifter) shows(d Digest, g wbxml.Tag) bool {
	for _, t := range members(g) {
		if p := propertyOf(t); p.kind != mute && !p.follows && !d.has(t, primary(s.now, t)) {
			return false
		}
	}
	return true
}

// primary is what a property looks like.
func primary(ps eas.Properties, t wbxml.Tag) sum {
	if e := saying(ps, t); e != nil {
		return propertyOf(t).kind.sums(e)[0]
	}
	return absent
}

// saying is the element that says what a property is; nil if there is none.
func saying(ps eas.Properties, t wbxml.Tag) *eas.Element {
	for i := range ps {
		if ps[i].Tag == t {
			return &ps[i]
		}
	}
	if rich := propertyOf(t).rich; rich != 0 {
		return saying(ps, rich)
	}
	return nil
}

// onlyLooks tells whether all that a phone changed in a text are its looks, and
// somebody else changed its words: of two such edits the words are what people
// would miss.
func (s *sifter) onlyLooks(g wbxml.Tag) bool {
	if propertyOf(g).kind != prose || !heard(s.sent, g) || !s.held.has(g, wordSum(saying(s.sent, g))) {
		return false
	}
	now := saying(s.now, g)
	return now == nil || !s.held.has(g, wordSum(now))
}

// A content is what properties can be compared with.
type content interface {
	has(t wbxml.Tag, looks sum) bool
}

// shown are properties as they stand.
type shown struct{ eas.Properties }

func (s shown) has(t wbxml.Tag, looks sum) bool { return primary(s.Properties, t) == looks }

// differs tells whether what the phone says of a group is something else.
func (s *sifter) differs(from content, g wbxml.Tag) bool {
	for _, t := range members(g) {
		p := propertyOf(t)
		if p.kind == mute || p.follows {
			continue
		}
		switch {
		case heard(s.sent, t):
			if !from.has(t, primary(s.sent, t)) {
				return true
			}
		case p.twin != 0 && heard(s.sent, p.twin):
			if !from.has(p.twin, primary(s.sent, p.twin)) {
				return true
			}
		case !p.quiet && s.whole && !s.o.Absent(t):
			if !from.has(t, absent) {
				return true
			}
		}
	}
	return false
}

// list decides each element of a list that both sides changed.
func (s *sifter) list(g wbxml.Tag) {
	sent, _ := s.sent.Find(g)
	now, _ := s.now.Find(g)
	m := listMerge{s: s, g: g, kind: propertyOf(g).kind, sent: sent.Children, now: now.Children}
	s.out.Sent = append(s.out.Sent, m.element(true))
	s.out.Kept = append(s.out.Kept, m.element(false))
	s.out.Disputed = s.out.Disputed || m.disputed
}

// A listMerge puts the phone's edit of a list on the list that is there now.
type listMerge struct {
	s         *sifter
	g         wbxml.Tag
	kind      kind
	sent, now []eas.Element
	disputed  bool // an element was changed by both sides
}

// element is the list with both sides' edits; phone decides where both changed
// one element.
func (m *listMerge) element(phone bool) eas.Element {
	list := eas.Element{Tag: m.g}
	for i := range m.now {
		if e := m.merged(&m.now[i], phone); e != nil {
			list.Children = append(list.Children, *e)
		}
	}
	for i := range m.sent {
		if m.keeps(&m.sent[i], phone) {
			list.Children = append(list.Children, m.sent[i])
		}
	}
	return list
}

// merged is what becomes of an element that is there now; nil means nothing
// that has to be said.
func (m *listMerge) merged(now *eas.Element, phone bool) *eas.Element {
	el := m.kind.element(now)
	i := m.find(m.sent, el.key)
	switch {
	case el.key == absent:
		return nil
	case i < 0 && m.kind == exceptions:
		return nil // not mentioned: it stays
	case i < 0 && (m.s.held.has(m.g|markKey, el.key) || m.s.tried.has(m.g|markKey, el.key)):
		return nil // the phone took it away
	case i < 0:
		return now
	}
	sent := m.kind.element(&m.sent[i])
	edited := !m.s.held.has(m.g|markElement, sent.sums[0])
	theirs := !m.has(m.s.held, now) && !m.has(m.s.tried, now)
	if edited && theirs && !slices.Contains(el.sums, sent.sums[0]) {
		m.disputed = true
		edited = phone
	}
	switch {
	case edited:
		return &m.sent[i]
	case m.kind == exceptions:
		return nil
	}
	return now
}

// has tells whether a digest has an element that is there now.
func (m *listMerge) has(d Digest, now *eas.Element) bool {
	if m.kind == exceptions {
		return d.hasException(now, m.s.now)
	}
	return d.has(m.g|markElement, m.kind.element(now).sums[0])
}

// keeps tells whether an element of the phone's that is not there now is to be
// there: the phone added it, or edited what somebody else took away.
func (m *listMerge) keeps(sent *eas.Element, phone bool) bool {
	el := m.kind.element(sent)
	if el.key == absent || m.find(m.now, el.key) >= 0 || m.s.held.has(m.g|markElement, el.sums[0]) {
		return false
	}
	if m.s.held.has(m.g|markKey, el.key) && m.kind != exceptions {
		m.disputed = true
		return phone
	}
	return true
}

func (m *listMerge) find(list []eas.Element, key sum) int {
	return slices.IndexFunc(list, func(e eas.Element) bool { return m.kind.element(&e).key == key })
}
