package webdav_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav"
)

// dialect is CardDAV's, written down once more so that nobody else's change
// breaks these tests.
var dialect = dav.Dialect{
	Name: "carddav", Namespace: "urn:ietf:params:xml:ns:carddav", HomeSet: "addressbook-home-set",
	Resource: "addressbook", MultiGet: "addressbook-multiget", Data: "address-data",
	WellKnown: "/.well-known/carddav", Suffix: ".vcf", ContentType: "text/vcard; charset=utf-8", End: "END:VCARD",
}

const book = "/ann/people/"

// A fake is a server that answers from a script.
type fake struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string // "METHOD path", in order
	sent []string // the bodies of these
}

// serve starts a fake. The script's keys are "METHOD path"; what it lacks is
// 404. It gets the body beside the request.
func serve(t testing.TB, script map[string]func(w http.ResponseWriter, r *http.Request, body string)) *fake {
	t.Helper()
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		key := r.Method + " " + r.URL.EscapedPath()
		f.mu.Lock()
		f.seen, f.sent = append(f.seen, key), append(f.sent, string(body))
		answer, ok := script[key]
		f.mu.Unlock()
		if ok {
			answer(w, r, string(body))
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

// client is one of a person at the fake, at its root or at a path.
func (f *fake) client(t testing.TB, path string) *webdav.Client {
	t.Helper()
	s, err := webdav.NewServer(dialect, backend.Settings{"url": f.URL + path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.Client(backend.Credentials{User: "ann", Password: "secret"})
}

// requests are what was asked until now.
func (f *fake) requests() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.seen, ", ")
}

type answer = func(w http.ResponseWriter, r *http.Request, body string)

// status answers a status, with the name of a precondition if there is one.
func status(code int, precondition string) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(code)
		if precondition != "" {
			fmt.Fprintf(w, `<?xml version="1.0"?><d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>x</s:exception><%s/></d:error>`, precondition)
		}
	}
}

// multistatus answers responses, which are inside of the multistatus element.
func multistatus(inside string) answer {
	return raw(`<?xml version="1.0" encoding="utf-8"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav" xmlns:cs="http://calendarserver.org/ns/">` +
		inside + `</d:multistatus>`)
}

// raw answers a multistatus of which every byte is given.
func raw(document string) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusMultiStatus)
		io.WriteString(w, document)
	}
}

// inTurn answers one request after another, the last one for ever.
func inTurn(list ...answer) answer {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, r *http.Request, body string) {
		mu.Lock()
		next := list[min(n, len(list)-1)]
		n++
		mu.Unlock()
		next(w, r, body)
	}
}

func item(href, etag string) string {
	return `<d:response><d:href>` + href + `</d:href><d:propstat><d:prop><d:getetag>` + etag +
		`</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`
}

func card(href, etag, data string) string {
	return `<d:response><d:href>` + href + `</d:href><d:propstat><d:prop><d:getetag>` + etag +
		`</d:getetag><c:address-data>` + data + `</c:address-data></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`
}

func failed(href, status string) string {
	return `<d:response><d:href>` + href + `</d:href><d:status>` + status + `</d:status></d:response>`
}

func property(href, prop string) string {
	return `<d:response><d:href>` + href + `</d:href><d:propstat><d:prop>` + prop +
		`</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`
}

func token(text string) string { return `<d:sync-token>` + text + `</d:sync-token>` }

// changes gathers what Changes tells, as "id=revision" and "-id".
func changes(ctx context.Context, c *webdav.Client, since backend.Cursor, part *webdav.Lister) (string, backend.Cursor, error) {
	var told []string
	next, err := c.Changes(ctx, book, since, part, func(batch []backend.Change) error {
		for _, ch := range batch {
			if ch.Removed {
				told = append(told, "-"+string(ch.ID))
			} else {
				told = append(told, string(ch.ID)+"="+string(ch.Revision))
			}
		}
		return nil
	})
	return strings.Join(told, " "), next, err
}

// wantKind complains unless err has a kind.
func wantKind(t *testing.T, err error, want backend.Kind) {
	t.Helper()
	err = webdav.Error("test", err)
	if err == nil || backend.KindOf(err) != want {
		t.Errorf("error = %v (kind %q), want kind %q", err, backend.KindOf(err), want)
	}
}
