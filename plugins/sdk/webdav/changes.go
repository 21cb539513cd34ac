package webdav

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A cursor begins with a letter that says what the rest is.
const (
	bySyncToken = "s:" // a sync-token: the server tells what is new
	byCTag      = "c:" // a ctag: the server tells whether anything is new
	noMark      = "t:" // neither; see tag
	byDigest    = "d:" // of a listing: we find out whether anything is new
)

// A Lister tells Changes how to see a part of a collection.
type Lister struct {
	// All lists that part, completely or with an error.
	All func(ctx context.Context, yield func(dav.Member) error) error

	// Sift is given members that were changed, and tells each one: as it is,
	// or as Removed if it does not belong to the part.
	Sift func(ctx context.Context, changed []dav.Member, yield func(dav.Member) error) error
}

// Changes keeps the promises of [backend.Session] for a collection, or for
// that part of it which part describes; nil means all of it.
//
// It asks for a sync-collection. Of a server that cannot answer one it learns
// by the ctag whether anything is new, and of one that has no ctag by listing
// the collection again; if there is something, the cursor is Expired.
func (c *Client) Changes(ctx context.Context, collection string, since backend.Cursor, part *Lister, yield func([]backend.Change) error) (backend.Cursor, error) {
	b := batch{yield: yield}
	next, err := c.changes(ctx, collection, string(since), part, &b)
	if err == nil {
		err = b.flush()
	}
	switch {
	case b.stop != nil:
		return "", b.stop // as it was
	case err != nil:
		return "", c.Error(err)
	}
	return backend.Cursor(next), nil
}

func (c *Client) changes(ctx context.Context, collection, since string, part *Lister, b *batch) (string, error) {
	switch {
	case since == "":
		return c.everything(ctx, collection, part, b)
	case strings.HasPrefix(since, bySyncToken):
		next, err := c.news(ctx, collection, since[len(bySyncToken):], part, b)
		return bySyncToken + next, err
	case strings.HasPrefix(since, byCTag):
		tag, err := c.property(ctx, collection, dav.CalendarServer, "getctag")
		return c.same(collection, since, byCTag+tag, err)
	case strings.HasPrefix(since, byDigest):
		var d digest
		err := c.all(ctx, collection, part, func(m dav.Member) error { d.add(m); return nil })
		return c.same(collection, since, byDigest+d.String(), err)
	}
	return "", backend.Errorf(backend.Expired, c.server.dialect.Name, "the cursor is not one of ours")
}

// same answers a cursor that did not move, or that it is Expired.
func (c *Client) same(collection, old, now string, err error) (string, error) {
	if err == nil && old != now {
		err = backend.Errorf(backend.Expired, c.server.dialect.Name, "%s has changed", collection)
	}
	return now, err
}

// everything lists all there is.
func (c *Client) everything(ctx context.Context, collection string, part *Lister, b *batch) (string, error) {
	ladder := []func(context.Context, string) (string, error){c.bySyncToken, c.byCTag}
	if part == nil {
		next, err := c.Sync(ctx, collection, "", b.add)
		if err == nil {
			return bySyncToken + next, nil
		}
		if b.told > 0 || !c.cannotSync(err) {
			return "", err
		}
		if backend.KindOf(c.Error(err)) != backend.Expired {
			// Some servers know sync-tokens but no empty one; this is none.
			ladder = ladder[1:]
		}
	}
	// The mark is taken before the list, so that what changes meanwhile is
	// told again rather than never.
	var mark string
	for _, ask := range ladder {
		var err error
		if mark, err = ask(ctx, collection); err != nil {
			return "", err
		}
		if mark != "" {
			break
		}
	}
	var d digest
	err := c.all(ctx, collection, part, func(m dav.Member) error {
		d.add(m)
		return b.add(m)
	})
	if mark == "" {
		mark = byDigest + d.String()
	}
	return mark, err
}

func (c *Client) all(ctx context.Context, collection string, part *Lister, yield func(dav.Member) error) error {
	if part == nil {
		return c.List(ctx, collection, yield)
	}
	return part.All(ctx, yield)
}

// news tells what changed since a sync-token.
func (c *Client) news(ctx context.Context, collection, token string, part *Lister, b *batch) (string, error) {
	if part == nil {
		next, err := c.Sync(ctx, collection, token, b.add)
		return next, c.expired(ctx, collection, token, b, err)
	}
	var changed []dav.Member
	next, err := c.Sync(ctx, collection, token, func(m dav.Member) error {
		if m.Removed {
			return b.add(m)
		}
		changed = append(changed, m)
		return nil
	})
	if err != nil {
		return "", c.expired(ctx, collection, token, b, err)
	}
	if len(changed) > 0 {
		err = part.Sift(ctx, changed, b.add)
	}
	return next, err
}

// expired turns err into one of kind Expired if the token is what is wrong:
// when a server once answered a sync-collection and does not any more, and
// when it stumbles over our token, as Xandikos 0.2.8 does with one that it
// does not know, while it has another one itself.
func (c *Client) expired(ctx context.Context, collection, token string, b *batch, err error) error {
	e, ok := errors.AsType[*dav.StatusError](err)
	if !ok || b.told > 0 {
		return err
	}
	if statusKind(e) != backend.Unsupported {
		if e.Code != http.StatusInternalServerError {
			return err
		}
		now, askErr := c.property(ctx, collection, dav.DAV, "sync-token")
		if askErr != nil || now == "" || now == token {
			return err
		}
	}
	return backend.E(backend.Expired, c.server.dialect.Name+": REPORT "+collection, e)
}

// cannotSync tells whether a refused sync-collection means that there is none.
func (c *Client) cannotSync(err error) bool {
	e, ok := errors.AsType[*dav.StatusError](err)
	if ok && (e.Code == http.StatusForbidden || e.Code/100 == 3) {
		return e.Code == http.StatusForbidden // a redirect that was refused is no answer
	}
	switch backend.KindOf(c.Error(err)) {
	case backend.Unsupported, backend.Invalid, backend.Expired, backend.Other:
		return true
	}
	return false
}

func (c *Client) bySyncToken(ctx context.Context, collection string) (string, error) {
	return c.mark(ctx, collection, dav.DAV, "sync-token", bySyncToken)
}

func (c *Client) byCTag(ctx context.Context, collection string) (string, error) {
	return c.mark(ctx, collection, dav.CalendarServer, "getctag", byCTag)
}

func (c *Client) mark(ctx context.Context, collection, space, local, prefix string) (string, error) {
	value, err := c.property(ctx, collection, space, local)
	if err != nil || value == "" {
		return "", err
	}
	return prefix + value, nil
}

// property asks for the text of one property; empty if there is none.
func (c *Client) property(ctx context.Context, path, space, local string) (string, error) {
	r, err := c.PropfindOne(ctx, path, dav.Name(space, local))
	if err != nil {
		return "", err
	}
	return r.Text(space, local), nil
}

// Tag is the cheapest answer to the question whether anything in a collection
// changed: it is the same as long as nothing did. One request asks for a ctag
// or for a sync-token and never for both, which costs Radicale twice as much.
func (c *Client) Tag(ctx context.Context, collection string) (string, error) {
	tag, err := c.tag(ctx, collection)
	return tag, c.Error(err)
}

func (c *Client) tag(ctx context.Context, collection string) (string, error) {
	if !c.server.noCTag.Load() {
		tag, err := c.byCTag(ctx, collection)
		if err != nil || tag != "" {
			return tag, err
		}
		c.server.noCTag.Store(true)
	}
	tag, err := c.bySyncToken(ctx, collection)
	if err == nil && tag == "" {
		tag = noMark + strconv.FormatInt(time.Now().UnixNano(), 36) // always new: somebody has to list it
	}
	return tag, err
}

// batch gathers changes for yield.
type batch struct {
	yield   func([]backend.Change) error
	changes []backend.Change
	told    int
	stop    error // of yield
}

func (b *batch) add(m dav.Member) error {
	b.told++
	b.changes = append(b.changes, backend.Change{ID: backend.ItemID(m.ID), Revision: backend.Revision(m.Revision), Removed: m.Removed})
	if len(b.changes) < backend.MaxBatch {
		return nil
	}
	return b.flush()
}

// flush hands over what was gathered. The caller may keep it.
func (b *batch) flush() error {
	if len(b.changes) == 0 {
		return nil
	}
	full := b.changes
	b.changes = nil
	b.stop = b.yield(full)
	return b.stop
}

// A digest is the same for the same members in any order.
type digest [sha256.Size]byte

func (d *digest) add(m dav.Member) {
	sum := sha256.Sum256([]byte(string(m.ID) + "\x00" + string(m.Revision)))
	for i := range d {
		d[i] ^= sum[i]
	}
}

func (d *digest) String() string { return hex.EncodeToString(d[:]) }
