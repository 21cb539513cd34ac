package phone

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/pushbridge/pushbridge/bridge/eas"
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

// refusals say what statuses of folder commands mean. See [MS-ASCMD] "Status
// (FolderCreate)" and those that follow it, and "Status (MoveItems)".
var refusals = map[eas.Command]map[int]string{
	eas.CmdFolderCreate: {
		int(eas.FolderExists): "there is a folder of that name", int(eas.FolderCodeUnknown): "no store behind the server makes such folders",
		int(eas.FolderNoParent): "there is no such folder to put it into",
	},
	eas.CmdFolderUpdate: {
		int(eas.FolderExists): "there is a folder of that name, or it is one of the main folders, which keep theirs",
		int(eas.FolderSystem): "the folder is not the person's own, or its store renames none",
	},
	eas.CmdFolderDelete: {
		int(eas.FolderSystem): "main folders stay, and so do those that are not the person's own or whose store deletes none",
	},
	eas.CmdMoveItems: {
		int(eas.MoveBadSource): "the item is gone", int(eas.MoveBadDestination): "there is no such folder to move it to",
		int(eas.MoveSameFolder): "it is in that folder already",
		int(eas.MoveFailed):     "the folder is for other things, or one of both is read-only",
	},
}

// Explain adds to an error what can be done about it.
func Explain(err error) error {
	if hint := hint(err); hint != "" {
		return fmt.Errorf("%w: %s", err, hint)
	}
	return err
}

func hint(err error) string {
	var (
		he          *easclient.HTTPError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		name        *net.DNSError
		refused     *StatusError
	)
	switch {
	case errors.As(err, &refused):
		return refusals[refused.Command][refused.Status]
	case errors.As(err, &he):
		// Web servers answer so to plain HTTP where they expect TLS.
		if he.Status == http.StatusBadRequest && strings.Contains(he.Excerpt, "HTTPS") {
			return "the server wants TLS there; write https://"
		}
		return hints[he.Status]
	case errors.As(err, &certificate):
		return "this computer does not trust the server's certificate, and phones refuse it, too; --insecure accepts it for a trial"
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return "the server does not speak TLS there; write http://, or the port where it does"
	case errors.As(err, &name):
		return "is the server's name right?"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there; is the port right, and does the web server run?"
	}
	return ""
}
