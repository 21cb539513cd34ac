package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// SendMail sends a mail, in the form of the client's version. A refusal is a
// *StatusError, or an *HTTPError up to 12.1. See [MS-ASCMD] "SendMail".
func (c *Client) SendMail(ctx context.Context, m eas.SendMailRequest) error {
	var answer eas.SendMailResponse
	q := eas.Query{Command: eas.CmdSendMail, SaveInSent: m.SaveInSentItems}
	return c.compose(ctx, q, m.Mime, m, &answer, &answer.Status)
}
