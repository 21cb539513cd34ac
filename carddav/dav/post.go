package dav

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// Post asks a resource that answers questions, such as a scheduling outbox, and
// reads an answer of at most limit bytes.
func (c *Client) Post(ctx context.Context, path, contentType string, body []byte, limit int64) ([]byte, error) {
	resp, err := c.request(ctx, http.MethodPost, path, body, "Content-Type", contentType)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("POST %s: %w", path, Ended(ctx, err))
	}
	if int64(len(answer)) > limit {
		return nil, &SyntaxError{Err: fmt.Errorf("POST %s: an answer of more than %d bytes", path, limit)}
	}
	return answer, nil
}

// HrefPath is the clean path of an href in an answer, which must be on the
// server that was asked.
func (c *Client) HrefPath(href string) (string, error) { return c.resolve(href) }
