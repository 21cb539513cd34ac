package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// ItemOperations sends a ItemOperations as it is. See [MS-ASCMD] "ItemOperations".
func (c *Client) ItemOperations(ctx context.Context, m eas.ItemOperationsRequest) (eas.ItemOperationsResponse, error) {
	var answer eas.ItemOperationsResponse
	_, err := c.exchange(ctx, eas.CmdItemOperations, m, &answer)
	return answer, err
}
