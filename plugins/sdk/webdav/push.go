package webdav

import (
	"context"
	"errors"
	"net/http"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// maxPushes bounds how many registrations are remembered, some 200 bytes each.
// One that is forgotten makes the server tell us of our own changes.
const maxPushes = 50_000

// pushes remembers by person and collection the registration that need not be
// told of what the person's sessions write.
type pushes struct{ cache *lru.Cache[pushKey, string] }

type pushKey struct{ user, collection string }

func newPushes() *pushes {
	cache, err := lru.New[pushKey, string](maxPushes)
	if err != nil {
		panic(err) // only for sizes below one
	}
	return &pushes{cache}
}

// of is the registration that a request of a person need not be told to; empty
// if it writes nothing or there is none.
func (p *pushes) of(user string, req *http.Request) string {
	switch req.Method {
	case http.MethodPut, http.MethodDelete, "MOVE":
	default:
		return ""
	}
	path, err := dav.CleanPath(req.URL.EscapedPath())
	if err != nil {
		return ""
	}
	url, _ := p.cache.Get(pushKey{user, path[:strings.LastIndexByte(path, '/')+1]})
	return url
}

// Subscribe keeps the promise of [backend.Subscriber] for a collection, with
// WebDAV-Push.
func (c *Client) Subscribe(ctx context.Context, path string, s backend.PushSubscription) (backend.PushRegistration, error) {
	given, err := c.subscribe(ctx, path, s)
	if err != nil {
		return backend.PushRegistration{}, c.pushError(err)
	}
	// It goes into a header, in quotes.
	if given.URL != "" && !strings.ContainsAny(given.URL, "\",\r\n") {
		c.server.pushes.cache.Add(pushKey{c.creds.User, path}, given.URL)
	}
	return backend.PushRegistration{ServerKey: given.ServerKey, Expires: given.Expires}, nil
}

func (c *Client) subscribe(ctx context.Context, path string, s backend.PushSubscription) (dav.PushRegistration, error) {
	key, err := c.PushSupport(ctx, path)
	if err != nil {
		return dav.PushRegistration{}, err
	}
	given, err := c.PushRegister(ctx, path, s.Resource, s.PublicKey, s.Auth, s.Expires)
	given.ServerKey = key
	return given, err
}

// pushError gives an error its kind: that a server does not push, or not to us,
// is no reason to doubt the password.
func (c *Client) pushError(err error) error {
	if e, ok := errors.AsType[*dav.StatusError](err); ok && (e.Code == http.StatusForbidden || e.Code == http.StatusMethodNotAllowed) || errors.Is(err, dav.ErrNoPush) {
		return backend.E(backend.Unsupported, c.server.dialect.Name+": webdav-push", err)
	}
	return c.Error(err)
}
