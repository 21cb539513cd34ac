// Package carddav is a client of CardDAV: it finds a person's address books, lists them and reads and writes cards as they are.
//
// What CardDAV shares with CalDAV is in package carddav/dav; here is
// what only RFC 6352 has.
package carddav

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"slices"

	"github.com/pushbridge/pushbridge/carddav/dav"
)

// Namespace is that of CardDAV's elements. See RFC 6352, section 4.
const Namespace = "urn:ietf:params:xml:ns:carddav"

// Dialect is how CardDAV calls things.
var Dialect = dav.Dialect{
	Name:        "carddav",
	Namespace:   Namespace,
	HomeSet:     "addressbook-home-set",
	Resource:    "addressbook",
	MultiGet:    "addressbook-multiget",
	Data:        "address-data",
	WellKnown:   "/.well-known/carddav",
	Suffix:      ".vcf",
	ContentType: "text/vcard; charset=utf-8",
	End:         "END:VCARD",
}

// A Client asks a CardDAV server on behalf of one person.
type Client struct{ *dav.Client }

// An AddressBook is a collection of cards.
type AddressBook struct {
	dav.Collection
	Default bool // new cards belong here, at most one
}

// AddressBooks lists what is in the home sets; the list is complete or it is
// an error.
func (c Client) AddressBooks(ctx context.Context, home dav.Home) ([]AddressBook, error) {
	var books []AddressBook
	err := c.Collections(ctx, home, nil, func(found dav.Collection, _ *dav.Response) error {
		books = append(books, AddressBook{Collection: found})
		return nil
	})
	if err != nil || len(books) == 0 {
		return nil, err
	}
	slices.SortFunc(books, func(a, b AddressBook) int {
		return dav.Prefer(a.Collection, b.Collection, false, false)
	})
	books[0].Default = !books[0].ReadOnly
	return books, nil
}

// FindUID looks up the card that has a UID. It is Removed if there is none.
// See RFC 6352, section 8.6.
func (c Client) FindUID(ctx context.Context, book, uid string) (dav.Member, error) {
	body := Dialect.Document("addressbook-query", func(w *bytes.Buffer) {
		w.WriteString(`<D:prop><D:getetag/></D:prop><C:filter><C:prop-filter name="UID">` +
			`<C:text-match collation="i;octet" match-type="equals">`)
		xml.EscapeText(w, []byte(uid)) //nolint:errcheck // a bytes.Buffer takes everything
		w.WriteString(`</C:text-match></C:prop-filter></C:filter>`)
	})
	var candidates []string
	err := c.Report(ctx, book, dav.Depth1, body, func(r *dav.Response) error {
		return c.Listed(book, r, func(m dav.Member) error {
			candidates = append(candidates, m.ID)
			return nil
		})
	})
	if err != nil {
		return dav.Member{}, err
	}
	return c.WithUID(ctx, book, uid, candidates)
}

// Create stores a new card under a name. If the name is taken, or another
// card of the book has the same UID, the error is dav.ErrTaken and the Member
// is the card that is there.
func (c Client) Create(ctx context.Context, book, name string, card []byte) (dav.Member, error) {
	return c.CreateUnique(ctx, book, name, card, c.FindUID)
}

// Make makes an address book. If something is there under the name, the error
// is dav.ErrTaken, and the AddressBook is what is there. See RFC 6352, section
// 6.3.1, and RFC 5689.
func (c Client) Make(ctx context.Context, home dav.Home, segment, name, colour string) (AddressBook, error) {
	path, err := c.Client.Make(ctx, home, segment, dav.NewCollection{
		Method: "MKCOL", Root: dav.Name(dav.DAV, "mkcol"), Name: name, Colour: colour,
		More: func(w *bytes.Buffer) {
			w.WriteString(`<D:resourcetype><D:collection/><addressbook xmlns="` + Namespace + `"/></D:resourcetype>`)
		},
	})
	if err != nil && !errors.Is(err, dav.ErrTaken) {
		return AddressBook{}, err
	}
	found, described := c.Describe(ctx, home, path)
	return found, errors.Join(err, described)
}

// Describe asks what an address book is. It does not know which one is the
// Default.
func (c Client) Describe(ctx context.Context, home dav.Home, path string) (AddressBook, error) {
	found, _, err := c.Client.Describe(ctx, home, path)
	return AddressBook{Collection: found}, err
}
