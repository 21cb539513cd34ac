package easclient

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// ServerOptions are what a server announces. See [MS-ASHTTP] "HTTP OPTIONS
// Command".
type ServerOptions struct {
	Versions []eas.Version // those that we know as well, in the server's order
	Commands []string
	Server   string // MS-Server-ActiveSync, a version of Exchange's
}

// Best is the highest version that server and client know, 0 for none.
func (o ServerOptions) Best() eas.Version {
	var best eas.Version
	for _, v := range o.Versions {
		best = max(best, v)
	}
	return best
}

// Options asks what the server speaks. The error is an *HTTPError where the
// server answered with something else than 200, and 401 says that the password is
// wrong.
func (c *Client) Options(ctx context.Context) (ServerOptions, error) {
	u, err := c.url(Path)
	if err != nil {
		return ServerOptions{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodOptions, u.String(), nil)
	if err != nil {
		return ServerOptions{}, fmt.Errorf("easclient: %w", err)
	}
	c.identify(req)
	_, header, err := c.roundTrip(req)
	if err != nil {
		return ServerOptions{}, err
	}
	o := ServerOptions{Server: header.Get("MS-Server-ActiveSync")}
	for _, s := range list(header.Get("MS-ASProtocolVersions")) {
		if v, err := eas.ParseVersion(s); err == nil {
			o.Versions = append(o.Versions, v)
		}
	}
	o.Commands = list(header.Get("MS-ASProtocolCommands"))
	return o, nil
}

func list(s string) []string {
	var l []string
	for one := range strings.SplitSeq(s, ",") {
		if one = strings.TrimSpace(one); one != "" {
			l = append(l, one)
		}
	}
	return l
}
