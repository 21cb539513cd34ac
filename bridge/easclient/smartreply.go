package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// SmartReply answers a mail that the server has; see SendMail for errors. Up to
// 12.1 there is no ReplaceMime. See [MS-ASCMD] "SmartReply".
func (c *Client) SmartReply(ctx context.Context, m eas.SmartReplyRequest) error {
	var answer eas.SmartReplyResponse
	return c.compose(ctx, sourced(eas.CmdSmartReply, m.Source, m.SaveInSentItems), m.Mime, m, &answer, &answer.Status)
}
