package webdav_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav"
)

const (
	principal = `<d:current-user-principal><d:href>/p/ann/</d:href></d:current-user-principal>`
	homeSet   = `<c:addressbook-home-set><d:href>/ann/</d:href></c:addressbook-home-set>`
	aBook     = `<d:resourcetype><d:collection/><c:addressbook/></d:resourcetype>`
)

func TestLogin(t *testing.T) {
	home := multistatus(property("/p/ann/", homeSet))
	who := multistatus(property("/", principal))
	for _, tc := range []struct {
		name   string
		path   string
		script script
		want   string // principal and home sets
		kind   backend.Kind
	}{
		{name: "the root knows", path: "/", script: script{"PROPFIND /": who, "PROPFIND /p/ann/": home}, want: "/p/ann/ /ann/"},
		{name: "a path knows", path: "/dav/", script: script{"PROPFIND /dav": redirect(301, "/dav/"), "PROPFIND /dav/": who, "PROPFIND /p/ann/": home}, want: "/p/ann/ /ann/"},
		{name: "the .well-known path knows", path: "/", script: script{"PROPFIND /": status(405, ""),
			"PROPFIND /.well-known/carddav": redirect(301, "/remote.php/dav/"), "PROPFIND /remote.php/dav/": who, "PROPFIND /p/ann/": home}, want: "/p/ann/ /ann/"},
		{name: "the root knows better than the path", path: "/nothing/", script: script{"PROPFIND /": who, "PROPFIND /p/ann/": home}, want: "/p/ann/ /ann/"},
		{name: "several home sets", path: "/", script: script{"PROPFIND /": who, "PROPFIND /p/ann/": multistatus(property("/p/ann/",
			`<c:addressbook-home-set><d:href>/ann</d:href><d:href>/shared/</d:href><d:href>/ann/</d:href></c:addressbook-home-set>`))}, want: "/p/ann/ /ann/ /shared/"},
		{name: "a principal without being asked", path: "/p/ann/", script: script{"PROPFIND /p/ann/": home}, want: " /ann/"},
		{name: "a home set that knows nothing", path: "/ann/", script: script{"PROPFIND /ann/": multistatus(property("/ann/people/", aBook)), "PROPFIND /ann": redirect(301, "/ann/")}, want: " /ann/"},
		{name: "no such thing", path: "/", script: script{"PROPFIND /": multistatus(property("/", `<d:resourcetype/>`))}, kind: backend.NotFound},
		{name: "wrong password", path: "/", script: script{"PROPFIND /": status(401, "")}, kind: backend.Denied},
		{name: "wrong password at the second door", path: "/", script: script{"PROPFIND /": status(404, ""), "PROPFIND /.well-known/carddav": status(401, "")}, kind: backend.Denied},
		{name: "nobody", path: "/", script: script{"PROPFIND /": multistatus(property("/", `<d:current-user-principal><d:unauthenticated/></d:current-user-principal>`))}, kind: backend.Denied},
		{name: "not for you", path: "/", script: script{"PROPFIND /": who, "PROPFIND /p/ann/": status(403, "")}, kind: backend.Denied},
		{name: "down", path: "/", script: script{"PROPFIND /": status(502, "")}, kind: backend.Transient},
		{name: "elsewhere", path: "/", script: script{"PROPFIND /": redirect(301, "https://other.example/")}, kind: backend.Other},
		{name: "a home on another host", path: "/", script: script{"PROPFIND /": who, "PROPFIND /p/ann/": multistatus(property("/p/ann/",
			`<c:addressbook-home-set><d:href>https://other.example/ann/</d:href></c:addressbook-home-set>`))}, kind: backend.Other},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.name == "a home set that knows nothing" {
				tc.script["PROPFIND /ann/"] = byDepth(multistatus(property("/ann/", `<d:resourcetype><d:collection/></d:resourcetype>`)), tc.script["PROPFIND /ann/"])
			}
			f := serve(t, tc.script)
			c := f.client(t, tc.path)
			got, err := c.Login(t.Context())
			if tc.want == "" {
				if err == nil || backend.KindOf(err) != tc.kind {
					t.Errorf("Login = %v, %v; want kind %q", got, err, tc.kind)
				}
				return
			}
			if err != nil || got.Principal+" "+strings.Join(got.Sets, " ") != tc.want {
				t.Errorf("Login = %v, %v; want %s", got, err, tc.want)
			}
		})
	}
}

func byDepth(zero, one answer) answer {
	return func(w http.ResponseWriter, r *http.Request, body string) {
		if r.Header.Get("Depth") == "0" {
			zero(w, r, body)
		} else {
			one(w, r, body)
		}
	}
}

// TestLoginAgain remembers where somebody's home is, not that they may enter.
func TestLoginAgain(t *testing.T) {
	f := serve(t, script{
		"PROPFIND /": multistatus(property("/", principal)),
		"PROPFIND /p/ann/": inTurn(
			multistatus(property("/p/ann/", homeSet)),   // the first login
			multistatus(property("/p/ann/", principal)), // the second
			status(401, ""), // the third, with a password that was changed
			status(404, ""), // the fourth, when the server was rebuilt
			multistatus(property("/p/ann/", homeSet)),
		),
	})
	c := f.client(t, "/")
	for n, want := range []struct {
		requests int
		kind     backend.Kind
	}{{2, 0}, {1, 0}, {1, backend.Denied}, {3, 0}} {
		before := len(f.seen)
		_, err := c.Login(t.Context())
		if got := backend.KindOf(err); got != want.kind || (err == nil) != (want.kind == 0) {
			t.Errorf("login %d: %v", n+1, err)
		}
		if got := len(f.seen) - before; got != want.requests {
			t.Errorf("login %d costs %d requests, want %d", n+1, got, want.requests)
		}
	}
}

func TestTemplate(t *testing.T) {
	f := serve(t, script{"PROPFIND /dav/a%2Fb%20%40c/": multistatus(property("/", principal))})
	s, err := webdav.NewServer(dialect, backend.Settings{"url": f.URL + "/dav", "path_template": "{user}"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	home, err := s.Client(backend.Credentials{User: "a/b @c"}).Login(t.Context())
	if err != nil || !slices.Equal(home.Sets, []string{"/dav/a%2Fb%20%40c/"}) {
		t.Errorf("Login = %v, %v", home, err)
	}
	for _, user := range []string{"", ".", ".."} {
		_, err := s.Client(backend.Credentials{User: user}).Login(t.Context())
		wantKind(t, err, backend.Denied)
	}
}

func TestCollections(t *testing.T) {
	const privileges = `<d:current-user-privilege-set><d:privilege><d:read/></d:privilege>%</d:current-user-privilege-set>`
	with := func(p string) string { return strings.Replace(privileges, "%", p, 1) }
	listing := property("/ann/", `<d:resourcetype><d:collection/></d:resourcetype>`) +
		property("/ann/people", aBook+`<d:displayname> My &amp; people </d:displayname><d:owner><d:href>/p/ann</d:href></d:owner>`+
			with(`<d:privilege><d:write/></d:privilege>`)+`<x:calendar-color xmlns:x="http://apple.com/ns/ical/">#AbC</x:calendar-color>`) +
		property("/ann/sh%c3%a4red/", aBook+`<d:owner><d:href>/p/bob/</d:href></d:owner>`+with("")+
			`<x:addressbook-color xmlns:x="http://inf-it.com/ns/ab/">#11AA33FF</x:addressbook-color>`) +
		property("/ann/calendar/", `<d:resourcetype><d:collection/><x:calendar xmlns:x="urn:ietf:params:xml:ns:caldav"/></d:resourcetype>`)
	for _, tc := range []struct {
		name    string
		listing answer
		want    []dav.Collection
	}{
		{"two books", multistatus(listing), []dav.Collection{
			{Path: "/ann/people/", Name: "My & people", Colour: "#aabbcc", Order: 1 << 30},
			{Path: "/ann/sh%C3%A4red/", Name: "shäred", Colour: "#11aa33", Owner: "bob", ReadOnly: true, Order: 1 << 30}}},
		{"cut by a limit", multistatus(listing + failed("/ann/", "HTTP/1.1 507 Insufficient Storage")), nil},
		{"broken off", raw(`<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav">` + listing), nil},
		{"a book that cannot be told of", multistatus(listing + failed("/ann/x/", "HTTP/1.1 500 Oops")), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := serve(t, script{"PROPFIND /ann/": tc.listing}).client(t, "/")
			var got []dav.Collection
			err := c.Collections(t.Context(), dav.Home{Principal: "/p/ann/", Sets: []string{"/ann/", "/ann/"}}, nil,
				func(found dav.Collection, _ *dav.Response) error {
					got = append(got, found)
					return nil
				})
			if tc.want == nil {
				if err == nil {
					t.Error("no error; a shorter list looks like deleted folders")
				}
				return
			}
			if err != nil || !slices.Equal(got, tc.want) {
				t.Errorf("Collections = %+v, %v", got, err)
			}
		})
	}
}
