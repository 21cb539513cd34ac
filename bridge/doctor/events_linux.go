package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strings"
)

// notifySocket looks at the socket for notices: is it there, and may those write
// to it who run storage hooks? Only where a server has to be asked else, is it
// worth a word that they may not.
func (n *notes) notifySocket(e Events, asked bool) {
	const step = "events"
	if e.StorageUsers == nil {
		e.StorageUsers = []string{"radicale"}
	}
	if _, err := os.Stat(e.Notify); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			n.advise(step, "notify-missing", e.Notify+" is not there: \"pushbridge notify\" reaches nobody", "is the worker running? Its log says why it could not open the socket")
		} else {
			n.advise(step, "notify-hidden", err.Error(), "ask again as root")
		}
		return
	}
	known, may := []string{}, []string{}
	for _, name := range e.StorageUsers {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		known = append(known, name)
		if in, err := reaches(u, e.Notify); err == nil && in == "" {
			may = append(may, name)
		}
	}
	switch {
	case len(may) > 0:
		n.ok(step, "\"pushbridge notify\" may be called by %s, through %s", strings.Join(may, ", "), e.Notify)
	case len(known) > 0 && asked:
		n.advise(step, "notify-permission", fmt.Sprintf("%s may not write to %s, so that a storage hook of its server would tell nobody", strings.Join(known, ", "), e.Notify),
			fmt.Sprintf("notify = \"unixgram:/run/pushbridge/notify.sock?group=%s\", with pushbridge's user in that group", known[0]))
	default:
		n.ok(step, "\"pushbridge notify\" reaches the worker through %s", e.Notify)
	}
}
