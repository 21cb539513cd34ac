package dav

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxCollections bounds the collections of one person. Nobody has that many;
// a server that lists its items in the home set has.
const maxCollections = 2000

// Namespaces of properties that are in no RFC and that servers have all the
// same.
const (
	CalendarServer = "http://calendarserver.org/ns/" // getctag
	AppleICal      = "http://apple.com/ns/ical/"     // calendar-color, calendar-order
	InfIT          = "http://inf-it.com/ns/ab/"      // addressbook-color
)

// A Collection is an address book or a calendar as the server describes it.
type Collection struct {
	Path     string // clean, with a slash at its end
	Name     string // what people call it
	Colour   string // "#rrggbb", or empty
	Owner    string // empty if it is the person's own
	ReadOnly bool
	Order    int // where its owner put it in their list
}

var collectionProps = []xml.Name{
	Name(DAV, "resourcetype"),
	Name(DAV, "displayname"),
	Name(DAV, "owner"),
	Name(DAV, "current-user-privilege-set"),
	Name(AppleICal, "calendar-color"),
	Name(AppleICal, "calendar-order"),
	Name(InfIT, "addressbook-color"),
}

// Collections calls yield for each collection of the client's dialect in the
// home sets, together with the Response that has the additional properties
// which were asked for. It asks each home set once.
func (c *Client) Collections(ctx context.Context, home Home, more []xml.Name, yield func(Collection, *Response) error) error {
	d := c.dialect
	seen := make(map[string]bool)
	for _, set := range home.Sets {
		err := c.Propfind(ctx, set, Depth1, slices.Concat(collectionProps, more), func(r *Response) error {
			if r.Status != 0 && r.Status/100 != 2 {
				// A collection that the server cannot describe might be one
				// that phones have; without it the list were shorter.
				return &StatusError{Method: "PROPFIND", Path: r.Href, Code: r.Status, Precondition: r.Precondition}
			}
			kind, ok := r.Get(DAV, "resourcetype")
			if !ok || !kind.Has(d.Namespace, d.Resource) {
				return nil
			}
			found, err := c.describe(home, r)
			if err != nil || seen[found.Path] {
				return err
			}
			if seen[found.Path] = true; len(seen) > maxCollections {
				return fmt.Errorf("%s has more than %d collections", set, maxCollections)
			}
			return yield(found, r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) describe(home Home, r *Response) (Collection, error) {
	clean, err := c.resolve(r.Href)
	if err != nil {
		return Collection{}, err
	}
	found := Collection{
		Path:     Directory(clean),
		Name:     r.Text(DAV, "displayname"),
		Colour:   colour(r.Text(AppleICal, "calendar-color")),
		ReadOnly: readOnly(r),
		Order:    order(r.Text(AppleICal, "calendar-order")),
	}
	if found.Name == "" {
		found.Name = lastSegment(found.Path)
	}
	if found.Colour == "" {
		found.Colour = colour(r.Text(InfIT, "addressbook-color"))
	}
	if owner, ok := r.Get(DAV, "owner"); ok && home.Principal != "" {
		if hrefs := owner.Hrefs(); len(hrefs) > 0 {
			if path, err := c.resolve(hrefs[0]); err == nil && Directory(path) != home.Principal {
				found.Owner = lastSegment(path)
			}
		}
	}
	return found, nil
}

// CollectionOf is the Path of the Collection that an href names.
func (c *Client) CollectionOf(href string) (string, error) {
	clean, err := c.resolve(href)
	if err != nil {
		return "", err
	}
	return Directory(clean), nil
}

// lastSegment is the last part of a clean path, as people would read it.
func lastSegment(clean string) string {
	last := path.Base(clean)
	if plain, err := url.PathUnescape(last); err == nil {
		return plain
	}
	return last
}

// readOnly tells whether the server says that the person may not write. One
// that says nothing will say so when it is written to.
// See RFC 3744, sections 3 and 5.4.
func readOnly(r *Response) bool {
	set, ok := r.Get(DAV, "current-user-privilege-set")
	if !ok || len(set.Elements) == 0 {
		return false
	}
	return !set.Has(DAV, "all") && !set.Has(DAV, "write") && !set.Has(DAV, "write-content") && !set.Has(DAV, "bind")
}

// order reads calendar-order; collections without one come last.
func order(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return unordered
	}
	return n
}

const unordered = 1 << 30

// colour turns "#RGB", "#RRGGBB" and "#RRGGBBAA" into "#rrggbb".
func colour(text string) string {
	hex, ok := strings.CutPrefix(strings.ToLower(text), "#")
	if !ok {
		return ""
	}
	for i := range len(hex) {
		if !isHex(hex[i]) {
			return ""
		}
	}
	switch len(hex) {
	case 3:
		return "#" + string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	case 6, 8:
		return "#" + hex[:6]
	}
	return ""
}

// usualNames are what servers call the collection that everybody gets.
var usualNames = []string{"default", "contacts", "addressbook", "calendar", "personal", "home", "tasks", "notes", "journal"}

// Prefer compares two collections by how likely new things belong in them:
// negative if a does more. special tells that a collection is for nothing but
// the kind of thing that is asked about, which counts where most hold
// something else.
func Prefer(a, b Collection, aSpecial, bSpecial bool) int {
	rank := func(c Collection, special bool) int {
		switch {
		case c.ReadOnly:
			return 9
		case c.Owner != "":
			return 8
		case special:
			return 0
		case slices.Contains(usualNames, strings.ToLower(lastSegment(c.Path))):
			return 1
		}
		return 2
	}
	if d := rank(a, aSpecial) - rank(b, bSpecial); d != 0 {
		return d
	}
	if d := a.Order - b.Order; d != 0 {
		return d
	}
	return strings.Compare(a.Path, b.Path)
}
