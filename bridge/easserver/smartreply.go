package easserver

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// smartReply answers a mail: what it answers comes behind what the phone wrote,
// unless that has it all. See [MS-ASCMD] "SmartReply".
func (s *Server) smartReply(ctx context.Context, c *call) (answer, error) {
	if c.version < eas.V140 {
		return s.compose(ctx, c, composition{save: c.query.SaveInSent, mime: c.body, source: sourceOf(c.query)})
	}
	var req eas.SmartReplyRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	return s.compose(ctx, c, composition{clientID: req.ClientID, account: req.AccountID, save: req.SaveInSentItems,
		replace: req.ReplaceMime, mime: req.Mime, source: named(req.Source)})
}

// sourceOf is the mail that the query names, up to 12.1. See [MS-ASHTTP] "Command
// Parameters".
func sourceOf(q eas.Query) *eas.MailSource {
	return &eas.MailSource{FolderID: q.CollectionID, ItemID: q.ItemID, LongID: q.LongID, InstanceID: q.Occurrence}
}

// named is the source of a request, which has to be there.
func named(s *eas.MailSource) *eas.MailSource {
	if s == nil {
		return new(eas.MailSource) // which names nothing that there is
	}
	return s
}
