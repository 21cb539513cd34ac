package easserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/directory"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// MaxFoundMail is how many messages one answer has at most. See [MS-ASCMD] "Range
// (Search)".
const MaxFoundMail = 100

// Errors of a search in mail.
var (
	errQuery       = errors.New("easserver: the query contradicts the protocol")
	errComplex     = errors.New("easserver: the query asks for more than mail servers are asked")
	errFoldersGone = errors.New("easserver: the query names a folder that is not there")
)

// A mailQuery is what to look for in mail, and where.
type mailQuery struct {
	backend.Query
	folders []string // ids; none means all
	deep    bool     // and the folders inside of these
	nothing bool     // it asks for another class than Email
}

// search reads a query of Search: a tree of conditions that all have to be met. See
// [MS-ASCMD] "Query (Search)".
func (q *mailQuery) search(e *eas.Element) error {
	for _, c := range e.Children {
		if err := q.condition(c); err != nil {
			return err
		}
	}
	if len(e.Children) == 0 {
		q.words(e.Content())
	}
	return nil
}

func (q *mailQuery) condition(e eas.Element) error {
	switch e.Tag {
	case tag.SearchAnd:
		return q.search(&e)
	case tag.SearchFreeText, tag.FindFreeText:
		q.words(e.Content())
	case tag.AirSyncClass:
		q.nothing = q.nothing || e.Content() != eas.ClassEmail
	case tag.AirSyncCollectionId:
		if id := e.Content(); id != "" && id != eas.RootFolder {
			q.folders = append(q.folders, id)
		}
	case tag.SearchGreaterThan, tag.SearchLessThan:
		return q.received(e)
	case tag.SearchOr, tag.SearchEqualTo, tag.SearchConversationId:
		return fmt.Errorf("%w: %s", errComplex, tag.Local(e.Tag))
	}
	return nil
}

// received reads a bound of the time when a message was received. See [MS-ASCMD]
// "GreaterThan" and "LessThan".
func (q *mailQuery) received(e eas.Element) error {
	ps := eas.Properties(e.Children)
	_, by := ps.Find(tag.EmailDateReceived)
	text, ok := ps.Text(tag.SearchValue)
	at, err := translate.ParseDateTime(text)
	if !by || !ok || err != nil {
		return fmt.Errorf("%w: a bound that is no time of DateReceived", errQuery)
	}
	if e.Tag == tag.SearchGreaterThan {
		q.Since = at
	} else {
		q.Before = at
	}
	return nil
}

// fields are the words before a colon that phones write into free text.
var fields = map[string]func(*mailQuery) *string{
	"from": func(q *mailQuery) *string { return &q.From }, "to": func(q *mailQuery) *string { return &q.To },
	"subject": func(q *mailQuery) *string { return &q.Subject },
}

// words adds free text. `subject:tea` asks for a field alone.
func (q *mailQuery) words(text string) {
	text = strings.TrimSpace(text)
	name, rest, ok := strings.Cut(text, ":")
	if field := fields[strings.ToLower(name)]; ok && field != nil {
		*field(q) = strings.Trim(strings.TrimSpace(rest), `"`)
		return
	}
	q.Text = strings.TrimSpace(q.Text + " " + strings.Trim(text, `"`))
}

// tooLong tells whether a text is longer than anybody types.
func (q *mailQuery) tooLong() bool {
	return slices.ContainsFunc([]string{q.Text, q.From, q.To, q.Subject}, func(s string) bool { return utf8.RuneCountInString(s) > directory.MaxQuery })
}

// A foundMessage is a message that was found.
type foundMessage struct {
	backend.Found
	folder  syncengine.Folder
	session backend.Session
	number  syncengine.Number
}

func (m *foundMessage) id() string { return syncengine.ServerID(m.folder.ID, m.number) }

// findMail looks for messages at all backends that search, the latest first, as many
// as a range reaches. Where one does not answer, what the others found is told.
func (s *Server) findMail(ctx context.Context, c *call, q mailQuery, upTo int) ([]foundMessage, error) {
	if q.nothing {
		return nil, nil
	}
	folders, err := s.mailFolders(ctx, c, &q)
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, s.SearchTime)
	defer cancel()
	q.Limit = min(upTo+1, backend.MaxSearchResults)
	at := make(map[string]map[backend.CollectionID]syncengine.Folder)
	for _, f := range folders {
		if at[f.Backend] == nil {
			at[f.Backend] = make(map[backend.CollectionID]syncengine.Folder)
		}
		at[f.Backend][f.Collection] = f
	}
	var found []foundMessage
	var down error
	for name, here := range at {
		part, err := s.findAt(within, c, name, here, q.Query)
		if err != nil {
			if backend.KindOf(err) == backend.Denied {
				return nil, err
			}
			c.note(slog.Any("not_searched", err))
			down = err
		}
		found = append(found, part...)
	}
	if len(found) == 0 && down != nil {
		if within.Err() != nil && ctx.Err() == nil {
			return nil, errLate
		}
		return nil, down
	}
	slices.SortStableFunc(found, func(a, b foundMessage) int { return b.Received.Compare(a.Received) })
	return found, nil
}

// findAt looks for messages at one backend.
func (s *Server) findAt(ctx context.Context, c *call, name string, here map[backend.CollectionID]syncengine.Folder, q backend.Query) ([]foundMessage, error) {
	session, err := c.account.Session(ctx, name)
	if err != nil {
		return nil, err
	}
	searcher, ok := backend.As[backend.Searcher](session)
	if !ok {
		return nil, nil // nothing is found, which is all that is known
	}
	for id := range here {
		q.Collections = append(q.Collections, id)
	}
	slices.Sort(q.Collections)
	list, err := searcher.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	ids := make(map[backend.CollectionID][]backend.ItemID)
	for _, f := range list {
		ids[f.Collection] = append(ids[f.Collection], f.ID)
	}
	numbers := make(map[backend.CollectionID]map[backend.ItemID]syncengine.Number)
	for id, items := range ids {
		if numbers[id], err = s.Engine.Numbered(ctx, here[id], session, items); err != nil {
			return nil, err
		}
	}
	var found []foundMessage
	for _, f := range list {
		if n, ok := numbers[f.Collection][f.ID]; ok { // else it went meanwhile
			found = append(found, foundMessage{f, here[f.Collection], session, n})
		}
	}
	return found, nil
}

// mailFolders are the folders to look in.
func (s *Server) mailFolders(ctx context.Context, c *call, q *mailQuery) ([]syncengine.Folder, error) {
	all, err := s.visible(ctx, c)
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]bool, len(q.folders))
	for _, id := range q.folders {
		wanted[id] = true
	}
	var list []syncengine.Folder
	seen := make(map[string]bool)
	for _, f := range all { // parents first
		id := f.ID.String()
		if wanted[id] {
			seen[id] = true
		} else if len(q.folders) > 0 && q.deep && f.Parent != 0 && wanted[f.Parent.String()] {
			wanted[id] = true
		}
		if f.Kind == backend.Mail && (len(q.folders) == 0 || wanted[id]) {
			list = append(list, f)
		}
	}
	for _, id := range q.folders {
		if !seen[id] {
			return nil, fmt.Errorf("%w: %.70q", errFoldersGone, id)
		}
	}
	return list, nil
}

// showFound reads what phones are shown of messages that were found, in their order.
// One that went meanwhile, or cannot be read, is left out.
func (s *Server) showFound(ctx context.Context, c *call, found []foundMessage, wish mailWish) (map[string]eas.Properties, error) {
	shown := make(map[string]eas.Properties, len(found))
	for len(found) > 0 {
		first := found[0]
		n := 1
		for n < len(found) && n < wish.batch() && found[n].folder.ID == first.folder.ID {
			n++
		}
		if err := s.showBatch(ctx, c, found[:n], wish, shown); err != nil {
			return nil, err
		}
		found = found[n:]
	}
	return shown, nil
}

// showBatch is showFound for messages of one folder.
func (s *Server) showBatch(ctx context.Context, c *call, found []foundMessage, wish mailWish, shown map[string]eas.Properties) error {
	box, err := mailbox(found[0].session)
	if err != nil {
		return err
	}
	o := s.translation(c)
	wish.into(&o)
	ids := make([]backend.ItemID, len(found))
	names := make(map[backend.ItemID]string, len(found))
	for i := range found {
		ids[i], names[found[i].ID] = found[i].ID, found[i].id()
	}
	return box.Messages(ctx, found[0].folder.Collection, ids, wish.limit, func(m backend.Message) error {
		if m.Err != nil {
			return nil
		}
		o.Item = names[m.ID]
		p, err := classes[backend.Mail].message(messageOf(m), o)
		if err != nil {
			c.report(s, err)
			return nil
		}
		shown[o.Item] = p
		return nil
	})
}

// searchMail answers a Search of the mailbox. Results are found anew each time, so
// that RebuildResults changes nothing. See [MS-ASCMD] "Search".
func (s *Server) searchMail(ctx context.Context, c *call, store *eas.SearchStore) (*eas.SearchStoreResults, error) {
	refuse := func(status eas.SearchStatus) (*eas.SearchStoreResults, error) {
		return &eas.SearchStoreResults{Status: status}, nil
	}
	o := store.Options
	if o == nil {
		o = new(eas.SearchOptions)
	}
	r, ok := wantedRange(o.Range)
	if store.Query == nil || !ok {
		return refuse(eas.SearchProtocol)
	}
	q := mailQuery{deep: o.DeepTraversal}
	err := q.search(store.Query)
	if err == nil && q.tooLong() {
		err = errComplex
	}
	var found []foundMessage
	if err == nil {
		r.last = min(r.last, r.first+MaxFoundMail-1)
		found, err = s.findMail(ctx, c, q, r.last+1)
	}
	switch {
	case errors.Is(err, errQuery):
		return refuse(eas.SearchProtocol)
	case errors.Is(err, errComplex):
		return refuse(eas.SearchTooComplex)
	case errors.Is(err, errFoldersGone):
		return refuse(eas.SearchFolderSync)
	case errors.Is(err, errLate):
		return refuse(eas.SearchTimeout)
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nothingFound(), nil
	case r.first >= len(found):
		return refuse(eas.SearchEndOfRange)
	}
	total := len(found)
	found = found[r.first:min(r.last+1, total)]
	wish := mailForm{Bodies: o.BodyPreferences, Part: o.BodyPartPreference, MIMESupport: o.MIMESupport}.wish(c.version)
	shown, err := s.showFound(ctx, c, found, wish)
	if err != nil {
		return nil, err
	}
	results := &eas.SearchStoreResults{Status: eas.SearchOK, Range: r.of(len(found)), Total: &total}
	for i := range found {
		m := &found[i]
		if p, ok := shown[m.id()]; ok {
			results.Results = append(results.Results, eas.SearchResult{Class: eas.ClassEmail, LongID: m.id(), CollectionID: m.folder.ID.String(), Properties: p})
		}
	}
	c.found(total)
	return results, nil
}

// findPreview is how much of a text Find tells, in characters. See [MS-ASCMD]
// "Preview (Find)".
const findPreview = 255

// findInMail answers a Find of the mailbox. See [MS-ASCMD] "Find".
func (s *Server) findInMail(ctx context.Context, c *call, criterion *eas.FindCriterion, o *eas.FindOptions, r span) (*eas.FindResults, eas.FindStatus, error) {
	q := mailQuery{deep: o.DeepTraversal}
	if err := q.search(criterion.Query); err != nil || q.tooLong() {
		return nil, eas.FindInvalid, nil
	}
	r.last = min(r.last, r.first+MaxFoundMail-1)
	found, err := s.findMail(ctx, c, q, r.last+1)
	switch {
	case errors.Is(err, errFoldersGone):
		return nil, eas.FindFolderSync, nil
	case errors.Is(err, errLate):
		return nil, 0, &inBand{status: eas.ServerErrorRetryLater, http: 503, err: err}
	case err != nil:
		return nil, 0, err
	}
	total := len(found)
	found = found[min(r.first, total):min(r.last+1, total)]
	size, preview := 1, findPreview
	wish := mailForm{Bodies: []eas.BodyPreference{{Type: int(translate.HTML), TruncationSize: &size, Preview: &preview}}}.wish(c.version)
	shown, err := s.showFound(ctx, c, found, wish)
	if err != nil {
		return nil, 0, err
	}
	results := &eas.FindResults{Store: eas.StoreMailbox, Status: eas.FindOK, Range: r.of(len(found)), Total: &total}
	for i := range found {
		m := &found[i]
		if p, ok := shown[m.id()]; ok {
			results.Results = append(results.Results, eas.FindResult{Class: eas.ClassEmail, ServerID: m.id(), CollectionID: m.folder.ID.String(), Properties: findProperties(p)})
		}
	}
	c.found(total)
	return results, eas.FindOK, nil
}

// findTags are the properties of a message that Find tells as they are. See
// [MS-ASCMD] "Properties (Find)".
var findTags = []wbxml.Tag{tag.EmailSubject, tag.EmailDateReceived, tag.EmailDisplayTo, tag.EmailImportance, tag.EmailRead, tag.Email2IsDraft, tag.EmailFrom}

// findProperties are those that Find tells of a message.
func findProperties(p eas.Properties) eas.Properties {
	var out eas.Properties
	files := "0"
	for _, e := range p {
		switch {
		case slices.Contains(findTags, e.Tag):
			out = append(out, e)
		case e.Tag == tag.EmailCc:
			out = append(out, eas.T(tag.FindDisplayCc, e.Content()))
		case e.Tag == tag.AirSyncBaseAttachments:
			files = "1"
		case e.Tag == tag.AirSyncBaseBody:
			if preview, ok := eas.Properties(e.Children).Text(tag.AirSyncBasePreview); ok {
				out = append(out, eas.T(tag.FindPreview, preview))
			}
		}
	}
	return append(out, eas.T(tag.FindHasAttachments, files))
}
