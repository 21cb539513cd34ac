package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// MoveItems sends a MoveItems as it is. See [MS-ASCMD] "MoveItems".
func (c *Client) MoveItems(ctx context.Context, m eas.MoveItemsRequest) (eas.MoveItemsResponse, error) {
	var answer eas.MoveItemsResponse
	_, err := c.exchange(ctx, eas.CmdMoveItems, m, &answer)
	return answer, err
}
