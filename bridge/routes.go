package bridge

import (
	"io"
	"net/http"
	"strings"
)

// ActiveSyncPath is where phones look for an Exchange account. See [MS-ASHTTP]
// "Request-URI".
const ActiveSyncPath = "/Microsoft-Server-ActiveSync"

// routes tells the doors of the house apart. Phones write the paths with
// capital letters or without.
func (b *Bridge) routes(activeSync, autodiscover http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.ToLower(r.URL.Path)
		switch {
		case path == strings.ToLower(ActiveSyncPath), path == strings.ToLower(ActiveSyncPath)+"/":
			activeSync.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/autodiscover/"):
			autodiscover.ServeHTTP(w, r)
		default:
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, "pushbridge serves phones at "+ActiveSyncPath+" and below /autodiscover/.\n")
		}
	})
}
