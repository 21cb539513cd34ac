package phone

import (
	"errors"
	"fmt"

	"github.com/pushbridge/pushbridge/bridge/easclient"
)

// hints say what an administrator can do about an HTTP status.
var hints = map[int]string{
	400: "the server, or the web server in front of it, finds the request malformed",
	401: "the name or the password is wrong",
	403: "the account or this phone is not allowed in",
	404: "there is no ActiveSync server at this address; the web server in front may lack its location",
	405: "something answers, but not an ActiveSync server",
	413: "the web server in front limits the size of requests too much",
	449: "the server wants the phone provisioned first",
	451: "another server is in charge of this account",
	501: "the server does not know the command",
	502: "the web server in front cannot reach the ActiveSync server behind it",
	503: "the server, or the store behind it, is not there at the moment",
	504: "the web server in front gave up waiting; its read timeout has to be longer than the heartbeat",
}

// Explain adds to an error what can be done about it.
func Explain(err error) error {
	var he *easclient.HTTPError
	if errors.As(err, &he) {
		if hint, ok := hints[he.Status]; ok {
			return fmt.Errorf("%w: %s", err, hint)
		}
	}
	return err
}
