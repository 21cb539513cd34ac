package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// SmartForward passes on a mail that the server has; see SendMail for errors. Up
// to 12.1 there is no ReplaceMime. See [MS-ASCMD] "SmartForward".
func (c *Client) SmartForward(ctx context.Context, m eas.SmartForwardRequest) error {
	var answer eas.SmartForwardResponse
	return c.compose(ctx, sourced(eas.CmdSmartForward, m.Source, m.SaveInSentItems), m.Mime, m, &answer, &answer.Status)
}
