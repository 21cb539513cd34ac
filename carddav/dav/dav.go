// Package dav is the WebDAV that CardDAV and CalDAV stand on: streamed multistatus answers, sync-collection, multiget and conditional writes.
//
// It is written on the client seam of emersion/go-webdav, which finds the
// principal, and does by itself what has to stream, to be conditional or to
// survive single broken items. References:
//
//	RFC 4918  WebDAV
//	RFC 3744  WebDAV access control
//	RFC 4791  CalDAV
//	RFC 5397  current-user-principal
//	RFC 6352  CardDAV
//	RFC 6578  sync-collection
//	RFC 6764  finding CalDAV and CardDAV services
package dav

import (
	"net/url"

	gowebdav "github.com/emersion/go-webdav"
)

// Bounds of what is read.
const (
	// MaxItem bounds an item's body, in bytes: a contact with a photo or an
	// event with an attachment, and then some. A larger one is ErrTooLarge and
	// does not fail its neighbours.
	MaxItem = 32 << 20

	// MaxID bounds an item's name, in bytes, escapes included. File systems
	// allow 255 bytes, three times that with escapes.
	MaxID = 2048
)

// A Dialect is what CalDAV and CardDAV call the same things.
type Dialect struct {
	Name        string // "carddav"
	Namespace   string // "urn:ietf:params:xml:ns:carddav"
	HomeSet     string // the property that has a principal's home sets
	Resource    string // the resource type of a collection
	MultiGet    string // the report that reads items by name
	Data        string // the property that has an item's bytes
	WellKnown   string // where RFC 6764 looks for the service
	Suffix      string // of an item's name, ".vcf"
	ContentType string // of an item's bytes
	End         string // the last line of an item, "END:VCARD"
}

// A Client asks a server on behalf of one person. It is safe for many
// goroutines.
type Client struct {
	dialect Dialect
	http    gowebdav.HTTPClient
	root    *url.URL
}

// New answers a Client that sends its requests to root's host through http,
// which logs in, follows redirects without changing the method, and turns each
// answer that is not 2xx into a *StatusError, as [Refusal] does. It sends
// nothing yet.
func New(d Dialect, http gowebdav.HTTPClient, root *url.URL) *Client {
	return &Client{dialect: d, http: http, root: root}
}
