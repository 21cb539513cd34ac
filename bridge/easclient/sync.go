package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// Sync sends a Sync as it is; nil sends none, which repeats the Sync before it.
// The answer is nil where the server sent an empty one: nothing has changed.
// See [MS-ASCMD] "Sync".
func (c *Client) Sync(ctx context.Context, m *eas.SyncRequest) (*eas.SyncResponse, error) {
	var message any
	if m != nil {
		message = m
	}
	var answer eas.SyncResponse
	empty, err := c.exchange(ctx, eas.CmdSync, message, &answer)
	if empty || err != nil {
		return nil, err
	}
	return &answer, nil
}
