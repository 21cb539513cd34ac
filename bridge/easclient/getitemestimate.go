package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// GetItemEstimate sends a GetItemEstimate as it is. See [MS-ASCMD] "GetItemEstimate".
func (c *Client) GetItemEstimate(ctx context.Context, m eas.GetItemEstimateRequest) (eas.GetItemEstimateResponse, error) {
	var answer eas.GetItemEstimateResponse
	_, err := c.exchange(ctx, eas.CmdGetItemEstimate, m, &answer)
	return answer, err
}
