package carddav_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-vcard"
	gowebdav "github.com/emersion/go-webdav"
	gocarddav "github.com/emersion/go-webdav/carddav"

	"github.com/pushbridge/pushbridge/carddav"
	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav"
)

const book = "/ann/contacts/people/"

// shelf is the storage of a server by go-webdav's hand: one that has neither
// sync-collection nor ctags.
type shelf struct {
	mu    sync.Mutex
	cards map[string]vcard.Card
}

func (s *shelf) CurrentUserPrincipal(context.Context) (string, error)   { return "/ann/", nil }
func (s *shelf) AddressBookHomeSetPath(context.Context) (string, error) { return "/ann/contacts/", nil }

func (s *shelf) ListAddressBooks(context.Context) ([]gocarddav.AddressBook, error) {
	return []gocarddav.AddressBook{{Path: book, Name: "People"}, {Path: "/ann/contacts/personal/", Name: "Mine"}}, nil
}

func (s *shelf) GetAddressBook(ctx context.Context, path string) (*gocarddav.AddressBook, error) {
	list, _ := s.ListAddressBooks(ctx)
	for _, b := range list {
		if b.Path == dav.Directory(path) {
			return &b, nil
		}
	}
	return nil, gowebdav.NewHTTPError(http.StatusNotFound, fmt.Errorf("no book %s", path))
}

func (s *shelf) CreateAddressBook(context.Context, *gocarddav.AddressBook) error { return nil }
func (s *shelf) DeleteAddressBook(context.Context, string) error                 { return nil }

func (s *shelf) object(path string) (*gocarddav.AddressObject, bool) {
	card, ok := s.cards[path]
	var text strings.Builder
	vcard.NewEncoder(&text).Encode(card)
	sum := sha256.Sum256([]byte(text.String()))
	return &gocarddav.AddressObject{Path: path, ETag: hex.EncodeToString(sum[:8]), Card: card}, ok
}

func (s *shelf) GetAddressObject(_ context.Context, path string, _ *gocarddav.AddressDataRequest) (*gocarddav.AddressObject, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.object(path); ok {
		return o, nil
	}
	return nil, gowebdav.NewHTTPError(http.StatusNotFound, fmt.Errorf("no card %s", path))
}

func (s *shelf) ListAddressObjects(_ context.Context, path string, _ *gocarddav.AddressDataRequest) ([]gocarddav.AddressObject, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []gocarddav.AddressObject
	for _, p := range slices.Sorted(maps.Keys(s.cards)) {
		if o, ok := s.object(p); ok && strings.HasPrefix(p, path) {
			list = append(list, *o)
		}
	}
	return list, nil
}

func (s *shelf) QueryAddressObjects(ctx context.Context, path string, q *gocarddav.AddressBookQuery) ([]gocarddav.AddressObject, error) {
	list, err := s.ListAddressObjects(ctx, path, nil)
	if err != nil {
		return nil, err
	}
	return gocarddav.Filter(q, list)
}

func (s *shelf) PutAddressObject(_ context.Context, path string, card vcard.Card, o *gocarddav.PutAddressObjectOptions) (*gocarddav.AddressObject, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.object(path); ok && o.IfNoneMatch.IsSet() || o.IfMatch.IsSet() && string(o.IfMatch) != `"`+old.ETag+`"` {
		return nil, gowebdav.NewHTTPError(http.StatusPreconditionFailed, fmt.Errorf("another card is there"))
	}
	s.cards[path] = card
	return &gocarddav.AddressObject{Path: path}, nil // without an ETag
}

func (s *shelf) DeleteAddressObject(_ context.Context, path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.cards, path)
	return nil
}

func card(uid string) []byte {
	return []byte("BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ann\r\nUID:" + uid + "\r\nEND:VCARD\r\n")
}

// TestPlainServer walks through everything against a server that can little.
func TestPlainServer(t *testing.T) {
	ts := httptest.NewServer(&gocarddav.Handler{Backend: &shelf{cards: make(map[string]vcard.Card)}})
	defer ts.Close()
	server, err := webdav.NewServer(carddav.Dialect, backend.Settings{"url": ts.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client := server.Client(backend.Credentials{User: "ann"})
	c := carddav.Client{Client: client.Client}
	ctx := t.Context()

	home, err := client.Login(ctx)
	if err != nil || home.Principal != "/ann/" || !slices.Equal(home.Sets, []string{"/ann/contacts/"}) {
		t.Fatalf("Login = %+v, %v", home, err)
	}
	books, err := c.AddressBooks(ctx, home)
	if err != nil || len(books) != 2 || books[0].Name != "Mine" || !books[0].Default || books[1].Path != book || books[1].Default {
		t.Fatalf("AddressBooks = %+v, %v", books, err)
	}
	one, err := c.Create(ctx, book, "one", card("uid-1"))
	if err != nil || one.ID != "one.vcf" || one.Revision == "" {
		t.Fatalf("Create = %+v, %v", one, err)
	}
	if again, err := c.Create(ctx, book, "one", card("uid-1")); !errors.Is(err, dav.ErrTaken) || again != one {
		t.Errorf("Create again = %+v, %v; want ErrTaken and %+v", again, err, one)
	}
	if _, err := c.Create(ctx, book, "two", card("uid-1-and-more")); err != nil {
		t.Fatal(err)
	}
	for uid, want := range map[string]string{"uid-1": "one.vcf", "uid": "", "uid<&>": ""} {
		if got, err := c.FindUID(ctx, book, uid); err != nil || got.ID != want || got.Removed != (want == "") {
			t.Errorf("FindUID(%q) = %+v, %v; want %q", uid, got, err, want)
		}
	}
	list := func(since backend.Cursor) (n int, next backend.Cursor, err error) {
		next, err = client.Changes(ctx, book, since, nil, func(b []backend.Change) error { n += len(b); return nil })
		return n, next, err
	}
	n, cursor, err := list("")
	if err != nil || n != 2 {
		t.Fatalf("a listing of two cards tells %d, %v", n, err)
	}
	if n, same, err := list(cursor); err != nil || n != 0 || same != cursor {
		t.Errorf("nothing new: %d changes, cursor %q, %v; want the cursor %q", n, same, err, cursor)
	}
	if err := c.Delete(ctx, book, "two.vcf", ""); err != nil {
		t.Error(err)
	}
	if _, _, err := list(cursor); backend.KindOf(err) != backend.Expired {
		t.Errorf("something new: %v, want kind Expired", err)
	}
	got := make(map[string]string)
	err = c.MultiGet(ctx, book, []string{"one.vcf", "two.vcf"}, func(r dav.Raw) error {
		got[r.ID] = fmt.Sprintln(dav.UID(r.Body), r.Removed, r.Err)
		return nil
	})
	want := map[string]string{"one.vcf": "uid-1 false <nil>\n", "two.vcf": " true <nil>\n"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("MultiGet = %v, %v; want %v", got, err, want)
	}
}
