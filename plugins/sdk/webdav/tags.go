package webdav

import (
	"context"
	"encoding/xml"
	"strings"

	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Tags is Tag for several collections of a person; one that is gone is not in
// the answer. Those of one home set are asked for in one request where the
// server has their tags at hand, as SabreDAV and Xandikos have. Radicale reads
// every item for a tag, and would do so for all collections that nobody asked
// about: there it is one request for each.
func (c *Client) Tags(ctx context.Context, home dav.Home, collections []string) (map[string]string, error) {
	tags := make(map[string]string, len(collections))
	first := "" // the one that showed what tags are like
	if len(collections) > 1 && c.server.tagging.Load() == taggingUnknown {
		first = collections[0]
		if err := c.addTag(ctx, first, tags); err != nil {
			return nil, err
		}
		c.learnTagging(tags[first])
	}
	if c.server.tagging.Load() == taggingCheap {
		for _, set := range home.Sets {
			if err := c.listTags(ctx, set, collections, tags); err != nil {
				return nil, err
			}
		}
	}
	for _, path := range collections {
		if _, known := tags[path]; known || path == first {
			continue
		}
		if err := c.addTag(ctx, path, tags); err != nil {
			return nil, err
		}
	}
	return tags, nil
}

// What tags cost a server.
const (
	taggingUnknown = iota
	taggingCheap
	taggingDear // or it cannot list them
)

// learnTagging tells from a tag whether the server computed it. Radicale's ctag
// is the quoted hash of all items, its sync-token names it.
func (c *Client) learnTagging(tag string) {
	switch {
	case tag == "":
	case c.server.radicale != nil, strings.HasPrefix(tag, byCTag+`"`), strings.HasPrefix(tag, bySyncToken+"http://radicale.org/"), strings.HasPrefix(tag, noMark):
		c.server.tagging.Store(taggingDear)
	default:
		c.server.tagging.Store(taggingCheap)
	}
}

func (c *Client) addTag(ctx context.Context, path string, tags map[string]string) error {
	tag, err := c.Tag(ctx, path)
	if backend.KindOf(err) == backend.NotFound {
		return nil
	}
	if err == nil && tag != "" {
		tags[path] = tag
	}
	return err
}

// listTags adds the tags of those collections in a home set that have none yet,
// if they are several. What the server leaves out is asked for singly.
func (c *Client) listTags(ctx context.Context, set string, collections []string, tags map[string]string) error {
	wanted := make(map[string]bool)
	for _, path := range collections {
		if _, known := tags[path]; !known && strings.HasPrefix(path, set) {
			wanted[path] = true
		}
	}
	if len(wanted) < 2 {
		return nil
	}
	prefix, name := byCTag, dav.Name(dav.CalendarServer, "getctag")
	if c.server.noCTag.Load() {
		prefix, name = bySyncToken, dav.Name(dav.DAV, "sync-token")
	}
	err := c.Propfind(ctx, set, dav.Depth1, []xml.Name{name}, func(r *dav.Response) error {
		path, err := c.CollectionOf(r.Href)
		if text := r.Text(name.Space, name.Local); err == nil && wanted[path] && text != "" {
			tags[path] = prefix + text
		}
		return nil
	})
	switch err = c.Error(err); backend.KindOf(err) {
	case backend.Unsupported, backend.NotFound, backend.ReadOnly, backend.Invalid:
		c.server.tagging.Store(taggingDear)
		return nil
	}
	return err
}
