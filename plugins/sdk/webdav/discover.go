package webdav

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"

	gowebdav "github.com/emersion/go-webdav"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// maxHomes bounds how many people's whereabouts are remembered, some hundred
// bytes each.
const maxHomes = 20_000

// maxHomeSets bounds the home sets of one person.
const maxHomeSets = 32

// A Home is where a person's collections are. All paths are clean and have a
// slash at their end.
type Home struct {
	Principal string   // empty if the server could not say
	Sets      []string // home sets, at least one
}

// homeCache remembers homes by user name. What it has is not a proof that
// somebody may log in.
type homeCache = lru.Cache[string, Home]

func newHomeCache() *homeCache {
	cache, err := lru.New[string, Home](maxHomes)
	if err != nil {
		panic(err) // only for sizes below one
	}
	return cache
}

// Login asks the server whether the credentials are right and finds the
// person's home. Kind Denied means that the server said no.
func (c *Client) Login(ctx context.Context) (Home, error) {
	home, err := c.login(ctx)
	if e, ok := errors.AsType[*StatusError](err); ok && e.Code == http.StatusForbidden {
		err = backend.E(backend.Denied, c.server.dialect.Name, e)
	}
	return home, err
}

func (c *Client) login(ctx context.Context) (Home, error) {
	if home, ok := c.server.homes.Get(c.creds.User); ok {
		err := c.knock(ctx, home)
		if err == nil {
			return home, nil
		}
		if backend.KindOf(err) != backend.NotFound {
			return Home{}, err
		}
		c.server.homes.Remove(c.creds.User) // the server was rebuilt
	}
	home, err := c.discover(ctx)
	if err != nil {
		return Home{}, err
	}
	c.server.homes.Add(c.creds.User, home)
	return home, nil
}

// knock asks the cheapest question that needs a password.
func (c *Client) knock(ctx context.Context, home Home) error {
	path := home.Principal
	if path == "" {
		path = home.Sets[0]
	}
	r, err := c.PropfindOne(ctx, path, Name(DAV, "current-user-principal"))
	if err != nil {
		return c.Error("PROPFIND "+path, err)
	}
	if p, ok := r.Get(DAV, "current-user-principal"); ok && p.Has(DAV, "unauthenticated") {
		return backend.Errorf(backend.Denied, c.server.dialect.Name+": PROPFIND "+path, "the server let nobody in")
	}
	return nil
}

// discover finds a person's home from what the administrator configured: the
// server's root, a principal, a home set, or a host whose .well-known path
// says more. See RFC 6764, section 6, and RFC 5397.
func (c *Client) discover(ctx context.Context) (Home, error) {
	if c.server.template != "" {
		return c.fromTemplate(ctx)
	}
	root := c.server.root.EscapedPath()
	principal, err := c.principal(ctx, root, c.server.dialect.WellKnown, "/")
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
			return Home{}, backend.Errorf(backend.NotFound, c.server.dialect.Name,
				"%s offers no %s, neither at %s nor at its .well-known path; is it the right url?",
				c.server.root.Host, c.server.dialect.HomeSet, root)
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
		finder, err := gowebdav.NewClient(c, withPath(c.server.root, place).String())
		if err != nil {
			return "", c.Error("PROPFIND "+place, err)
		}
		path, err := finder.FindCurrentUserPrincipal(ctx)
		if err == nil {
			// The library unescaped it.
			return c.directory(place, escapePath(path))
		}
		if e, ok := errors.AsType[*StatusError](err); ok {
			if kind := e.Kind(); kind == backend.Denied || kind == backend.Transient || e.Location != "" {
				return "", c.Error("PROPFIND "+place, err)
			}
			continue
		}
		if isNetwork(err) || ctx.Err() != nil {
			return "", c.Error("PROPFIND "+place, ended(ctx, err))
		}
		if strings.Contains(err.Error(), "unauthenticated") {
			return "", backend.E(backend.Denied, c.server.dialect.Name+": PROPFIND "+place, err)
		}
	}
	return "", nil
}

// homeSets asks a principal for all of its home sets, of which there may be
// several. See RFC 4791, section 6.2.1, and RFC 6352, section 7.1.1.
func (c *Client) homeSets(ctx context.Context, principal string) ([]string, error) {
	d := c.server.dialect
	r, err := c.PropfindOne(ctx, principal, Name(d.Namespace, d.HomeSet))
	if err != nil {
		return nil, c.Error("PROPFIND "+principal, err)
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
		return nil, backend.Errorf(backend.Other, d.Name+": PROPFIND "+principal, "%d home sets, more than %d", len(sets), maxHomeSets)
	}
	return sets, nil
}

// hasCollections tells whether a path has collections of our kind below it.
func (c *Client) hasCollections(ctx context.Context, path string) (bool, error) {
	d, found := c.server.dialect, false
	err := c.Propfind(ctx, path, Depth1, typeOnly, func(r *Response) error {
		if p, ok := r.Get(DAV, "resourcetype"); ok && p.Has(d.Namespace, d.Resource) {
			found = true
		}
		return nil
	})
	return found, c.Error("PROPFIND "+path, err)
}

var typeOnly = []xml.Name{Name(DAV, "resourcetype")}

// fromTemplate trusts the administrator, and asks only whether the password
// is right.
func (c *Client) fromTemplate(ctx context.Context) (Home, error) {
	path, err := templatePath(c.server.root.EscapedPath(), c.server.template, c.creds.User)
	if err != nil {
		return Home{}, backend.E(backend.Denied, c.server.dialect.Name, err)
	}
	home := Home{Sets: []string{path}}
	return home, c.knock(ctx, home)
}

// templatePath puts a user's name into a template, as one segment.
func templatePath(root, template, user string) (string, error) {
	if user == "" || user == "." || user == ".." {
		return "", fmt.Errorf("%q is no user's name", user)
	}
	path := strings.ReplaceAll(template, "{user}", EscapeSegment(user))
	if !strings.HasPrefix(path, "/") {
		path = Directory(root) + path
	}
	clean, err := CleanPath(path)
	return Directory(clean), err
}

func checkTemplate(template string) error {
	if template == "" {
		return nil
	}
	if _, err := templatePath("/", template, "x"); err != nil {
		return fmt.Errorf("path_template: %w", err)
	}
	if !strings.Contains(template, "{user}") {
		return errors.New("path_template lacks {user}")
	}
	return nil
}

// directory is the clean path of an href, with a slash at its end.
func (c *Client) directory(asked, href string) (string, error) {
	path, err := c.resolve(href)
	if err != nil {
		return "", backend.E(backend.Other, c.server.dialect.Name+": PROPFIND "+asked, err)
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
