package caldav_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/backendtest"
	"github.com/pushbridge/pushbridge/plugins/caldav"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

// open is the backend for a server that a test started.
func open(t *testing.T, s *davtest.Server) backend.Backend {
	t.Helper()
	b, err := caldav.Open(t.Context(), backend.Settings{"url": s.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func suite(t *testing.T, s *davtest.Server) backendtest.Suite {
	return backendtest.Suite{
		Backend:     open(t, s),
		Credentials: backend.Credentials{User: s.User, Password: s.Password},
		Kinds:       []backend.CollectionKind{backend.Events, backend.Tasks, backend.Notes},
		Items:       130,
		Outside: func(t *testing.T, c backend.CollectionID, name string, body []byte) {
			path, _, _ := strings.Cut(string(c), "#")
			s.Put(path+url.PathEscape(name), string(body))
		},
		Excuses: []backendtest.Excuse{
			{Promise: "Probe/the tag changes with every change", Reason: "the ctag is a hash of the content: the same tag, the same content"},
			{Promise: "Body/a plain body comes back byte for byte", Reason: "both servers write objects anew, in an order of their own"},
			{Promise: "Body/an odd body comes back byte for byte", Reason: "both servers write objects anew, in an order of their own"},
		},
	}
}

func TestConformanceRadicale(t *testing.T) {
	backendtest.Run(t, suite(t, davtest.Radicale(t)))
}

func TestConformanceXandikos(t *testing.T) {
	backendtest.Run(t, suite(t, davtest.Xandikos(t)))
}
