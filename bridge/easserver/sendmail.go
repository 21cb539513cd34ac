package easserver

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// sendMail sends a mail. Up to 12.1 it is the body of the request, as it is. See
// [MS-ASCMD] "SendMail".
func (s *Server) sendMail(ctx context.Context, c *call) (answer, error) {
	if c.version < eas.V140 {
		return s.compose(ctx, c, composition{save: c.query.SaveInSent, mime: c.body})
	}
	var req eas.SendMailRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	return s.compose(ctx, c, composition{clientID: req.ClientID, account: req.AccountID, save: req.SaveInSentItems, mime: req.Mime})
}
