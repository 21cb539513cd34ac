package easserver

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// smartForward passes a mail on: it comes behind what the phone wrote, with its
// files, unless that has it all. See [MS-ASCMD] "SmartForward".
func (s *Server) smartForward(ctx context.Context, c *call) (answer, error) {
	if c.version < eas.V140 {
		return s.compose(ctx, c, composition{save: c.query.SaveInSent, mime: c.body, source: sourceOf(c.query)})
	}
	var req eas.SmartForwardRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	return s.compose(ctx, c, composition{clientID: req.ClientID, account: req.AccountID, save: req.SaveInSentItems,
		replace: req.ReplaceMime, mime: req.Mime, source: named(req.Source), forwardees: req.Forwardees, body: req.Body})
}
