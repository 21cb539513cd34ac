package easserver

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/directory"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// MaxPeople is how many people one answer has at most. See [MS-ASCMD] "Range
// (Search)": the default range of the GAL is 0-99.
const MaxPeople = 100

// search looks for people in the directory and in the person's address books.
// See [MS-ASCMD] "Search".
func (s *Server) search(ctx context.Context, c *call) (answer, error) {
	var req eas.SearchRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	results, err := s.searchStore(ctx, c, &req.Store)
	if err != nil {
		return nil, err
	}
	c.event.Status = int(results.Status)
	return eas.SearchResponse{Status: eas.SearchOK, Store: results}, nil
}

func (s *Server) searchStore(ctx context.Context, c *call, store *eas.SearchStore) (*eas.SearchStoreResults, error) {
	switch {
	case strings.EqualFold(store.Name, eas.SearchGAL):
		return s.searchGAL(ctx, c, store)
	case strings.EqualFold(store.Name, eas.SearchMailbox):
		return s.searchMail(ctx, c, store)
	case strings.EqualFold(store.Name, eas.SearchDocumentLibrary):
		return &eas.SearchStoreResults{Status: eas.SearchBadLink}, nil // no documents are served
	}
	return &eas.SearchStoreResults{Status: eas.SearchProtocol}, nil
}

// nothingFound is one result without anything in it. See [MS-ASCMD] "Result
// (Search)".
func nothingFound() *eas.SearchStoreResults {
	none := 0
	return &eas.SearchStoreResults{Status: eas.SearchOK, Results: []eas.SearchResult{{}}, Total: &none}
}

// A span is which of all results are wanted, the last one included.
type span struct{ first, last int }

// wantedRange reads a range; the empty one is the default. See [MS-ASCMD] "Range
// (Search)".
func wantedRange(text string) (span, bool) {
	if text = strings.TrimSpace(text); text == "" {
		return span{0, MaxPeople - 1}, true
	}
	a, b, ok := strings.Cut(text, "-")
	first, err1 := strconv.Atoi(strings.TrimSpace(a))
	last, err2 := strconv.Atoi(strings.TrimSpace(b))
	const most = 999 // three digits
	ok = ok && err1 == nil && err2 == nil && first >= 0 && last >= first && last <= most
	return span{first, last}, ok
}

// of tells which results were found, "" if none.
func (r span) of(found int) string {
	if found == 0 {
		return ""
	}
	return fmt.Sprintf("%d-%d", r.first, r.first+found-1)
}

// queryText is a query that is nothing but text.
func queryText(e *eas.Element, free wbxml.Tag) (string, bool) {
	if e == nil {
		return "", false
	}
	if len(e.Children) == 0 {
		return e.Content(), true
	}
	return eas.Properties(e.Children).Text(free)
}

// searchGAL answers a range of what was found. Results are computed anew each
// time, so that RebuildResults changes nothing; all books are looked through, so
// that neither does DeepTraversal; UserName and Password are for documents. See
// [MS-ASCMD] "Options (Search)".
func (s *Server) searchGAL(ctx context.Context, c *call, store *eas.SearchStore) (*eas.SearchStoreResults, error) {
	refuse := func(status eas.SearchStatus) (*eas.SearchStoreResults, error) {
		return &eas.SearchStoreResults{Status: status}, nil
	}
	o := store.Options
	if o == nil {
		o = new(eas.SearchOptions)
	}
	query, ok := queryText(store.Query, 0)
	if !ok {
		return refuse(eas.SearchProtocol)
	}
	r, ok := wantedRange(o.Range)
	if !ok {
		return refuse(eas.SearchProtocol)
	}
	if r.first >= MaxPeople {
		return refuse(eas.SearchEndOfRange)
	}
	r.last = min(r.last, MaxPeople-1)
	wish, ok := photoWish{}, true
	pictures := o.Picture != nil && c.version >= eas.V141
	if pictures {
		wish, ok = wishFor(o.Picture.MaxSize, o.Picture.MaxPictures)
	}
	switch {
	case !ok:
		return refuse(eas.SearchProtocol)
	case utf8.RuneCountInString(query) > directory.MaxQuery:
		return refuse(eas.SearchTooComplex)
	}
	found, photos, err := s.lookFor(ctx, c, query, r, pictures, wish)
	switch {
	case errors.Is(err, errLate):
		return refuse(eas.SearchTimeout)
	case err != nil:
		return nil, err
	case len(found.Matches) == 0:
		results := nothingFound()
		results.Total = &found.Total
		return results, nil
	}
	results := &eas.SearchStoreResults{Status: eas.SearchOK, Range: r.of(len(found.Matches)), Total: &found.Total}
	for i, m := range found.Matches {
		results.Results = append(results.Results, eas.SearchResult{Properties: personWith(m, photos, i)})
	}
	return results, nil
}

// personWith are the properties of the i-th person, with the photo if photos
// were asked for.
func personWith(m directory.Match, photos []photo, i int) eas.Properties {
	ps := galProperties(m)
	if photos != nil {
		ps = append(ps, photos[i].element())
	}
	return ps
}

// lookFor finds people, and their photos.
func (s *Server) lookFor(ctx context.Context, c *call, query string, r span, pictures bool, wish photoWish) (directory.Found, []photo, error) {
	b, err := s.books(ctx, c)
	if err != nil {
		return directory.Found{}, nil, err
	}
	found := s.Directory.Find(query, b.places, r.first, r.last-r.first+1)
	if err := b.settled(found); err != nil {
		return found, nil, err
	}
	c.found(found.Total)
	if !pictures {
		return found, nil, nil
	}
	photos, err := s.photos(ctx, b, found.Matches, wish)
	return found, photos, err
}
