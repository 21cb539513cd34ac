package webdav

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// maxHomes bounds how many people's whereabouts are remembered, some hundred
// bytes each.
const maxHomes = 20_000

// homeCache remembers homes by user name. What it has is not a proof that
// somebody may log in.
type homeCache = lru.Cache[string, dav.Home]

func newHomeCache() *homeCache {
	cache, err := lru.New[string, dav.Home](maxHomes)
	if err != nil {
		panic(err) // only for sizes below one
	}
	return cache
}

// Login asks the server whether the credentials are right and finds the
// person's home. Kind Denied means that the server said no.
func (c *Client) Login(ctx context.Context) (dav.Home, error) {
	home, err := c.login(ctx)
	if e, ok := errors.AsType[*dav.StatusError](err); ok && e.Code == http.StatusForbidden {
		err = backend.E(backend.Denied, c.server.dialect.Name, e)
	}
	return home, c.Error(err)
}

// Resume answers the person's home without asking, if the server accepted the
// person's name before: for credentials that it accepted minutes ago.
func (c *Client) Resume() (dav.Home, bool) { return c.server.homes.Get(c.creds.User) }

func (c *Client) login(ctx context.Context) (dav.Home, error) {
	if home, ok := c.server.homes.Get(c.creds.User); ok {
		err := c.Knock(ctx, home)
		if err == nil {
			return home, nil
		}
		if e, ok := errors.AsType[*dav.StatusError](err); !ok || !e.Missing() {
			return dav.Home{}, err
		}
		c.server.homes.Remove(c.creds.User) // the server was rebuilt
	}
	home, err := c.find(ctx)
	if err != nil {
		return dav.Home{}, err
	}
	c.server.homes.Add(c.creds.User, home)
	return home, nil
}

// find asks the server, or the administrator's template where there is one.
func (c *Client) find(ctx context.Context) (dav.Home, error) {
	if c.server.template == "" {
		return c.Discover(ctx)
	}
	path, err := templatePath(c.server.root.EscapedPath(), c.server.template, c.creds.User)
	if err != nil {
		return dav.Home{}, backend.E(backend.Denied, c.server.dialect.Name, err)
	}
	home := dav.Home{Sets: []string{path}}
	return home, c.Knock(ctx, home) // the template does not say whether the password is right
}

// templatePath puts a user's name into a template, as one segment.
func templatePath(root, template, user string) (string, error) {
	if user == "" || user == "." || user == ".." {
		return "", fmt.Errorf("%q is no user's name", user)
	}
	path := strings.ReplaceAll(template, "{user}", dav.EscapeSegment(user))
	if !strings.HasPrefix(path, "/") {
		path = dav.Directory(root) + path
	}
	clean, err := dav.CleanPath(path)
	return dav.Directory(clean), err
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
