package admin

import "context"

type peerKey struct{}

// peer names who calls, for the log.
func peer(ctx context.Context) string {
	if name, ok := ctx.Value(peerKey{}).(string); ok {
		return name
	}
	return "unknown"
}
