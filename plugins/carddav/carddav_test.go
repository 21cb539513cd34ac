package carddav_test

import (
	"net/url"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/backendtest"
	"github.com/pushbridge/pushbridge/plugins/carddav"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

// open is the backend for a server that a test started.
func open(t *testing.T, s *davtest.Server) backend.Backend {
	t.Helper()
	b, err := carddav.Open(t.Context(), backend.Settings{"url": s.URL})
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
		Kinds:       []backend.CollectionKind{backend.Contacts},
		Outside: func(t *testing.T, c backend.CollectionID, name string, body []byte) {
			s.Put(string(c)+url.PathEscape(name), string(body))
		},
		Excuses: []backendtest.Excuse{
			{Promise: "Probe/the tag changes with every change", Reason: "the ctag is a hash of the content: the same tag, the same content"},
		},
	}
}

func TestConformanceRadicale(t *testing.T) {
	s := davtest.Radicale(t)
	s.MakeAddressBook("/ann/second/", "Second")
	conformance := suite(t, s)
	conformance.Excuses = append(conformance.Excuses,
		backendtest.Excuse{Promise: "Body/a plain body comes back byte for byte", Reason: "Radicale writes cards anew, in an order of its own"},
		backendtest.Excuse{Promise: "Body/an odd body comes back byte for byte", Reason: "Radicale writes cards anew, in an order of its own"})
	backendtest.Run(t, conformance)
}

func TestConformanceXandikos(t *testing.T) {
	backendtest.Run(t, suite(t, davtest.Xandikos(t)))
}
