package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// Settings sends a Settings as it is. See [MS-ASCMD] "Settings".
func (c *Client) Settings(ctx context.Context, m eas.SettingsRequest) (eas.SettingsResponse, error) {
	var answer eas.SettingsResponse
	_, err := c.exchange(ctx, eas.CmdSettings, m, &answer)
	return answer, err
}
