package contact

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
)

// An entry is a line in its family.
type entry struct {
	*contentline.Line
	class class
	taken bool // it has its place, or none
}

// maxEntries bounds the lines of a family that are looked at. Nobody has a
// thousand telephones, and no phone shows more than five of them; but somebody
// may store such a card to keep us busy. What is beyond is not shown.
const maxEntries = 1000

// gather sorts the lines into their families. Lines without a value are left
// out, since they have nothing to show: N and FN excepted.
func (c *card) gather() {
	c.lines = [familyCount][]entry{}
	lines := c.vcard.Lines()
	labels := labelsOf(lines)
	for _, l := range lines {
		f, known := families[l.Name()]
		if !known {
			f = labelledFamily(l, labels)
		}
		if f == famNone || f != famName && f != famFormatted && isBlank(l) || len(c.lines[f]) == maxEntries {
			continue
		}
		c.lines[f] = append(c.lines[f], entry{Line: l, class: classify(f, l)})
	}
	for f := range c.lines {
		if len(c.lines[f]) > 1 {
			slices.SortStableFunc(c.lines[f], func(a, b entry) int { return preference(a.Line) - preference(b.Line) })
		}
	}
	c.doubles = nil
	if len(c.lines[famMessenger]) > 1 {
		c.hideDoubles()
	}
	for _, f := range spelled {
		if len(c.lines[f]) > 1 {
			c.hideSpellings(f)
		}
	}
	if photos := c.lines[famPhoto]; len(photos) > 1 {
		// One that stands in the card goes before those at an address, which phones are not shown.
		here := slices.IndexFunc(photos, func(e entry) bool { _, _, ok := e.Data(); return ok })
		if here > 0 {
			c.lines[famPhoto] = slices.Insert(slices.Delete(slices.Clone(photos), here, here+1), 0, photos[here])
		}
	}
}

// spelled are the families whose property each program calls by a name of its own.
var spelled = []family{famOffice, famManager, famAssistant, famSpouse, famAnniversary}

// hideSpellings leaves out what says the same as the first line of its family by
// another name: cards that several programs wrote have X-ANNIVERSARY beside
// X-EVOLUTION-ANNIVERSARY. They follow the first one.
func (c *card) hideSpellings(f family) {
	first := c.lines[f][0].Line
	c.lines[f] = slices.DeleteFunc(c.lines[f], func(e entry) bool {
		if e.Line == first || e.Name() == first.Name() || !sameSaid(f, first, e.Line) {
			return false
		}
		c.follows(first, e.Line)
		return true
	})
}

// sameSaid tells whether two lines say the same.
func sameSaid(f family, a, b *contentline.Line) bool {
	if f == famAnniversary {
		y, m, d, ok := readDate(a.Text())
		y2, m2, d2, ok2 := readDate(b.Text())
		return ok && ok2 && y == y2 && m == m2 && d == d2
	}
	return tidy(a.Text()) == tidy(b.Text())
}

// follows has a line change with another one.
func (c *card) follows(first, double *contentline.Line) {
	if c.doubles == nil {
		c.doubles = make(map[*contentline.Line][]*contentline.Line)
	}
	c.doubles[first] = append(c.doubles[first], double)
}

func isBlank(l *contentline.Line) bool { return strings.Trim(l.Value(), "; ") == "" }

// preference orders lines of a family: smaller is first. vCard 4.0 has
// PREF=1..100, the others TYPE=PREF. See RFC 6350, section 5.3.
func preference(l *contentline.Line) int {
	if l.HasType("PREF") {
		return 1
	}
	pref := l.Param("PREF")
	if pref == "" {
		return leastPreferred + 1
	}
	if n, err := strconv.Atoi(pref); err == nil && n >= 1 && n <= leastPreferred {
		return n
	}
	return leastPreferred + 1
}

const leastPreferred = 100

// hideDoubles leaves out the older properties whose address stands in an IMPP
// too: Apple writes X-AIM:jane beside IMPP:aim:jane. They follow their IMPP.
func (c *card) hideDoubles() {
	known := map[string]*contentline.Line{}
	for _, e := range c.lines[famMessenger] {
		if e.Name() == "IMPP" {
			known[strings.ToLower(bareAddress(e.Text()))] = e.Line
		}
	}
	c.lines[famMessenger] = slices.DeleteFunc(c.lines[famMessenger], func(e entry) bool {
		twin := known[strings.ToLower(strings.TrimSpace(e.Text()))]
		if e.Name() == "IMPP" || twin == nil {
			return false
		}
		c.follows(twin, e.Line)
		return true
	})
}

// bareAddress is an IMPP without its scheme.
func bareAddress(uri string) string {
	_, address, ok := strings.Cut(strings.TrimSpace(uri), ":")
	if !ok {
		return strings.TrimSpace(uri)
	}
	return address
}

// labelledFamily is the family of a line by its label: Apple's
// item1.X-ABRELATEDNAMES with item1.X-ABLABEL:_$!<Spouse>!$_, and RELATED with
// its type.
func labelledFamily(l *contentline.Line, labels map[string]string) family {
	switch l.Name() {
	case "X-ABRELATEDNAMES", "X-ABDATE":
		f, ok := labelled[labels[strings.ToLower(l.Group())]]
		if ok && (f == famAnniversary) == (l.Name() == "X-ABDATE") {
			return f
		}
	case "RELATED":
		if strings.EqualFold(l.Param("VALUE"), "text") {
			return relatedFamily(l)
		}
	}
	return famNone
}

// relatedFamily goes through the types in their order, so that the same line
// always has the same family.
func relatedFamily(l *contentline.Line) family {
	for _, word := range []string{"spouse", "child", "manager", "assistant"} {
		if l.HasType(word) {
			return labelled[word]
		}
	}
	return famNone
}

// labelsOf answers the labels of groups, both in lower case, without Apple's
// marks.
func labelsOf(lines []*contentline.Line) map[string]string {
	var labels map[string]string
	for _, l := range lines {
		if l.Name() == "X-ABLABEL" && l.Group() != "" {
			if labels == nil {
				labels = make(map[string]string)
			}
			label := strings.TrimSuffix(strings.TrimPrefix(l.Text(), "_$!<"), ">!$_")
			labels[strings.ToLower(l.Group())] = strings.ToLower(label)
		}
	}
	return labels
}

// bind decides which line has which place: first the lines that say so
// themselves, then every line gets the first free place of its class, then the
// places that are still free take what is left.
func (c *card) bind() {
	c.bound = [slotCount]*contentline.Line{}
	for f := range familyCount {
		for i := range c.lines[f] {
			e := &c.lines[f][i]
			place := c.placeOf(e.Line)
			if place == "" {
				continue
			}
			e.taken = place == noPlace
			if s, ok := slotOf(f, place); ok && c.bound[s] == nil {
				c.bound[s], e.taken = e.Line, true
			}
		}
	}
	for s := range slotCount {
		c.fill(s, func(k class) bool { return k == slots[s].class })
	}
	for s := range slotCount {
		if slots[s].loose != nil {
			c.fill(s, func(k class) bool { return slices.Contains(slots[s].loose, k) })
		}
	}
}

// fill gives a place the first free line of its family that fits.
func (c *card) fill(s slotID, fits func(class) bool) {
	es := c.lines[slots[s].family]
	for i := range es {
		if c.bound[s] == nil && !es[i].taken && fits(es[i].class) {
			c.bound[s], es[i].taken = es[i].Line, true
		}
	}
}

func slotOf(f family, key string) (slotID, bool) {
	for s := range slotCount {
		if slots[s].family == f && strings.EqualFold(slots[s].placeKey(), key) {
			return s, true
		}
	}
	return 0, false
}

// placeKey is the slot's key; a family with one place calls it by the
// property's name.
func (s slot) placeKey() string {
	if s.key == "" {
		return strings.ToLower(s.name)
	}
	return s.key
}

func classify(f family, l *contentline.Line) class {
	switch f {
	case famPhone:
		return classifyPhone(l)
	case famAddress:
		switch {
		case l.HasType("HOME"):
			return classHome
		case l.HasType("WORK"):
			return classWork
		}
		return classOther
	}
	return classAny
}

// phoneClasses say what a type makes of a number; the first that fits counts.
// See RFC 2426, section 3.3.1, RFC 6350, section 6.4.1, and RFC 7852, section
// 9.3, for the main number. The X- types are Evolution's and ours.
var phoneClasses = []struct {
	types []string // all of them
	class class
}{
	{[]string{"FAX", "HOME"}, classHomeFax},
	{[]string{"FAX", "WORK"}, classWorkFax},
	{[]string{"FAX"}, classFax},
	{[]string{"PAGER"}, classPager},
	{[]string{"CAR"}, classCar},
	{[]string{"X-ASSISTANT"}, classAssistant},
	{[]string{"X-EVOLUTION-ASSISTANT"}, classAssistant},
	{[]string{"X-RADIO"}, classRadio},
	{[]string{"X-EVOLUTION-RADIO"}, classRadio},
	{[]string{"X-COMPANY"}, classMain},
	{[]string{"X-EVOLUTION-COMPANY"}, classMain},
	{[]string{"MAIN-NUMBER"}, classMain},
	{[]string{"CELL"}, classCell},
	{[]string{"MOBILE"}, classCell},
	{[]string{"IPHONE"}, classCell},
	{[]string{"PCS"}, classCell},
	{[]string{"HOME"}, classHome},
	{[]string{"WORK"}, classWork},
	{[]string{"VIDEO"}, classUnseen},
	{[]string{"MODEM"}, classUnseen},
	{[]string{"BBS"}, classUnseen},
	{[]string{"TEXTPHONE"}, classUnseen},
	{[]string{"X-EVOLUTION-TELEX"}, classUnseen},
	{[]string{"X-EVOLUTION-TTYTDD"}, classUnseen},
}

func classifyPhone(l *contentline.Line) class {
	if !l.HasParam("TYPE") {
		return classOther
	}
next:
	for _, p := range phoneClasses {
		for _, t := range p.types {
			if !l.HasType(t) {
				continue next
			}
		}
		return p.class
	}
	return classOther
}

// add makes a new line for a place.
func (c *card) add(s slotID) *contentline.Line {
	sl := &slots[s]
	name := sl.name
	if c.four && sl.name4 != "" {
		name = sl.name4
	}
	var params []contentline.Param
	if len(sl.types) > 0 && !(c.four && sl.types[0] == "INTERNET") {
		params = append(params, contentline.P("TYPE", sl.types...))
	}
	c.bound[s] = c.vcard.Add(name, "", params...)
	if c.added == nil {
		c.added = make(map[*contentline.Line]bool)
	}
	c.added[c.bound[s]] = true
	return c.bound[s]
}

// remove takes the line of a place away, and the label that is left alone in
// its group.
func (c *card) remove(s slotID) {
	if l := c.bound[s]; l != nil {
		c.removeLine(l)
		c.bound[s] = nil
	}
}

func (c *card) removeLine(l *contentline.Line) {
	c.vcard.Remove(l)
	if l.Group() == "" {
		return
	}
	rest := c.vcard.Group(l.Group())
	for _, m := range rest {
		if m.Name() != "X-ABLABEL" && m.Name() != "X-ABADR" {
			return
		}
	}
	for _, m := range rest {
		c.vcard.Remove(m)
	}
}
