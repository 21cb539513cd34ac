package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// ValidateCert sends a ValidateCert as it is. See [MS-ASCMD] "ValidateCert".
func (c *Client) ValidateCert(ctx context.Context, m eas.ValidateCertRequest) (eas.ValidateCertResponse, error) {
	var answer eas.ValidateCertResponse
	_, err := c.exchange(ctx, eas.CmdValidateCert, m, &answer)
	return answer, err
}
