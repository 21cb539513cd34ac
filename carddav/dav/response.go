package dav

import (
	"encoding/xml"
	"strings"
)

// A Response is what a multistatus says of one resource.
// See RFC 4918, section 14.24.
type Response struct {
	Href string // as the server wrote it

	// Status is that of the resource, 404 for a removed member; 0 if there
	// are Properties instead.
	Status int

	Precondition xml.Name // of a Status that is an error
	Properties   []Property
}

// A Property is one property with the status of its propstat.
type Property struct {
	Name   xml.Name
	Status int
	Text   string // the text in it, without that of elements in it

	// Elements are what the property has inside, parents before their
	// children.
	Elements []Element
}

// An Element is an element inside a property.
type Element struct {
	Name xml.Name
	Attr string // its attribute "name", as in <C:comp name="VEVENT"/>
	Text string
}

// Get answers a property that the server could tell.
func (r *Response) Get(space, local string) (*Property, bool) {
	for i := range r.Properties {
		p := &r.Properties[i]
		if p.Name.Local == local && p.Name.Space == space && p.Status/100 == 2 {
			return p, true
		}
	}
	return nil, false
}

// Text answers the trimmed text of a property, or nothing.
func (r *Response) Text(space, local string) string {
	if p, ok := r.Get(space, local); ok {
		return strings.TrimSpace(p.Text)
	}
	return ""
}

// ETag is the resource's ETag, byte for byte, or empty.
func (r *Response) ETag() string { return r.Text(DAV, "getetag") }

// Has tells whether an element of that name is in the property.
func (p *Property) Has(space, local string) bool {
	for _, e := range p.Elements {
		if e.Name.Local == local && e.Name.Space == space {
			return true
		}
	}
	return false
}

// Hrefs are the texts of all DAV:href elements in the property.
func (p *Property) Hrefs() []string {
	var list []string
	for _, e := range p.Elements {
		if e.Name.Local == "href" && e.Name.Space == DAV {
			list = append(list, strings.TrimSpace(e.Text))
		}
	}
	return list
}

func (r *Response) reset() {
	*r = Response{Properties: r.Properties[:0]}
}
