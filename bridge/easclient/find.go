package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// Find sends a Find as it is. See [MS-ASCMD] "Find".
func (c *Client) Find(ctx context.Context, m eas.FindRequest) (eas.FindResponse, error) {
	var answer eas.FindResponse
	_, err := c.exchange(ctx, eas.CmdFind, m, &answer)
	return answer, err
}
