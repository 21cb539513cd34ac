package imap

import (
	"context"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imapconn"
)

// Search asks the server, folder by folder.
func (s *session) Search(ctx context.Context, q backend.Query) ([]backend.Found, error) {
	limit := q.Limit
	if limit <= 0 || limit > backend.MaxSearchResults {
		limit = backend.MaxSearchResults
	}
	var found []backend.Found
	how := anew
	for _, id := range q.Collections {
		err := s.inFolder(ctx, "Search", id, how, func(c *conn) error {
			some, err := c.search(ctx, id, q, limit)
			found = append(found, some...)
			return err
		})
		if err != nil && backend.KindOf(err) != backend.NotFound {
			return nil, err
		}
		how = reading // the folders were listed just now
	}
	return backend.SortFound(found, q.Limit), nil
}

// search finds messages in the folder that is selected: of those that came last
// as many as are wanted.
func (c *conn) search(ctx context.Context, id backend.CollectionID, q backend.Query, limit int) ([]backend.Found, error) {
	uids, err := c.Search(ctx, searchCommand(q))
	if err != nil || len(uids) == 0 {
		return nil, err
	}
	slices.Sort(uids)
	uids = slices.Compact(uids)
	uids = uids[max(0, len(uids)-limit-searchSlack):]
	var found []backend.Found
	err = c.Fetch(ctx, imapconn.UIDSet(uids), "INTERNALDATE", 0, func(m *imapconn.Message) error {
		when := received(m.Date)
		if _, asked := slices.BinarySearch(uids, m.UID); !asked || m.Date.IsZero() ||
			!q.Since.IsZero() && when.Before(q.Since) || !q.Before.IsZero() && !when.Before(q.Before) {
			return nil
		}
		found = append(found, backend.Found{Collection: id, ID: itemID(c.Selected.Validity, m.UID), Received: when})
		return nil
	})
	return found, err
}

// searchSlack is how many more are looked at than are wanted: those of the days
// at the ends may be too early or too late, and UIDs are not quite in the order
// of days.
const searchSlack = 200

// searchCommand writes a query. See RFC 9051, section 6.4.4.
func searchCommand(q backend.Query) *imapconn.Command {
	cmd := imapconn.NewCommand("UID SEARCH")
	clean := func(text string) string { return strings.ReplaceAll(text, "\x00", "") }
	all := q.Text + q.From + q.To + q.Subject
	if strings.ContainsFunc(all, func(r rune) bool { return r > '~' }) {
		cmd.Raw(" CHARSET UTF-8")
	}
	cmd.Raw(" UNDELETED")
	if !q.Since.IsZero() {
		cmd.Raw(" SINCE " + imapconn.Date(q.Since.UTC().AddDate(0, 0, -1))) // days are the server's, wherever it is
	}
	if !q.Before.IsZero() {
		cmd.Raw(" BEFORE " + imapconn.Date(q.Before.UTC().AddDate(0, 0, 2)))
	}
	if q.From != "" {
		cmd.Raw(" FROM").String(clean(q.From))
	}
	if q.To != "" {
		cmd.Raw(" OR TO").String(clean(q.To)).Raw(" CC").String(clean(q.To))
	}
	if q.Subject != "" {
		cmd.Raw(" SUBJECT").String(clean(q.Subject))
	}
	if q.Text != "" {
		cmd.Raw(" TEXT").String(clean(q.Text))
	}
	return cmd
}
