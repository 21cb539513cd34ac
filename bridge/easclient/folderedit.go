package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// FolderCreate makes a folder. See [MS-ASCMD] "FolderCreate".
func (c *Client) FolderCreate(ctx context.Context, m eas.FolderCreateRequest) (eas.FolderCreateResponse, error) {
	var answer eas.FolderCreateResponse
	_, err := c.exchange(ctx, eas.CmdFolderCreate, m, &answer)
	return answer, err
}

// FolderUpdate renames or moves a folder. See [MS-ASCMD] "FolderUpdate".
func (c *Client) FolderUpdate(ctx context.Context, m eas.FolderUpdateRequest) (eas.FolderUpdateResponse, error) {
	var answer eas.FolderUpdateResponse
	_, err := c.exchange(ctx, eas.CmdFolderUpdate, m, &answer)
	return answer, err
}

// FolderDelete removes a folder. See [MS-ASCMD] "FolderDelete".
func (c *Client) FolderDelete(ctx context.Context, m eas.FolderDeleteRequest) (eas.FolderDeleteResponse, error) {
	var answer eas.FolderDeleteResponse
	_, err := c.exchange(ctx, eas.CmdFolderDelete, m, &answer)
	return answer, err
}
