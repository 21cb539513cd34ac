package eas

import "github.com/pushbridge/pushbridge/bridge/wbxml"

// An Element is one WBXML element whose content is known only to the rooms
// that translate it: a contact's or an event's property. It has text, or
// opaque bytes, or children, or nothing.
type Element struct {
	Tag      wbxml.Tag
	Text     string
	Opaque   []byte // content that travels as opaque data instead of Text
	Children []Element
}

// Content is the element's text, in whichever of the two ways it came.
func (e Element) Content() string {
	if e.Opaque != nil {
		return string(e.Opaque)
	}
	return e.Text
}

// Properties are the elements inside an ApplicationData, in wire order.
// See [MS-ASCMD] "ApplicationData".
type Properties []Element

// Find answers the first element with a tag.
func (p Properties) Find(t wbxml.Tag) (Element, bool) {
	for _, e := range p {
		if e.Tag == t {
			return e, true
		}
	}
	return Element{}, false
}

// Text answers the content of the first element with a tag, and whether there
// is one. An empty element is there and has empty content.
func (p Properties) Text(t wbxml.Tag) (string, bool) {
	e, ok := p.Find(t)
	return e.Content(), ok
}

// T builds an element with text.
func T(t wbxml.Tag, text string) Element { return Element{Tag: t, Text: text} }

// C builds an element with children.
func C(t wbxml.Tag, children ...Element) Element { return Element{Tag: t, Children: children} }
