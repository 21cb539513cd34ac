// Package contentline reads and edits the content lines of vCard and iCalendar objects without losing a byte of what is not touched.
//
// It knows lines, parameters and nested components, not what they mean: vCard
// 2.1 ([versit's specification]), 3.0 (RFC 2426) and 4.0 (RFC 6350),
// vCalendar 1.0 and iCalendar (RFC 5545). What it cannot understand it keeps:
// for every object that parses, Parse(x).Bytes() is x.
//
// Reading is lenient: a line that is no content line is kept and skipped over,
// a missing END ends with its parent. Writing is strict: a line that was
// changed is folded at 75 octets on rune boundaries with the object's own line
// ending; every other line stays as it was.
//
// Nothing here is safe for concurrent use.
//
// [versit's specification]: vCard, The Electronic Business Card, Version 2.1,
// 18 September 1996.
package contentline

import (
	"bytes"
	"errors"
	"slices"
	"strings"
)

// Limits of what Parse takes, so that one object cannot make us spend memory
// or stack without end.
const (
	// MaxSize is the length in bytes of an object. The largest things people
	// have are inline photos and attachments of a few MB; backends refuse more.
	MaxSize = 16 << 20

	// MaxLines is the number of physical lines of an object. A photo of 16 MB
	// folded at 75 octets has 215,000.
	MaxLines = 400_000

	// MaxDepth is how deep components nest. iCalendar needs three (VCALENDAR,
	// VEVENT, VALARM), vCard 2.1 one per AGENT.
	MaxDepth = 16
)

// ErrLimit means that an object exceeds MaxSize, MaxLines or MaxDepth.
var ErrLimit = errors.New("contentline: the object exceeds a limit")

// ErrNoComponent means that there is not a single BEGIN line, so that this is
// neither vCard nor iCalendar.
var ErrNoComponent = errors.New("contentline: there is no BEGIN line")

// A Document is a parsed object: usually one VCARD or one VCALENDAR, possibly
// several, with whatever stands between them.
type Document struct {
	root Component
	bom  string
	eol  string // of the first line; what we write ends so too
}

// A Component is what stands between a BEGIN and its END line.
type Component struct {
	name   string
	begin  *Line
	end    *Line // nil where the object lacks it
	nodes  []node
	parent *Component
	legacy bool // vCard 2.1 or vCalendar 1.0
}

// A node is a line or a component.
type node struct {
	line *Line
	comp *Component
}

// New makes a document with one empty component and CRLF line endings.
func New(name string) *Document {
	d := &Document{eol: "\r\n"}
	d.root.AddComponent(name)
	return d
}

// Components answers the outermost components that have one of the names, in
// order; all of them if no name is given.
func (d *Document) Components(names ...string) []*Component { return d.root.Components(names...) }

// Component answers the first outermost component of that name, or nil.
func (d *Document) Component(name string) *Component { return d.root.Component(name) }

// AddComponent adds an empty component after the outermost ones.
func (d *Document) AddComponent(name string) *Component { return d.root.AddComponent(name) }

// RemoveComponent removes one of the outermost components.
func (d *Document) RemoveComponent(x *Component) { d.root.RemoveComponent(x) }

// Bytes writes the document. Lines that were not changed are written as they
// were read.
func (d *Document) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString(d.bom)
	d.root.write(&b, d.eol)
	return b.Bytes()
}

func (c *Component) write(b *bytes.Buffer, eol string) {
	if c.begin != nil {
		c.begin.write(b, eol)
	}
	for _, n := range c.nodes {
		if n.comp != nil {
			n.comp.write(b, eol)
		} else {
			n.line.write(b, eol)
		}
	}
	if c.end != nil {
		c.end.write(b, eol)
	}
}

// Name is the component's name in upper case, such as VEVENT.
func (c *Component) Name() string { return c.name }

// Legacy tells whether the component is vCard 2.1 or vCalendar 1.0, which know
// quoted-printable, and neither folding inside words nor \n.
func (c *Component) Legacy() bool { return c.legacy }

// Components answers the direct children that have one of the names, in order;
// all of them if no name is given.
func (c *Component) Components(names ...string) []*Component {
	var cs []*Component
	for _, n := range c.nodes {
		if n.comp != nil && (len(names) == 0 || slices.Contains(names, n.comp.name)) {
			cs = append(cs, n.comp)
		}
	}
	return cs
}

// Component answers the first direct child of that name, or nil.
func (c *Component) Component(name string) *Component {
	for _, n := range c.nodes {
		if n.comp != nil && n.comp.name == name {
			return n.comp
		}
	}
	return nil
}

// Lines answers the component's own properties in order, without junk, blank
// lines and the properties of its children.
func (c *Component) Lines() []*Line {
	ls := make([]*Line, 0, len(c.nodes))
	for _, n := range c.nodes {
		if n.line != nil && n.line.name != "" {
			ls = append(ls, n.line)
		}
	}
	return ls
}

// Get answers the first property of that name (upper case), or nil. The
// reading methods of a nil *Line answer nothing, so Get("SUMMARY").Text() is
// "" where there is no SUMMARY.
func (c *Component) Get(name string) *Line {
	for _, n := range c.nodes {
		if n.line != nil && n.line.name == name {
			return n.line
		}
	}
	return nil
}

// All answers the properties of that name (upper case) in order.
func (c *Component) All(name string) []*Line {
	var ls []*Line
	for _, n := range c.nodes {
		if n.line != nil && n.line.name == name {
			ls = append(ls, n.line)
		}
	}
	return ls
}

// Group answers the properties of a group ("item1", in any case) in order.
func (c *Component) Group(group string) []*Line {
	var ls []*Line
	for _, n := range c.nodes {
		if n.line != nil && n.line.name != "" && strings.EqualFold(n.line.group, group) {
			ls = append(ls, n.line)
		}
	}
	return ls
}
