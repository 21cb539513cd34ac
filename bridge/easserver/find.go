package easserver

import (
	"context"
	"errors"
	"unicode/utf8"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/pushbridge/pushbridge/bridge/directory"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// Bounds of searches that go on. See [MS-ASCMD] "SearchId".
const (
	// maxSearchID bounds the name of a search, in bytes; a GUID has 36.
	maxSearchID = 256

	// maxSearches is how many searches of all phones are known to have begun, a
	// hundred bytes each. One that is forgotten begins anew.
	maxSearches = 10_000
)

// searches remembers which searches of which phones have begun.
type searches = lru.Cache[string, struct{}]

func newSearches() *searches {
	cache, err := lru.New[string, struct{}](maxSearches)
	if err != nil {
		panic(err) // only for sizes below one
	}
	return cache
}

// find looks for people, from 16.1 on. See [MS-ASCMD] "Find".
func (s *Server) find(ctx context.Context, c *call) (answer, error) {
	var req eas.FindRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	results, status, err := s.execute(ctx, c, &req)
	if err != nil {
		return nil, err
	}
	c.event.Status = int(status)
	return eas.FindResponse{Status: status, Response: results}, nil
}

func (s *Server) execute(ctx context.Context, c *call, req *eas.FindRequest) (*eas.FindResults, eas.FindStatus, error) {
	criterion := req.Search
	if req.SearchID == "" || len(req.SearchID) > maxSearchID || criterion == nil || (criterion.GAL == nil) == (criterion.Mailbox == nil) {
		return nil, eas.FindInvalid, nil
	}
	of := criterion.GAL
	if of == nil {
		of = criterion.Mailbox
	}
	o := of.Options
	if o == nil {
		o = new(eas.FindOptions)
	}
	query, ok := queryText(of.Query, tag.FindFreeText)
	r, okRange := wantedRange(o.Range)
	if !ok && criterion.GAL != nil || of.Query == nil || !okRange || utf8.RuneCountInString(query) > directory.MaxQuery {
		return nil, eas.FindInvalid, nil
	}
	name := c.phone.User + "\x00" + c.phone.Device + "\x00" + req.SearchID
	if r.first > 0 && !s.searches.Contains(name) {
		return nil, eas.FindRange, nil
	}
	s.searches.Add(name, struct{}{})
	if criterion.GAL == nil {
		return s.findInMail(ctx, c, of, o, r)
	}
	return s.findPeople(ctx, c, query, o, r)
}

func (s *Server) findPeople(ctx context.Context, c *call, query string, o *eas.FindOptions, r span) (*eas.FindResults, eas.FindStatus, error) {
	wish, ok := photoWish{}, true
	if o.Picture != nil {
		if wish, ok = wishFor(o.Picture.MaxSize, o.Picture.MaxPictures); !ok {
			return nil, eas.FindInvalid, nil
		}
	}
	r.last = min(r.last, r.first+MaxPeople-1)
	found, photos, err := s.lookFor(ctx, c, query, r, o.Picture != nil, wish)
	if errors.Is(err, errLate) {
		return nil, 0, &inBand{status: eas.ServerErrorRetryLater, http: 503, err: err}
	}
	if err != nil {
		return nil, 0, err
	}
	results := &eas.FindResults{Status: eas.FindOK, Range: r.of(len(found.Matches)), Total: &found.Total}
	for i, m := range found.Matches {
		results.Results = append(results.Results, eas.FindResult{Properties: personWith(m, photos, i)})
	}
	return results, eas.FindOK, nil
}
