package dav

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"

	gowebdav "github.com/emersion/go-webdav"
)

// maxHomeSets bounds the home sets of one person.
const maxHomeSets = 32

// A Home is where a person's collections are. All paths are clean and have a
// slash at their end.
type Home struct {
	Principal string   // empty if the server could not say
	Sets      []string // home sets, at least one
}

// Knock asks the cheapest question that needs a password.
func (c *Client) Knock(ctx context.Context, home Home) error {
	path := home.Principal
	if path == "" {
		path = home.Sets[0]
	}
	r, err := c.PropfindOne(ctx, path, Name(DAV, "current-user-principal"))
	if err != nil {
		return err
	}
	if p, ok := r.Get(DAV, "current-user-principal"); ok && p.Has(DAV, "unauthenticated") {
		return fmt.Errorf("PROPFIND %s: %w", path, ErrUnauthenticated)
	}
	return nil
}

// Discover finds a person's home from what the administrator configured: the
// server's root, a principal, a home set, or a host whose .well-known path
// says more. See RFC 6764, section 6, and RFC 5397.
func (c *Client) Discover(ctx context.Context) (Home, error) {
	root := c.root.EscapedPath()
	principal, err := c.principal(ctx, root, c.dialect.WellKnown, "/")
	if err != nil {
		return Home{}, err
	}
	start := root
	if principal != "" {
		start = principal
	}
	home := Home{Principal: principal}
	home.Sets, err = c.homeSets(ctx, start)
	if err != nil {
		return Home{}, err
	}
	if len(home.Sets) == 0 {
		// Then what was configured is the home set, if there is one at all.
		found, err := c.hasCollections(ctx, Directory(root))
		if err != nil {
			return Home{}, err
		}
		if !found {
			return Home{}, fmt.Errorf("%w: %s has no %s, neither at %s nor at its .well-known path; is it the right url?",
				ErrNoHome, c.root.Host, c.dialect.HomeSet, root)
		}
		home.Sets = []string{Directory(root)}
	}
	return home, nil
}

// principal asks several places who we are; empty if none of them knows.
func (c *Client) principal(ctx context.Context, places ...string) (string, error) {
	asked := make(map[string]bool)
	for _, place := range places {
		if asked[place] {
			continue
		}
		asked[place] = true
		finder, err := gowebdav.NewClient(c.http, WithPath(c.root, place).String())
		if err != nil {
			return "", err
		}
		path, err := finder.FindCurrentUserPrincipal(ctx)
		if err == nil {
			// The library unescaped it.
			return c.directory(place, escapePath(path))
		}
		if e, ok := errors.AsType[*StatusError](err); ok {
			if e.Code != http.StatusUnauthorized && e.Code/100 != 5 && e.Code != http.StatusTooManyRequests && e.Why == "" {
				continue
			}
			return "", err
		}
		if _, ok := errors.AsType[*NetworkError](err); ok || ctx.Err() != nil {
			return "", fmt.Errorf("PROPFIND %s: %w", place, Ended(ctx, err))
		}
		if strings.Contains(err.Error(), "unauthenticated") {
			return "", fmt.Errorf("PROPFIND %s: %w", place, ErrUnauthenticated)
		}
	}
	return "", nil
}

// homeSets asks a principal for all of its home sets, of which there may be
// several. See RFC 4791, section 6.2.1, and RFC 6352, section 7.1.1.
func (c *Client) homeSets(ctx context.Context, principal string) ([]string, error) {
	d := c.dialect
	r, err := c.PropfindOne(ctx, principal, Name(d.Namespace, d.HomeSet))
	if err != nil {
		return nil, err
	}
	p, ok := r.Get(d.Namespace, d.HomeSet)
	if !ok {
		return nil, nil
	}
	var sets []string
	seen := make(map[string]bool)
	for _, href := range p.Hrefs() {
		path, err := c.directory(principal, href)
		if err != nil {
			return nil, err
		}
		if !seen[path] {
			seen[path] = true
			sets = append(sets, path)
		}
	}
	if len(sets) > maxHomeSets {
		return nil, fmt.Errorf("PROPFIND %s: %d home sets, more than %d", principal, len(sets), maxHomeSets)
	}
	return sets, nil
}

// hasCollections tells whether a path has collections of our kind below it.
func (c *Client) hasCollections(ctx context.Context, path string) (bool, error) {
	d, found := c.dialect, false
	err := c.Propfind(ctx, path, Depth1, typeOnly, func(r *Response) error {
		if p, ok := r.Get(DAV, "resourcetype"); ok && p.Has(d.Namespace, d.Resource) {
			found = true
		}
		return nil
	})
	return found, err
}

var typeOnly = []xml.Name{Name(DAV, "resourcetype")}

// directory is the clean path of an href, with a slash at its end.
func (c *Client) directory(asked, href string) (string, error) {
	path, err := c.resolve(href)
	if err != nil {
		return "", fmt.Errorf("PROPFIND %s: %w", asked, err)
	}
	return Directory(path), nil
}

// escapePath is the clean form of a path without escapes.
func escapePath(plain string) string {
	segments := strings.Split(plain, "/")
	for i := range segments {
		segments[i] = EscapeSegment(segments[i])
	}
	return strings.Join(segments, "/")
}
