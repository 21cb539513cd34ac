package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// FolderSync sends a FolderSync as it is. See [MS-ASCMD] "FolderSync".
func (c *Client) FolderSync(ctx context.Context, m eas.FolderSyncRequest) (eas.FolderSyncResponse, error) {
	var answer eas.FolderSyncResponse
	_, err := c.exchange(ctx, eas.CmdFolderSync, m, &answer)
	return answer, err
}
