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
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav"
)

// TestChanges walks through good and bad days of one REPORT.
func TestChanges(t *testing.T) {
	one, two := item(book+"one.vcf", `"1"`), item(book+"two.vcf", `"2"`)
	for _, tc := range []struct {
		name   string
		since  backend.Cursor
		report answer
		want   string
		next   backend.Cursor
		kind   backend.Kind // Other with an empty next means an error of that kind
	}{
		{name: "everything", report: multistatus(one + two + token("t1")), want: `one.vcf="1" two.vcf="2"`, next: "s:t1"},
		{name: "nothing", since: "s:t1", report: multistatus(token("t1")), next: "s:t1"},
		{name: "a removed member", since: "s:t1", report: multistatus(one + failed(book+"two.vcf", "HTTP/1.1 404 Not Found") + token("t2")),
			want: `one.vcf="1" -two.vcf`, next: "s:t2"},
		{name: "a removed member in a first listing", report: multistatus(one + failed(book+"two.vcf", "HTTP/1.1 404 Not Found") + token("t2")),
			want: `one.vcf="1"`, next: "s:t2"},
		{name: "statuses without words", report: multistatus(strings.ReplaceAll(one, " OK", "") + failed(book+"gone.vcf", "HTTP/1.1 404") + token("t1")),
			want: `one.vcf="1"`, next: "s:t1"},
		{name: "weak and bare etags stay as they are", report: multistatus(item(book+"a.vcf", `W/"x"`) + item(book+"b.vcf", `bare`) + token("t1")),
			want: `a.vcf=W/"x" b.vcf=bare`, next: "s:t1"},
		{name: "escapes differ", report: multistatus(item("/%61nn/people/a%20b@c.vcf", `"1"`) + token("t1")), want: `a%20b%40c.vcf="1"`, next: "s:t1"},
		{name: "a full URL", report: multistatus(item("http://127.0.0.1:1/ann/people/one.vcf", `"1"`) + token("t1")), want: `one.vcf="1"`, next: "s:t1"},
		{name: "the collection and one inside it are no items", report: multistatus(property(book, `<d:getetag>"c"</d:getetag>`) + item(book+"sub/", `"s"`) + one + token("t1")),
			want: `one.vcf="1"`, next: "s:t1"},
		{name: "another host", report: multistatus(item("http://elsewhere.example/ann/people/one.vcf", `"1"`) + token("t1"))},
		{name: "out of the collection", report: multistatus(item("/ann/other/one.vcf", `"1"`) + token("t1"))},
		{name: "out of the collection by dots", report: multistatus(item(book+"..%2Fother/../one.vcf", `"1"`) + token("t1"))},
		{name: "half a multistatus", report: raw(`<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">` + one), kind: backend.Transient},
		{name: "half a response", report: raw(`<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">` + one[:60]), kind: backend.Transient},
		{name: "broken XML", report: raw(`<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">` + one + `<d:response></d:multistatus>`)},
		{name: "no sync-token", report: multistatus(one)},
		{name: "507 for the collection, and no way on", since: "s:t1", report: multistatus(one + failed(book, "HTTP/1.1 507 Insufficient Storage") + token("t1")), kind: backend.Transient},
		{name: "507 for a member", report: multistatus(one + failed(book+"two.vcf", "HTTP/1.1 507 Insufficient Storage") + token("t1")), kind: backend.Transient},
		{name: "500 for a member", report: multistatus(one + failed(book+"two.vcf", "HTTP/1.1 500 Oops") + token("t1")), kind: backend.Transient},
		{name: "401", report: status(401, ""), kind: backend.Denied},
		{name: "404", report: status(404, ""), kind: backend.NotFound},
		{name: "503", report: status(503, ""), kind: backend.Transient},
		{name: "a stale token, 403", since: "s:t1", report: status(403, "d:valid-sync-token"), kind: backend.Expired},
		{name: "a stale token, 409", since: "s:t1", report: status(409, "d:valid-sync-token"), kind: backend.Expired},
		{name: "a stale token, 412", since: "s:t1", report: status(412, "d:valid-sync-token"), kind: backend.Expired},
		{name: "sync-collection was switched off", since: "s:t1", report: status(403, "d:supported-report"), kind: backend.Expired},
		{name: "nobody's cursor", since: "x:1", kind: backend.Expired},
		{name: "an HTML page", report: func(w http.ResponseWriter, _ *http.Request, _ string) { w.Write([]byte("<html>welcome</html>")) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, script{"REPORT " + book: tc.report})
			got, next, err := changes(t.Context(), f.client(t, "/"), tc.since, nil)
			if tc.next == "" {
				if err == nil {
					t.Fatalf("Changes tells %q and no error; a shorter list looks like deletions", got)
				}
				if tc.kind != backend.Other {
					wantKind(t, err, tc.kind)
				}
				return
			}
			if err != nil || got != tc.want || next != tc.next {
				t.Errorf("Changes = %q, %q, %v; want %q, %q", got, next, err, tc.want, tc.next)
			}
		})
	}
}

// TestYieldStops is about the error of yield in the middle of an answer, in
// its first batch and in the last one.
func TestYieldStops(t *testing.T) {
	stop := errors.New("enough")
	for _, n := range []int{1, backend.MaxBatch + 1} {
		var inside strings.Builder
		for i := range n {
			inside.WriteString(item(fmt.Sprint(book, i, ".vcf"), `"1"`))
		}
		f := serve(t, script{"REPORT " + book: multistatus(inside.String() + token("t1"))})
		_, err := f.client(t, "/").Changes(t.Context(), book, "", nil, func([]backend.Change) error { return stop })
		if err != stop {
			t.Errorf("%d items: error = %v, want that of yield unchanged", n, err)
		}
	}
}

func TestChangesInParts(t *testing.T) {
	cut := failed(book, "HTTP/1.1 507 Insufficient Storage")
	first := multistatus(item(book+"one.vcf", `"1"`) + cut + token("t1"))
	for _, tc := range []struct {
		name string
		then answer
		want string
		kind backend.Kind
	}{
		{"the rest follows", multistatus(item(book+"two.vcf", `"2"`) + token("t2")), `one.vcf="1" two.vcf="2"`, 0},
		{"a removal in between", multistatus(failed(book+"one.vcf", "HTTP/1.1 404 Not Found") + token("t2")), "", backend.Transient},
		{"the rest fails", status(500, ""), "", backend.Transient},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, script{"REPORT " + book: inTurn(first, tc.then)})
			got, next, err := changes(t.Context(), f.client(t, "/"), "", nil)
			if tc.kind != 0 {
				wantKind(t, err, tc.kind)
			} else if err != nil || got != tc.want || next != "s:t2" {
				t.Errorf("Changes = %q, %q, %v; want %q", got, next, err, tc.want)
			}
		})
	}
}

// TestLadder asks servers that cannot do a sync-collection.
func TestLadder(t *testing.T) {
	list := property(book, `<d:resourcetype><d:collection/></d:resourcetype>`) + item(book+"one.vcf", `"1"`)
	longer := list + item(book+"two.vcf", `"2"`)
	find := func(mark, listing string) answer {
		return func(w http.ResponseWriter, r *http.Request, body string) {
			switch {
			case r.Header.Get("Depth") == "1":
				multistatus(listing)(w, r, body)
			case strings.Contains(body, "getctag") && strings.Contains(mark, "getctag"),
				strings.Contains(body, "sync-token") && strings.Contains(mark, "sync-token"):
				multistatus(property(book, mark))(w, r, body)
			default:
				multistatus(`<d:response><d:href>`+book+`</d:href><d:propstat><d:prop><d:x/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>`)(w, r, body)
			}
		}
	}
	for _, tc := range []struct {
		name         string
		report       answer
		mark, change string
		cursor       backend.Cursor // a prefix
	}{
		{"no report, but a ctag", status(403, "d:supported-report"), `<cs:getctag>c1</cs:getctag>`, `<cs:getctag>c2</cs:getctag>`, "c:c1"},
		{"the method is unknown", status(501, ""), `<cs:getctag>c1</cs:getctag>`, `<cs:getctag>c2</cs:getctag>`, "c:c1"},
		{"forbidden without a reason", status(403, ""), `<cs:getctag>c1</cs:getctag>`, `<cs:getctag>c2</cs:getctag>`, "c:c1"},
		{"not even a ctag", status(405, ""), ``, ``, "d:"},
		{"no empty token", status(403, "d:valid-sync-token"), `<d:sync-token>t1</d:sync-token>`, ``, "s:t1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			answers := script{
				"REPORT " + book: tc.report, "PROPFIND " + book: find(tc.mark, list)}
			f := serve(t, answers)
			c := f.client(t, "/")
			got, next, err := changes(t.Context(), c, "", nil)
			if err != nil || got != `one.vcf="1"` || !strings.HasPrefix(string(next), string(tc.cursor)) {
				t.Fatalf("Changes = %q, %q, %v; want one.vcf and a cursor %s…", got, next, err, tc.cursor)
			}
			if strings.HasPrefix(string(next), "s:") {
				return
			}
			if got, again, err := changes(t.Context(), c, next, nil); got != "" || again != next || err != nil {
				t.Errorf("Changes when nothing has = %q, %q, %v", got, again, err)
			}
			f.mu.Lock()
			answers["PROPFIND "+book] = find(tc.change, longer)
			f.mu.Unlock()
			_, _, err = changes(t.Context(), c, next, nil)
			wantKind(t, err, backend.Expired)
		})
	}
}

// TestStumble is about Xandikos, which answers 500 to a token it does not know.
func TestStumble(t *testing.T) {
	for _, tc := range []struct {
		name  string
		token answer
		want  backend.Kind
	}{
		{"it has another token", multistatus(property(book, `<d:sync-token>new</d:sync-token>`)), backend.Expired},
		{"it has the same token", multistatus(property(book, `<d:sync-token>old</d:sync-token>`)), backend.Transient},
		{"it is broken altogether", status(500, ""), backend.Transient},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, script{
				"REPORT " + book: status(500, ""), "PROPFIND " + book: tc.token})
			_, _, err := changes(t.Context(), f.client(t, "/"), "s:old", nil)
			wantKind(t, err, tc.want)
		})
	}
}

// TestPart lists one part of a collection and sifts what changes.
func TestPart(t *testing.T) {
	f := serve(t, script{
		"PROPFIND " + book: multistatus(property(book, token("t1"))),
		"REPORT " + book:   multistatus(item(book+"one.vcf", `"2"`) + item(book+"two.vcf", `"1"`) + failed(book+"old.vcf", "HTTP/1.1 404 Not Found") + token("t2")),
	})
	part := &webdav.Lister{
		All: func(_ context.Context, yield func(dav.Member) error) error {
			return yield(dav.Member{ID: "one.vcf", Revision: `"1"`})
		},
		Sift: func(_ context.Context, changed []dav.Member, yield func(dav.Member) error) error {
			for _, m := range changed {
				m.Removed = m.ID != "one.vcf"
				if err := yield(m); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c := f.client(t, "/")
	got, next, err := changes(t.Context(), c, "", part)
	if err != nil || got != `one.vcf="1"` || next != "s:t1" {
		t.Fatalf("Changes = %q, %q, %v", got, next, err)
	}
	got, next, err = changes(t.Context(), c, next, part)
	if err != nil || got != `-old.vcf one.vcf="2" -two.vcf` || next != "s:t2" {
		t.Errorf("Changes = %q, %q, %v", got, next, err)
	}
	part.All = func(context.Context, func(dav.Member) error) error { return errors.New("half of it") }
	if _, _, err := changes(t.Context(), c, "", part); err == nil {
		t.Error("a listing that fails is no error")
	}
}

func TestTag(t *testing.T) {
	f := serve(t, script{
		"PROPFIND " + book: func(w http.ResponseWriter, r *http.Request, body string) {
			if strings.Contains(body, "getctag") == strings.Contains(body, "sync-token") {
				t.Error("a question for both or neither of ctag and sync-token")
			}
			multistatus(property(book, token("t1")))(w, r, body)
		},
	})
	c := f.client(t, "/")
	for range 2 {
		if tag, err := c.Tag(t.Context(), book); tag != "s:t1" || err != nil {
			t.Fatalf("Tag = %q, %v", tag, err)
		}
	}
	if n := strings.Count(f.requests(), "PROPFIND"); n != 3 {
		t.Errorf("two tags cost %d requests, want 3: that there is no ctag is learned once", n)
	}
}
