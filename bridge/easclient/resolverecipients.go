package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// ResolveRecipients sends a ResolveRecipients as it is. See [MS-ASCMD] "ResolveRecipients".
func (c *Client) ResolveRecipients(ctx context.Context, m eas.ResolveRecipientsRequest) (eas.ResolveRecipientsResponse, error) {
	var answer eas.ResolveRecipientsResponse
	_, err := c.exchange(ctx, eas.CmdResolveRecipients, m, &answer)
	return answer, err
}
