package webdav_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

type script = map[string]func(http.ResponseWriter, *http.Request, string)

const ann = "BEGIN:VCARD\r\nUID:ann\r\nEND:VCARD\r\n"

// text answers a body with an ETag, if it is not empty.
func text(etag, body string) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ string) {
		if etag != "" {
			w.Header().Set("ETag", etag)
		}
		w.Write([]byte(body))
	}
}

func TestMultiGet(t *testing.T) {
	escaped := strings.ReplaceAll(ann, "\r", "&#13;")
	plain := strings.ReplaceAll(ann, "\r", "")
	for _, tc := range []struct {
		name   string
		script script
		want   string // of one.vcf and two.vcf, in order
		kind   backend.Kind
	}{
		{"both", script{"REPORT " + book: multistatus(card(book+"one.vcf", `"1"`, escaped) + card(book+"two.vcf", `"2"`, plain))},
			`one.vcf "1" whole, two.vcf "2" whole`, 0},
		{"one is gone", script{"REPORT " + book: multistatus(card(book+"one.vcf", `"1"`, escaped) + failed(book+"two.vcf", "HTTP/1.1 404 Not Found"))},
			`one.vcf "1" whole, two.vcf gone`, 0},
		{"one is left out", script{"REPORT " + book: multistatus(card(book+"one.vcf", `"1"`, escaped)), "GET " + book + "two.vcf": text(`"2"`, ann)},
			`one.vcf "1" whole, two.vcf "2" whole`, 0},
		{"one is left out, for it is gone", script{"REPORT " + book: multistatus(card(book+"one.vcf", `"1"`, escaped))},
			`one.vcf "1" whole, two.vcf gone`, 0},
		{"one breaks the XML", script{"REPORT " + book: multistatus(card(book+"one.vcf", `"1"`, escaped) + card(book+"two.vcf", `"2"`, "bell \x07")), "GET " + book + "two.vcf": text(`"2"`, ann)},
			`one.vcf "1" whole, two.vcf "2" whole`, 0},
		{"one may not be read", script{"REPORT " + book: multistatus(card(book+"one.vcf", `"1"`, escaped) + failed(book+"two.vcf", "HTTP/1.1 403 Forbidden")), "GET " + book + "two.vcf": status(403, "")},
			`one.vcf "1" whole, two.vcf error`, 0},
		{"an etag weakened on its way", script{"REPORT " + book: multistatus(card(book+"one.vcf", `"1"`, escaped)),
			"GET " + book + "two.vcf": text(`W/"2"`, ann), "PROPFIND " + book + "two.vcf": multistatus(item(book+"two.vcf", `"2"`))},
			`one.vcf "1" whole, two.vcf "2" whole`, 0},
		{"escapes of its own, and one too many", script{"REPORT " + book: multistatus(card("/ann/people/%6fne.vcf", `"1"`, escaped) + card(book+"two.vcf", `"2"`, plain) + card(book+"three.vcf", `"3"`, plain))},
			`one.vcf "1" whole, two.vcf "2" whole`, 0},
		{"cut", script{"REPORT " + book: raw(`<d:multistatus xmlns:d="DAV:">`)}, "", backend.Transient},
		{"401", script{"REPORT " + book: status(401, "")}, "", backend.Denied},
		{"500 all over", script{"REPORT " + book: status(500, ""), "GET " + book + "one.vcf": status(500, ""), "GET " + book + "two.vcf": status(500, "")}, "", backend.Transient},
		{"the server stumbles over one", script{"REPORT " + book: status(500, ""), "GET " + book + "one.vcf": text(`"1"`, ann), "GET " + book + "two.vcf": status(500, "")},
			`one.vcf "1" whole, two.vcf error`, 0},
		{"no multiget", script{"REPORT " + book: status(403, "d:supported-report"), "GET " + book + "one.vcf": text(`"1"`, ann)},
			`one.vcf "1" whole, two.vcf gone`, 0},
		{"503", script{"REPORT " + book: status(503, "")}, "", backend.Transient},
		{"the single one fails", script{"REPORT " + book: multistatus(card(book+"one.vcf", `"1"`, escaped)), "GET " + book + "two.vcf": status(502, "")}, "", backend.Transient},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := serve(t, tc.script).client(t, "/")
			told := make(map[string]string)
			ids := []string{"one.vcf", "two.vcf"}
			err := c.MultiGet(t.Context(), book, append(ids, "", "../x"), func(r dav.Raw) error {
				switch {
				case told[r.ID] != "":
					t.Errorf("%q is told twice", r.ID)
				case r.Removed:
					told[r.ID] = "gone"
				case r.Err != nil:
					told[r.ID] = "error"
				case string(r.Body) == ann:
					told[r.ID] = string(r.Revision) + " whole"
				default:
					told[r.ID] = fmt.Sprintf("%q", r.Body)
				}
				return nil
			})
			if tc.kind != 0 {
				wantKind(t, err, tc.kind)
				return
			}
			got := "one.vcf " + told["one.vcf"] + ", two.vcf " + told["two.vcf"]
			if err != nil || got != tc.want || told[""] != "gone" || told["../x"] != "gone" {
				t.Errorf("MultiGet: %s, %v; want %s", got, err, tc.want)
			}
		})
	}
}

func TestGetCut(t *testing.T) {
	// HTTP/1.0 without a length, as Radicale speaks it: the end of the
	// connection is the end of the body, be it whole or not.
	for _, tc := range []struct {
		name, body string
		kind       backend.Kind
	}{{"whole", ann, 0}, {"cut", ann[:20], backend.Transient}, {"cut to nothing", "", backend.Transient}} {
		t.Run(tc.name, func(t *testing.T) {
			c := serve(t, script{"GET " + book + "one.vcf": func(w http.ResponseWriter, _ *http.Request, _ string) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Fprintf(conn, "HTTP/1.0 200 OK\r\nETag: \"1\"\r\n\r\n%s", tc.body)
				conn.Close()
			}}).client(t, "/")
			r, err := c.Client.Get(t.Context(), book, "one.vcf")
			if tc.kind != 0 {
				wantKind(t, err, tc.kind)
			} else if err != nil || string(r.Body) != tc.body {
				t.Errorf("Get = %q, %v", r.Body, err)
			}
		})
	}
}

// put checks the condition and answers.
func put(t *testing.T, name, value string, then answer) answer {
	return func(w http.ResponseWriter, r *http.Request, body string) {
		if got := r.Header.Get(name); got != value {
			t.Errorf("%s has %s: %q, want %q", r.Method, name, got, value)
		}
		then(w, r, body)
	}
}

func created(etag string) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ string) {
		if etag != "" {
			w.Header().Set("ETag", etag)
		}
		w.WriteHeader(http.StatusCreated)
	}
}

func TestCreate(t *testing.T) {
	const at = book + "new.vcf"
	there := multistatus(item(at, `"there"`))
	for _, tc := range []struct {
		name      string
		put, find answer
		want      dav.Member
		kind      backend.Kind // 0 is success
	}{
		{"with an etag", created(`"1"`), nil, dav.Member{ID: "new.vcf", Revision: `"1"`}, 0},
		{"without an etag", created(""), there, dav.Member{ID: "new.vcf", Revision: `"there"`}, 0},
		{"with a weak etag", created(`W/"1"`), there, dav.Member{ID: "new.vcf", Revision: `"there"`}, 0},
		{"the name is taken", status(412, ""), there, dav.Member{ID: "new.vcf", Revision: `"there"`}, backend.Conflict},
		{"the name is taken, which the server sees by the UID", status(409, `x:no-uid-conflict xmlns:x="urn:ietf:params:xml:ns:carddav"`), there,
			dav.Member{ID: "new.vcf", Revision: `"there"`}, backend.Conflict},
		{"the UID is taken", status(409, `x:no-uid-conflict xmlns:x="urn:ietf:params:xml:ns:carddav"`), nil, dav.Member{ID: "other.vcf", Revision: `"other"`}, backend.Conflict},
		{"the content is refused", status(403, `x:valid-address-data xmlns:x="urn:ietf:params:xml:ns:carddav"`), nil, dav.Member{}, backend.Invalid},
		{"the content is refused by 412", status(412, `x:valid-calendar-data xmlns:x="urn:ietf:params:xml:ns:caldav"`), nil, dav.Member{}, backend.Invalid},
		{"refused in a multistatus", multistatus(`<d:response><d:href>` + at + `</d:href><d:status>HTTP/1.1 412 Precondition Failed</d:status><d:error><c:no-uid-conflict/></d:error></d:response>`), nil,
			dav.Member{ID: "other.vcf", Revision: `"other"`}, backend.Conflict},
		{"bad request", status(400, ""), nil, dav.Member{}, backend.Invalid},
		{"too big for the server", status(413, ""), nil, dav.Member{}, backend.TooLarge},
		{"too big for the collection", status(403, `x:max-resource-size xmlns:x="urn:ietf:params:xml:ns:carddav"`), nil, dav.Member{}, backend.TooLarge},
		{"not allowed", status(403, "d:need-privileges"), nil, dav.Member{}, backend.ReadOnly},
		{"forbidden", status(403, ""), nil, dav.Member{}, backend.ReadOnly},
		{"no such collection", status(409, ""), nil, dav.Member{}, backend.NotFound},
		{"full", status(507, ""), nil, dav.Member{}, backend.Transient},
		{"wrong password", status(401, ""), nil, dav.Member{}, backend.Denied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := script{"PUT " + at: put(t, "If-None-Match", "*", tc.put)}
			if tc.find != nil {
				s["PROPFIND "+at] = tc.find
			}
			c := serve(t, s).client(t, "/")
			find := func(_ context.Context, _, uid string) (dav.Member, error) {
				if uid != "ann" {
					t.Errorf("looks for the UID %q", uid)
				}
				return dav.Member{ID: "other.vcf", Revision: `"other"`}, nil
			}
			got, err := c.CreateUnique(t.Context(), book, "new", []byte(ann), find)
			if tc.kind != 0 {
				wantKind(t, err, tc.kind)
			} else if err != nil {
				t.Errorf("error = %v", err)
			}
			if got != tc.want {
				t.Errorf("Create = %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestUIDConflictOfNobody(t *testing.T) {
	c := serve(t, script{"PUT " + book + "new.vcf": status(409, `x:no-uid-conflict xmlns:x="urn:ietf:params:xml:ns:carddav"`)}).client(t, "/")
	nobody := func(context.Context, string, string) (dav.Member, error) { return dav.Member{Removed: true}, nil }
	_, err := c.CreateUnique(t.Context(), book, "new", []byte(ann), nobody)
	wantKind(t, err, backend.Invalid)
	if e, ok := errors.AsType[*dav.StatusError](err); !ok || !e.UIDConflict() {
		t.Errorf("error = %v, want one that is still known as a conflict of UIDs", err)
	}
}

func TestReplaceAndDelete(t *testing.T) {
	const at = book + "one.vcf"
	there := multistatus(item(at, `"2"`))
	for _, tc := range []struct {
		name        string
		write, find answer
		kind        backend.Kind
	}{
		{"done", created(`"2"`), nil, 0},
		{"changed meanwhile", status(412, ""), there, backend.Conflict},
		{"removed meanwhile", status(412, ""), nil, backend.NotFound},
		{"removed meanwhile, 404", status(404, ""), nil, backend.NotFound},
		{"gone for good", status(410, ""), nil, backend.NotFound},
		{"locked", status(423, ""), there, backend.Transient},
		{"read-only", status(403, ""), there, backend.ReadOnly},
		{"unknown method", status(405, ""), there, backend.Unsupported},
	} {
		t.Run(tc.name, func(t *testing.T) {
			write := put(t, "If-Match", `W/"odd`, tc.write)
			s := script{"PUT " + at: write, "DELETE " + at: write}
			if tc.find != nil {
				s["PROPFIND "+at] = tc.find
			}
			c := serve(t, s).client(t, "/")
			_, putErr := c.Replace(t.Context(), book, "one.vcf", `W/"odd`, []byte(ann))
			for _, err := range []error{putErr, c.Delete(t.Context(), book, "one.vcf", `W/"odd`)} {
				if tc.kind == 0 && err != nil {
					t.Errorf("error = %v", err)
				} else if tc.kind != 0 {
					wantKind(t, err, tc.kind)
				}
			}
		})
	}
}

// TestNeverTheCollection is about requests that would remove a whole
// collection, or put one item in its place.
func TestNeverTheCollection(t *testing.T) {
	f := serve(t, nil)
	c := f.client(t, "/")
	for _, id := range []string{"", ".", "..", "%2E", "%2e%2e", "a/b", "../people", "a b.vcf", "x%", "a.vcf?x", "%2f", "sub/"} {
		_, putErr := c.Replace(t.Context(), book, id, `"1"`, []byte(ann))
		_, moveErr := c.Move(t.Context(), book, id, "/ann/other/")
		for _, err := range []error{putErr, c.Delete(t.Context(), book, id, ""), moveErr} {
			wantKind(t, err, backend.NotFound)
		}
	}
	if f.requests() != "" {
		t.Errorf("the server was asked %s", f.requests())
	}
}

func TestDeleteMultistatus(t *testing.T) {
	const at = book + "one.vcf"
	c := serve(t, script{"DELETE " + at: inTurn(multistatus(failed(at, "HTTP/1.1 200 OK")), multistatus(failed(at, "HTTP/1.1 423 Locked")))}).client(t, "/")
	if err := c.Delete(t.Context(), book, "one.vcf", ""); err != nil {
		t.Errorf("Delete = %v", err)
	}
	wantKind(t, c.Delete(t.Context(), book, "one.vcf", ""), backend.Transient)
}

func TestMove(t *testing.T) {
	const at, other = book + "one.vcf", "/ann/other/"
	var f *fake
	move := func(answers ...answer) answer {
		next := inTurn(answers...)
		return func(w http.ResponseWriter, r *http.Request, body string) {
			if r.Header.Get("Overwrite") != "F" || !strings.HasPrefix(r.Header.Get("Destination"), f.URL+other) {
				t.Errorf("MOVE with Overwrite %q to %q", r.Header.Get("Overwrite"), r.Header.Get("Destination"))
			}
			next(w, r, body)
		}
	}
	f = serve(t, script{"MOVE " + at: move(created("")), "PROPFIND " + other + "one.vcf": multistatus(item(other+"one.vcf", `"1"`))})
	if m, err := f.client(t, "/").Move(t.Context(), book, "one.vcf", other); err != nil || m.ID != "one.vcf" || m.Revision != `"1"` {
		t.Errorf("Move = %v, %v", m, err)
	}
	f = serve(t, script{"MOVE " + at: move(status(412, ""), created("")), "PROPFIND " + other + "one-1.vcf": multistatus(item(other+"one-1.vcf", `"1"`))})
	if m, err := f.client(t, "/").Move(t.Context(), book, "one.vcf", other); err != nil || m.ID != "one-1.vcf" {
		t.Errorf("Move to a name that is taken = %v, %v", m, err)
	}
	f = serve(t, script{"MOVE " + at: move(status(412, ""))})
	_, err := f.client(t, "/").Move(t.Context(), book, "one.vcf", other)
	wantKind(t, err, backend.Conflict)
	f = serve(t, script{"MOVE " + at: move(status(501, ""))})
	_, err = f.client(t, "/").Move(t.Context(), book, "one.vcf", other)
	wantKind(t, err, backend.Unsupported)
}

func TestUID(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{"plain", ann, "ann"},
		{"folded", "BEGIN:VCARD\r\nUID:urn:uu\r\n id:1\r\n\t23\r\nFN:x\r\n", "urn:uuid:123"},
		{"group and parameter", "item1.uid;VALUE=text: x \n", "x"},
		{"none", "BEGIN:VCARD\r\nX-UID:1\r\nEND:VCARD\r\n", ""},
		{"too long", "UID:" + strings.Repeat("x", 2000), ""},
	} {
		if got := dav.UID([]byte(tc.body)); got != tc.want {
			t.Errorf("%s: UID = %q, want %q", tc.name, got, tc.want)
		}
	}
}
