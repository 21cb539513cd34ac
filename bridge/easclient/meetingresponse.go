package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// MeetingResponse sends a MeetingResponse as it is. See [MS-ASCMD] "MeetingResponse".
func (c *Client) MeetingResponse(ctx context.Context, m eas.MeetingResponseRequest) (eas.MeetingResponseResponse, error) {
	var answer eas.MeetingResponseResponse
	_, err := c.exchange(ctx, eas.CmdMeetingResponse, m, &answer)
	return answer, err
}
