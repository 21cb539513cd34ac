package contact

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
)

// Where a line has its place on phones is told by its types and its order. What
// these cannot tell stands in the card: on a line that a phone added, in a
// parameter; for everybody else's lines, which stay as they are, in a property
// of our own that lists them by their content. See keepPlaces.
const (
	placeParam     = "X-PUSHBRIDGE-PLACE"
	placesProperty = "X-PUSHBRIDGE-PLACES"
)

// noPlace is the place of a line that phones are not shown.
const noPlace = "none"

// placeOf is what is said of a line's place, "" if nothing is.
func (c *card) placeOf(l *contentline.Line) string {
	if place, ok := c.marks[l]; ok {
		return place
	}
	if head := l.Head(); !strings.Contains(head, "PUSHBRIDGE") && !strings.Contains(head, "pushbridge") {
		return ""
	}
	return l.Param(placeParam)
}

// readMarks finds the lines that the property of our own is about. What it
// says of lines that have changed since, or are gone, is no longer true.
func (c *card) readMarks() {
	l := c.vcard.Get(placesProperty)
	if l == nil {
		return
	}
	c.marks = make(map[*contentline.Line]string)
	for _, mark := range l.List() {
		name, rest, _ := strings.Cut(mark, ".")
		place, sum, ok := strings.Cut(rest, "=")
		f := families[strings.ToUpper(name)]
		if !ok || f == famNone {
			continue
		}
		for _, e := range c.lines[f] {
			if _, taken := c.marks[e.Line]; !taken && e.sum() == sum {
				c.marks[e.Line] = place
				break
			}
		}
	}
}

// sum is a line's content, and what its types make of it, in short.
func (e entry) sum() string {
	h := fnv.New32a()
	h.Write([]byte{byte(e.class)})
	h.Write([]byte(strings.ToLower(strings.TrimSpace(e.Text()))))
	return fmt.Sprintf("%08x", h.Sum32())
}

// familyNames are the names that families have in the property of our own.
var familyNames = func() (names [familyCount]string) {
	for s := range slotCount {
		if names[slots[s].family] == "" {
			names[slots[s].family] = slots[s].name
		}
	}
	return names
}()

// keepPlaces makes sure that what the phone holds now is what it would be
// shown. Otherwise an edit could let a line slip into another place: after the
// first of three numbers at home is removed, the third would turn up in the
// second place, and since the phone knows nothing of it, its next edit would
// remove it.
func (c *card) keepPlaces() {
	meant := c.bound
	for range 2 * slotCount { // a line that is told its place may push another one
		c.gather()
		c.bind()
		if c.bound == meant {
			break
		}
		c.tellPlaces(meant)
	}
	c.writeMarks()
}

// tellPlaces says of the lines that are bound otherwise than they should be
// where they belong: first of those that the phone added, which may be enough.
func (c *card) tellPlaces(meant [slotCount]*contentline.Line) {
	told := false
	for s := range slotCount {
		if should := meant[s]; should != c.bound[s] && c.added[should] && should.Param(placeParam) != slots[s].placeKey() {
			should.SetParam(placeParam, slots[s].placeKey())
			told = true
		}
	}
	if told {
		return
	}
	for s := range slotCount {
		is, should := c.bound[s], meant[s]
		if is == should {
			continue
		}
		if is != nil {
			place := noPlace
			if at := slices.Index(meant[:], is); at >= 0 {
				place = slots[at].placeKey()
			}
			c.mark(is, place)
		}
		if should != nil && !isBlank(should) {
			c.mark(should, slots[s].placeKey())
		}
	}
}

func (c *card) mark(l *contentline.Line, place string) {
	if c.marks == nil {
		c.marks = make(map[*contentline.Line]string)
	}
	c.marks[l] = place
}

// writeMarks brings the property of our own up to date.
func (c *card) writeMarks() {
	var list []string
	for f := range familyCount {
		for _, e := range c.lines[f] {
			if place, ok := c.marks[e.Line]; ok {
				list = append(list, familyNames[f]+"."+place+"="+e.sum())
			}
		}
	}
	switch l := c.vcard.Get(placesProperty); {
	case len(list) > 0:
		c.vcard.Set(placesProperty, strings.Join(list, ","))
	case l != nil:
		c.vcard.Remove(l)
	}
}
