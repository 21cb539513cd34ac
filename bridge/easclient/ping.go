package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// Ping waits for a change; nil sends no body, which repeats the Ping before it.
// It returns after the heartbeat at the latest, if the server does.
// See [MS-ASCMD] "Ping".
func (c *Client) Ping(ctx context.Context, m *eas.PingRequest) (eas.PingResponse, error) {
	var message any
	if m != nil {
		message = m
	}
	var answer eas.PingResponse
	_, err := c.exchange(ctx, eas.CmdPing, message, &answer)
	return answer, err
}
