package dav

import (
	"context"
	"io"
	"net/http"
	"strings"
)

// maxOptionsBody bounds what is read of an answer to OPTIONS, in bytes, so that
// its connection can be used again. There should be nothing.
const maxOptionsBody = 4 << 10

// Complies tells whether the DAV header of a resource names a compliance class,
// such as calendar-auto-schedule. A server that does not answer OPTIONS there
// names none. See RFC 4918, section 10.1, and RFC 6638, section 2.
func (c *Client) Complies(ctx context.Context, path, class string) (bool, error) {
	resp, err := c.request(ctx, http.MethodOptions, path, nil)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if _, err := io.CopyN(io.Discard, resp.Body, maxOptionsBody); err != nil && err != io.EOF {
		return false, Ended(ctx, err)
	}
	for _, header := range resp.Header.Values("DAV") {
		for named := range strings.SplitSeq(header, ",") {
			if strings.EqualFold(strings.TrimSpace(named), class) {
				return true, nil
			}
		}
	}
	return false, nil
}
