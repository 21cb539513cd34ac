package directory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/directory"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

const book = "contacts"

var ann = backend.Credentials{User: "ann", Password: "secret"}

// A shelf is one person's address book.
type shelf struct {
	t *testing.T
	b *memory.Backend
	s backend.Session
	d *directory.Directory
}

func newShelf(t *testing.T, o directory.Options) *shelf {
	b := memory.New()
	b.AddUser(ann.User, ann.Password)
	s, err := b.Open(t.Context(), ann)
	if err != nil {
		t.Fatal(err)
	}
	return &shelf{t, b, s, directory.New(o)}
}

var annsBook = directory.Place{Owner: "ann", Backend: "memory", Collection: book}

func card(lines ...string) []byte {
	return []byte("BEGIN:VCARD\r\nVERSION:3.0\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCARD\r\n")
}

func (s *shelf) store(id string, lines ...string) {
	s.b.Store(ann.User, book, backend.ItemID(id), card(lines...))
}

func (s *shelf) refresh() {
	s.t.Helper()
	if err := s.d.Refresh(s.t.Context(), annsBook, s.s); err != nil {
		s.t.Fatalf("Refresh: %v", err)
	}
}

func (s *shelf) find(query string) []string {
	return names(s.d.Find(query, []directory.Place{annsBook}, 0, 100))
}

func names(f directory.Found) []string {
	list := []string{}
	for _, m := range f.Matches {
		list = append(list, m.DisplayName)
	}
	return list
}

func (s *shelf) fill() {
	s.store("1", "FN:Anna Meier", "N:Meier;Anna;;;", "EMAIL:anna.meier@example.org", "TEL;TYPE=WORK:+49 (30) 123-456", "ORG:Example Ltd.;Sales")
	s.store("2", "FN:Hans-Peter Müller", "N:Müller;Hans-Peter;;;", "EMAIL:hp@example.org", "TITLE:Head of Annexes")
	s.store("3", "FN:Zoë Łukasz Straße", "N:Straße;Zoë;;;", "EMAIL:zoe@example.com")
	s.store("4", "FN:Johanna O'Neil", "N:O'Neil;Johanna;;;", "EMAIL:jo@example.org")
	s.store("5", "FN:Anna", "N:;Anna;;;", "EMAIL:anna@example.net")
	s.store("6", "FN:山田 太郎", "N:山田;太郎;;;", "EMAIL:taro@example.jp")
	s.store("7", "FN:Annexe", "KIND:group", "MEMBER:1")
	s.store("8", "FN:Nobody", "N:Nobody;;;;")
}

// MS-ASCMD "Query (Search)": what is looked for is compared with the names, the
// address and the other properties of each entry.
func TestFind(t *testing.T) {
	s := newShelf(t, directory.Options{})
	s.fill()
	s.refresh()
	for _, tt := range []struct {
		name, query string
		want        []string // the best first
	}{
		{"the exact name first, then names that begin so, then the rest", "anna", []string{"Anna", "Anna Meier", "Johanna O'Neil"}},
		{"capital letters", "ANNA MEIER", []string{"Anna Meier"}},
		{"words in any order", "meier, anna", []string{"Anna Meier"}},
		{"without the marks", "muller", []string{"Hans-Peter Müller"}},
		{"with the marks", "Müller", []string{"Hans-Peter Müller"}},
		{"marks of its own", "Mu\u0308ller", []string{"Hans-Peter Müller"}},
		{"sharp s", "strasse", []string{"Zoë Łukasz Straße"}},
		{"letters that are not taken apart", "lukasz", []string{"Zoë Łukasz Straße"}},
		{"the second part of a double name", "peter", []string{"Hans-Peter Müller"}},
		{"behind an apostrophe", "neil", []string{"Johanna O'Neil"}},
		{"the whole with its apostrophe", "o'neil", []string{"Johanna O'Neil"}},
		{"a mail address", "hp@example.org", []string{"Hans-Peter Müller"}},
		{"the beginning of one", "anna.m", []string{"Anna Meier"}},
		{"a domain", "example.com", []string{"Zoë Łukasz Straße"}},
		{"the company", "example ltd", []string{"Anna Meier"}},
		{"a title", "head", []string{"Hans-Peter Müller"}},
		{"a number, written otherwise", "+49 30 123", []string{"Anna Meier"}},
		{"the end of a number", "23456", []string{"Anna Meier"}},
		{"inside of a word", "hann", []string{"Johanna O'Neil"}},
		{"another script", "山田", []string{"山田 太郎"}},
		{"one letter is a beginning", "z", []string{"Zoë Łukasz Straße"}},
		{"two letters are", "ei", nil},
		{"wildcards mean nothing", "ann*", []string{"Anna", "Anna Meier", "Hans-Peter Müller", "Johanna O'Neil"}},
		{"nothing but wildcards", "*", nil},
		{"what a database would read otherwise", `%' OR "1"="1`, nil},
		{"nothing", "", nil},
		{"blanks", " \t ", nil},
		{"nobody", "zacharias", nil},
		{"one word of two", "anna zacharias", nil},
		{"more letters than any name has", strings.Repeat("anna ", 2000), nil},
		{"no group", "annexe", []string{"Hans-Peter Müller"}},
		{"bytes that are no text are left out", "neil\xff", []string{"Johanna O'Neil"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := s.find(tt.query); fmt.Sprint(got) != fmt.Sprint(append([]string{}, tt.want...)) {
				t.Errorf("Find(%.40q) = %q, want %q", tt.query, got, tt.want)
			}
		})
	}
	f := s.d.Find("a", []directory.Place{annsBook}, 1, 1)
	if f.Total < 3 || len(f.Matches) != 1 || !f.Complete {
		t.Errorf("a range of one: %q of %d, complete %v", names(f), f.Total, f.Complete)
	}
	if f := s.d.Find("anna", []directory.Place{annsBook}, 50, 10); len(f.Matches) != 0 || f.Total != 3 {
		t.Errorf("a range behind the end: %q of %d", names(f), f.Total)
	}
}

// MS-ASCMD "Status (ResolveRecipients)": one person, several, nobody.
func TestResolve(t *testing.T) {
	s := newShelf(t, directory.Options{})
	s.fill()
	s.store("9", "FN:Anna Meier", "N:Meier;Anna;;;", "EMAIL:other@example.org", "EMAIL:second@example.org")
	s.refresh()
	for _, tt := range []struct {
		to   string
		want string // addresses
	}{
		{"hp@example.org", "hp@example.org"},
		{"HP@Example.org", "hp@example.org"},
		{`"Hans" <hp@example.org>`, "hp@example.org"},
		{"second@example.org", "second@example.org"},
		{"Anna", "anna@example.net"}, // exactly so, though others begin so
		{"anna meier", "anna.meier@example.org other@example.org"},
		{"Mei", "anna.meier@example.org other@example.org"},
		{"zoe", "zoe@example.com"},
		{"Nobody", ""}, // who has no address
		{"nobody@example.org", ""},
		{"hp@example", ""},
		{"", ""},
		{strings.Repeat("a", 10_000), ""},
	} {
		list, err := s.d.Resolve(t.Context(), []string{"x", tt.to}, []directory.Place{annsBook}, 10)
		if err != nil || len(list) != 2 {
			t.Fatalf("Resolve: %v, %v", list, err)
		}
		var got []string
		for _, m := range list[1].Matches {
			got = append(got, m.Addresses[0])
		}
		if strings.Join(got, " ") != tt.want || list[1].Total != len(got) {
			t.Errorf("Resolve(%.40q) = %q of %d, want %q", tt.to, got, list[1].Total, tt.want)
		}
	}
	if list, err := s.d.Resolve(t.Context(), []string{"anna meier"}, []directory.Place{annsBook}, 1); err != nil || len(list[0].Matches) != 1 || list[0].Total != 2 {
		t.Errorf("at most one: %+v, %v; want one of two", list, err)
	}
}

func TestRefreshFollowsTheBook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, directory.Options{})
		s.fill()
		s.refresh()
		gets := s.b.Calls(memory.OpGet)
		s.refresh()
		if n := s.b.Calls(memory.OpChanges); n != 1 {
			t.Errorf("asked %d times within a minute, want once: each letter that somebody types is a question", n)
		}
		s.store("1", "FN:Anna Smith", "N:Smith;Anna;;;")
		s.b.Remove(ann.User, book, "2")
		s.store("10", "FN:Kim New", "N:New;Kim;;;")
		time.Sleep(2 * time.Minute)
		s.refresh()
		if s.b.Calls(memory.OpGet) != gets+1 {
			t.Errorf("read %d times, want once for what changed", s.b.Calls(memory.OpGet)-gets)
		}
		for query, want := range map[string]string{"meier": "[]", "smith": "[Anna Smith]", "müller": "[]", "kim": "[Kim New]"} {
			if got := fmt.Sprint(s.find(query)); got != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
		s.b.Remove(ann.User, book, "10")
		s.b.Expire(ann.User, book)
		time.Sleep(2 * time.Minute)
		s.refresh()
		if got := s.find("kim"); len(got) > 0 {
			t.Errorf("after a cursor expired %q is there, who was removed", got)
		}
		if got := s.find("smith"); len(got) != 1 {
			t.Errorf("after a cursor expired %q is there, want who was there", got)
		}
	})
}

// A listing that fails removes nobody, and one that was cut off is gone on with.
func TestRefreshThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, directory.Options{})
		for i := range 600 {
			s.store(fmt.Sprint(i), fmt.Sprintf("FN:Person %d", i), fmt.Sprintf("N:Person%d;;;;", i))
		}
		down := backend.Errorf(backend.Transient, "test", "down")
		s.b.Fail(memory.Failure{Op: memory.OpGet, Err: down, Midway: true, After: 300})
		err := s.d.Refresh(t.Context(), annsBook, s.s)
		s.b.Mend()
		people, _ := s.d.Size()
		if f := s.d.Find("person", []directory.Place{annsBook}, 0, 1); backend.KindOf(err) == backend.Other || f.Complete {
			t.Errorf("Refresh that broke off: error = %v, complete %v, %d people", err, f.Complete, people)
		}
		s.refresh()
		if f := s.d.Find("person", []directory.Place{annsBook}, 0, 1); f.Total != 600 || !f.Complete {
			t.Errorf("gone on with: %d people, complete %v, want all 600", f.Total, f.Complete)
		}
		time.Sleep(2 * time.Minute)
		s.b.Fail(memory.Failure{Op: memory.OpChanges, Err: down})
		if err := s.d.Refresh(t.Context(), annsBook, s.s); backend.KindOf(err) != backend.Transient {
			t.Errorf("Refresh of a store that is down: error = %v, want kind Transient", err)
		}
		if f := s.d.Find("person", []directory.Place{annsBook}, 0, 1); f.Total != 600 {
			t.Errorf("a listing that failed leaves %d people, want all 600", f.Total)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.d.Refresh(ctx, annsBook, s.s); !errors.Is(err, context.Canceled) {
			t.Errorf("Refresh for somebody who hung up: error = %v", err)
		}
	})
}

// The index is bounded for each owner and together, and forgets who asked last.
func TestIndexIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := 0
		s := newShelf(t, directory.Options{PerOwner: 100_000, Total: 150_000, Cut: func(directory.Place) { cut++ }})
		other := directory.Place{Owner: "bob", Backend: "memory", Collection: book}
		for i := range 2000 {
			s.store(fmt.Sprint(i), fmt.Sprintf("FN:Person %d", i), "N:Person;;;;")
		}
		s.refresh()
		people, bytes := s.d.Size()
		if bytes > 200_000 || people >= 2000 || people < 200 || cut != 1 {
			t.Errorf("%d people in %d bytes, told %d times; want a part within the bound and a batch, told once", people, bytes, cut)
		}
		if f := s.d.Find("person", []directory.Place{annsBook}, 0, 1); f.Complete {
			t.Error("a part of a book is called complete")
		}
		time.Sleep(time.Second)
		if err := s.d.Refresh(t.Context(), other, s.s); err != nil {
			t.Fatal(err)
		}
		if f := s.d.Find("person", []directory.Place{annsBook}, 0, 1); f.Total > 0 {
			t.Error("the book that was not asked for longest is still there, beyond the bound of all")
		}
		time.Sleep(2 * time.Hour)
		s.refresh()
		if f := s.d.Find("person", []directory.Place{other}, 0, 1); f.Total > 0 {
			t.Error("a book that nobody asked for hours is still there")
		}
	})
}

// Who is in a shared book and in one's own is found once, and in the shared one.
func TestOnePersonInTwoBooks(t *testing.T) {
	s := newShelf(t, directory.Options{})
	s.fill()
	shared := directory.Place{Backend: "memory", Collection: book}
	for _, p := range []directory.Place{shared, annsBook} {
		if err := s.d.Refresh(t.Context(), p, s.s); err != nil {
			t.Fatal(err)
		}
	}
	f := s.d.Find("müller", []directory.Place{shared, annsBook}, 0, 10)
	if f.Total != 1 || len(f.Matches) != 1 || !f.Matches[0].Place.IsShared() {
		t.Errorf("found %+v, want one in the shared book", f)
	}
}

func TestSharedBooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		b.AddUser("directory", "right", backend.Collection{ID: "/d/system/", Kind: backend.Contacts, Name: "Accounts"},
			backend.Collection{ID: "/d/private/", Kind: backend.Contacts, Name: "Private"}, backend.Collection{ID: "/d/cal/", Kind: backend.Events, Name: "Accounts"})
		for _, tt := range []struct {
			pattern string
			want    int
		}{{"Accounts", 1}, {"/d/system/", 1}, {"/d/system", 1}, {"system", 1}, {"*", 2}, {"Acc*", 1}, {"cal", 0}, {"Nothing", 0}, {"[", 0}} {
			s := directory.NewShared("memory", b, backend.Credentials{User: "directory", Password: "right"}, tt.pattern)
			places, _, err := s.Open(t.Context())
			if len(places) != tt.want || (err == nil) != (tt.want > 0) {
				t.Errorf("%q: %v, %v, want %d", tt.pattern, places, err, tt.want)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		s := directory.NewShared("memory", b, backend.Credentials{User: "directory", Password: "hunter2"}, "*")
		for range 3 {
			if _, _, err := s.Open(t.Context()); backend.KindOf(err) != backend.Transient || strings.Contains(fmt.Sprintf("%v %#v %v", s, s, err), "hunter2") {
				t.Errorf("with a wrong password: error = %v, want kind Transient, for the phone's password is right", err)
			}
		}
		if n := b.Calls(memory.OpOpen); n > 20 {
			t.Errorf("the wrong password was tried %d times", n)
		}
		opens := b.Calls(memory.OpOpen)
		if _, _, err := s.Open(t.Context()); err == nil || b.Calls(memory.OpOpen) != opens {
			t.Errorf("a refused password was tried again at once: %v", err)
		}
		b.SetPassword("directory", "hunter2")
		time.Sleep(time.Hour)
		if places, _, err := s.Open(t.Context()); err != nil || len(places) != 2 {
			t.Errorf("later: %v, %v", places, err)
		}
	})
}
