package easclient

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// Search sends a Search as it is. See [MS-ASCMD] "Search".
func (c *Client) Search(ctx context.Context, m eas.SearchRequest) (eas.SearchResponse, error) {
	var answer eas.SearchResponse
	_, err := c.exchange(ctx, eas.CmdSearch, m, &answer)
	return answer, err
}
