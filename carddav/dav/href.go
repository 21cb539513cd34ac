package dav

import (
	"fmt"
	"net/url"
	"strings"
)

// MaxHref bounds an href in a multistatus, in bytes: a collection's path and
// an item's name of MaxID each, with their escapes.
const MaxHref = 8 << 10

// CleanPath brings an escaped path into the one form in which this package
// compares paths: each octet that RFC 3986, section 2.3, calls unreserved is
// itself, every other one is %XX. Servers differ, even between one answer and
// the next, in what they escape. Paths with "." or ".." are refused, for
// nobody who means well writes them.
func CleanPath(escaped string) (string, error) {
	if len(escaped) > MaxHref {
		return "", fmt.Errorf("path of %d bytes, more than %d", len(escaped), MaxHref)
	}
	if escaped == "" {
		return "/", nil
	}
	var b strings.Builder
	b.Grow(len(escaped) + 8)
	for n, segment := range strings.Split(escaped, "/") {
		if n > 0 {
			b.WriteByte('/')
		}
		start := b.Len()
		if err := cleanSegment(&b, segment); err != nil {
			return "", err
		}
		if s := b.String()[start:]; s == "." || s == ".." {
			return "", fmt.Errorf("path %q leaves its place", escaped)
		}
	}
	clean := b.String()
	if len(clean) > MaxHref {
		return "", fmt.Errorf("path of %d bytes with its escapes, more than %d", len(clean), MaxHref)
	}
	if clean[0] != '/' {
		return "", fmt.Errorf("path %q does not begin with a slash", escaped)
	}
	return clean, nil
}

// cleanSegment writes one segment in the clean form.
func cleanSegment(b *strings.Builder, segment string) error {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(segment); i++ {
		c := segment[i]
		if c == '%' {
			if i+2 >= len(segment) || !isHex(segment[i+1]) || !isHex(segment[i+2]) {
				return fmt.Errorf("path segment %q has a broken escape", segment)
			}
			c = unhex(segment[i+1])<<4 | unhex(segment[i+2])
			i += 2
		}
		if unreserved(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return nil
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	}
	return c - 'A' + 10
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

// EscapeSegment writes a name, such as a user's, as one segment of a clean
// path.
func EscapeSegment(name string) string {
	var b strings.Builder
	// Without '%' there is no escape that could be broken.
	for n, part := range strings.Split(name, "%") {
		if n > 0 {
			b.WriteString("%25")
		}
		cleanSegment(&b, part) //nolint:errcheck // see above
	}
	return b.String()
}

// Directory is a clean path with a slash at its end.
func Directory(path string) string {
	if strings.HasSuffix(path, "/") {
		return path
	}
	return path + "/"
}

// resolve turns an href of an answer into a clean path. A full URL must name
// the host that was asked: another one is none of ours. Its scheme does not
// matter, because servers behind a proxy often do not know their own.
func (c *Client) resolve(href string) (string, error) {
	href = strings.TrimSpace(href)
	if len(href) > MaxHref {
		return "", fmt.Errorf("href of %d bytes, more than %d", len(href), MaxHref)
	}
	path := href
	if !strings.HasPrefix(href, "/") || strings.HasPrefix(href, "//") {
		u, err := url.Parse(href)
		if err != nil {
			return "", fmt.Errorf("href: %w", err)
		}
		if u.Host != "" && !strings.EqualFold(u.Hostname(), c.root.Hostname()) {
			return "", fmt.Errorf("href %q is on another host", href)
		}
		path = u.EscapedPath()
	} else if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	clean, err := CleanPath(path)
	if err != nil {
		return "", fmt.Errorf("href: %w", err)
	}
	return clean, nil
}

// member is the ID of what an href names inside a collection: the rest of the
// clean path. It is empty for the collection itself. What lies elsewhere or
// deeper is an error, for skipping it would make the listing shorter.
func (c *Client) member(collection, href string) (string, error) {
	path, err := c.resolve(href)
	if err != nil {
		return "", err
	}
	if Directory(path) == collection {
		return "", nil
	}
	name, ok := strings.CutPrefix(path, collection)
	if !ok {
		return "", fmt.Errorf("href %q is outside of %s", href, collection)
	}
	if strings.Contains(strings.TrimSuffix(name, "/"), "/") {
		return "", fmt.Errorf("href %q is deeper than %s", href, collection)
	}
	if len(name) > MaxID {
		return "", fmt.Errorf("name of %d bytes, more than %d", len(name), MaxID)
	}
	return name, nil
}

// itemPath is the path of an item. It refuses whatever is not a single clean
// segment: an empty ID would name the collection, and a DELETE or PUT of that
// would remove or replace all of it.
func (c *Client) itemPath(collection string, id string) (string, error) {
	clean, err := CleanPath("/" + id)
	if err != nil || id == "" || clean != "/"+id || strings.Contains(id, "/") {
		return "", fmt.Errorf("%w: %q is no item's ID", ErrNoName, id)
	}
	return collection + id, nil
}

// WithPath is u with another, clean path.
func WithPath(u *url.URL, clean string) *url.URL {
	v := *u
	plain, err := url.PathUnescape(clean)
	if err != nil {
		plain = clean // cannot be: clean paths have no broken escapes
	}
	v.Path, v.RawPath = plain, clean
	v.RawQuery, v.Fragment = "", ""
	return &v
}

// CollectionPath checks that an ID is a clean path with a slash at its end,
// as Collection.Path is. Anything else is ErrNoName.
func (c *Client) CollectionPath(id string) (string, error) {
	clean, err := CleanPath(id)
	if err != nil || clean != id || !strings.HasSuffix(id, "/") {
		return "", fmt.Errorf("%w: %q is no collection's ID", ErrNoName, id)
	}
	return id, nil
}
