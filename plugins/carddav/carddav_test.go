package carddav_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/backendtest"
	"github.com/pushbridge/pushbridge/plugins/carddav"
	"github.com/pushbridge/pushbridge/plugins/internal/wire/wiretest"
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

// login is a session of somebody's.
func login(t *testing.T, b backend.Backend, u davtest.User) backend.Session {
	t.Helper()
	s, err := b.Open(t.Context(), backend.Credentials{User: u.Name, Password: u.Password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

var contentHash = backendtest.Excuse{
	Promise: "Probe/the tag changes with every change",
	Reason:  "the ctag is a hash of the content: the same tag, the same content",
}

var rewrites = []backendtest.Excuse{
	{Promise: "Body/a plain body comes back byte for byte", Reason: "Radicale writes cards anew, in an order of its own"},
	{Promise: "Body/an odd body comes back byte for byte", Reason: "Radicale writes cards anew, in an order of its own"},
}

func suite(b backend.Backend, s *davtest.Server, items int, excuses ...backendtest.Excuse) backendtest.Suite {
	return backendtest.Suite{
		Backend:     b,
		Credentials: backend.Credentials{User: s.User, Password: s.Password},
		Kinds:       []backend.CollectionKind{backend.Contacts},
		Items:       items,
		Outside: func(t *testing.T, c backend.CollectionID, name string, body []byte) {
			s.Put(string(c)+url.PathEscape(name), string(body))
		},
		Excuses: append(excuses, contentHash),
	}
}

func TestConformanceRadicale(t *testing.T) {
	t.Parallel()
	s := davtest.Radicale(t)
	s.MakeAddressBook("/ann/second/", "Second")
	conformance := suite(open(t, s), s, 60, rewrites...)
	conformance.Expire = func(_ *testing.T, c backend.CollectionID) {
		s.Put(string(c)+"forgotten.vcf", strings.Replace(ann, "UID:one", "UID:forgotten", 1))
		s.Forget(string(c))
	}
	backendtest.Run(t, conformance)
}

func TestConformanceXandikos(t *testing.T) {
	t.Parallel()
	s := davtest.Xandikos(t)
	backendtest.Run(t, suite(open(t, s), s, 20, davtest.PercentInNames))
}

func TestConformanceOverTheWire(t *testing.T) {
	t.Parallel()
	s := davtest.Radicale(t)
	b, err := carddav.Open(t.Context(), backend.Settings{"url": s.URL, "radicale_root": s.Folder})
	if err != nil {
		t.Fatal(err)
	}
	backendtest.Run(t, suite(wiretest.OverWire(t, b), s, 20, rewrites...))
}

const ann = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:one\r\nFN:Ann One\r\nN:One;Ann;;;\r\nEND:VCARD\r\n"

// TestRadicale is about what only a real server shows.
func TestRadicale(t *testing.T) {
	t.Parallel()
	server := davtest.Radicale(t)
	b := open(t, server)
	s := login(t, b, davtest.Ann)
	book := backend.CollectionID(server.AddressBook)

	list, err := s.Collections(t.Context())
	if err != nil || len(list) != 1 || list[0] != (backend.Collection{ID: book, Kind: backend.Contacts, Name: "People", Default: true}) {
		t.Errorf("Collections = %+v, %v", list, err)
	}

	etag := server.Put(server.AddressBook+"first.vcf", ann)
	t.Run("a UID under another name", func(t *testing.T) {
		it, err := s.Put(t.Context(), book, backend.Item{ID: "second", Body: []byte(ann)})
		if backend.KindOf(err) != backend.Conflict || it.ID != "first.vcf" || string(it.Revision) != etag {
			t.Errorf("Put = %q %q, %v; want kind Conflict and the card that has the UID", it.ID, it.Revision, err)
		}
	})
	t.Run("another UID under its name", func(t *testing.T) {
		_, err := s.Put(t.Context(), book, backend.Item{ID: "first.vcf", Revision: backend.Revision(etag), Body: []byte(strings.Replace(ann, "UID:one", "UID:two", 1))})
		if backend.KindOf(err) != backend.Invalid {
			t.Errorf("Put = %v, want kind Invalid", err)
		}
	})
	t.Run("garbage", func(t *testing.T) {
		_, err := s.Put(t.Context(), book, backend.Item{ID: "garbage", Body: []byte("BEGIN:VCARD\r\nhello")})
		if backend.KindOf(err) != backend.Invalid {
			t.Errorf("Put = %v, want kind Invalid", err)
		}
	})
	t.Run("somebody else's", func(t *testing.T) {
		bob := login(t, b, davtest.Bob)
		_, err := bob.Put(t.Context(), book, backend.Item{ID: "bobs", Body: []byte(ann)})
		if backend.KindOf(err) != backend.ReadOnly {
			t.Errorf("Put = %v, want kind ReadOnly", err)
		}
		_, err = bob.Changes(t.Context(), book, "", func([]backend.Change) error { return nil })
		if backend.KindOf(err) != backend.NotFound {
			t.Errorf("Changes = %v, want kind NotFound: asking Bob for another password helps nobody", err)
		}
		if list, err := bob.Collections(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("Collections = %v, %v; want none", list, err)
		}
	})
	t.Run("down and up again", func(t *testing.T) {
		server.Stop()
		if _, err := s.Collections(t.Context()); backend.KindOf(err) != backend.Transient {
			t.Errorf("Collections = %v, want kind Transient", err)
		}
		if _, err := b.Open(t.Context(), backend.Credentials{User: "ann", Password: "wrong"}); backend.KindOf(err) != backend.Transient {
			t.Errorf("Open = %v, want kind Transient: a store that cannot be asked did not say no", err)
		}
		server.Restart()
		if list, err := s.Collections(t.Context()); err != nil || len(list) != 1 {
			t.Errorf("Collections = %v, %v", list, err)
		}
	})
}

// TestXandikosStumbles has a token of nobody's, over which Xandikos stumbles.
func TestXandikosStumbles(t *testing.T) {
	t.Parallel()
	server := davtest.Xandikos(t)
	book := backend.CollectionID(server.AddressBook)
	_, err := login(t, open(t, server), davtest.Ann).Changes(t.Context(), book,
		"s:0123456789abcdef0123456789abcdef01234567", func([]backend.Change) error { return nil })
	if backend.KindOf(err) != backend.Expired {
		t.Errorf("Changes = %v, want kind Expired", err)
	}
}

// TestDoors opens one server by every address that an administrator may know.
func TestDoors(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB, ...davtest.Option) *davtest.Server{
		"radicale": davtest.Radicale, "xandikos": davtest.Xandikos,
	} {
		server := start(t)
		for _, path := range []string{"", "ann/", "ann", ".well-known/carddav", strings.TrimPrefix(server.AddressBook, "/")} {
			b, err := carddav.Open(t.Context(), backend.Settings{"url": server.URL + path})
			if err != nil {
				t.Fatal(err)
			}
			list, err := login(t, b, davtest.Ann).Collections(t.Context())
			if err != nil || len(list) != 1 || string(list[0].ID) != server.AddressBook {
				t.Errorf("%s, url with %q: %v, %v", name, path, list, err)
			}
			b.Close()
		}
	}
}

func TestSettings(t *testing.T) {
	if _, err := carddav.Open(t.Context(), backend.Settings{"ulr": "https://x/"}); err == nil || !strings.Contains(err.Error(), `"url"`) {
		t.Errorf("a mistyped key: %v", err)
	}
}
