package localdir_test

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/localdir"
)

// news lists what happened since a cursor.
func news(t *testing.T, s backend.Session, c backend.CollectionID, since backend.Cursor) (map[backend.ItemID]backend.Change, backend.Cursor) {
	t.Helper()
	got := make(map[backend.ItemID]backend.Change)
	next, err := s.Changes(t.Context(), c, since, func(batch []backend.Change) error {
		for _, ch := range batch {
			got[ch.ID] = ch
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Changes: %v", err)
	}
	return got, next
}

// TestNoEditIsMissed overwrites a file in place again and again, keeping its
// size, its inode and the time of its modification: what a stamp cannot tell
// within one tick of the clock.
func TestNoEditIsMissed(t *testing.T) {
	b, dir := build(t, "contacts/a.vcf")
	s := open(t, b)
	path := filepath.Join(dir, "ann/contacts/a.vcf")
	when := time.Now().Add(-time.Hour)
	_, cursor := news(t, s, "contacts", "")
	for i := range 100 {
		write(t, path, "BEGIN:VCARD\r\nFN:"+string(rune('A'+i%26))+"\r\nEND:VCARD\r\n")
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
		var got map[backend.ItemID]backend.Change
		if got, cursor = news(t, s, "contacts", cursor); len(got) != 1 {
			t.Fatalf("edit %d: Changes tells %v, want the edit\nThe phone would show what was there before, for ever.", i, got)
		}
	}
}

func TestTouchingIsNoEdit(t *testing.T) {
	b, dir := build(t, "contacts/a.vcf")
	s := open(t, b)
	_, cursor := news(t, s, "contacts", "")
	path := filepath.Join(dir, "ann/contacts/a.vcf")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, path, string(data))
	if got, _ := news(t, s, "contacts", cursor); len(got) != 0 {
		t.Errorf("Changes tells %v of a file with the same content", got)
	}
}

func TestWhatOthersDo(t *testing.T) {
	b, dir := build(t, "contacts/a.vcf", "contacts/b.vcf", "contacts/c.vcf")
	s := open(t, b)
	home := filepath.Join(dir, "ann/contacts")
	all, cursor := news(t, s, "contacts", "")
	if len(all) != 3 {
		t.Fatalf("listed %v, want three items", all)
	}
	for _, err := range []error{
		os.Remove(filepath.Join(home, "a.vcf")),
		os.Rename(filepath.Join(home, "b.vcf"), filepath.Join(home, "d.vcf")),
		os.Mkdir(filepath.Join(home, "dir.vcf"), 0o755),
		os.Symlink("/etc/passwd", filepath.Join(home, "link.vcf")),
		os.WriteFile(filepath.Join(home, ".hidden.vcf"), nil, 0o644),
		os.WriteFile(filepath.Join(home, "readme.txt"), nil, 0o644),
		os.WriteFile(filepath.Join(home, "\xff odd.VCF"), []byte("BEGIN:VCARD"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	odd := backend.ItemID(":ff206f64642e564346")
	got, cursor := news(t, s, "contacts", cursor)
	if len(got) != 4 || !got["a.vcf"].Removed || !got["b.vcf"].Removed || got["d.vcf"].Revision != all["b.vcf"].Revision || got[odd].Revision == "" {
		t.Errorf("Changes tells %v, want a and b removed, d and the odd one new", got)
	}
	if err := s.Delete(t.Context(), "contacts", odd, got[odd].Revision); err != nil {
		t.Errorf("deleting a file whose name is not UTF-8: %v", err)
	}
	if got, _ = news(t, s, "contacts", cursor); len(got) != 1 || !got[odd].Removed {
		t.Errorf("Changes tells %v, want the odd one removed", got)
	}
}

// TestNoWayOut tries names that lead elsewhere.
func TestNoWayOut(t *testing.T) {
	b, dir := build(t, "contacts/a.vcf")
	write(t, filepath.Join(dir, "secret.vcf"), "BEGIN:VCARD")
	for _, err := range []error{
		os.Symlink(filepath.Join(dir, "secret.vcf"), filepath.Join(dir, "ann/contacts/link.vcf")),
		os.MkdirAll(filepath.Join(dir, "bob/contacts"), 0o755),
		os.Symlink("../bob/contacts", filepath.Join(dir, "ann/bobs")),
		os.WriteFile(filepath.Join(dir, "ann/contacts/.collection.toml"), nil, 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "bob/contacts/b.vcf"), "BEGIN:VCARD")
	s := open(t, b)
	for _, c := range []backend.CollectionID{"../bob/contacts", "..", ".", "", "bobs", "contacts/", "contacts/../../bob/contacts", ":2e2e", "\x00"} {
		if _, err := s.Changes(t.Context(), c, "", nil); backend.KindOf(err) != backend.NotFound {
			t.Errorf("collection %q: %v, want kind %v", c, err, backend.NotFound)
		}
	}
	for _, id := range []backend.ItemID{"../../secret.vcf", "link.vcf", "/etc/passwd", ".collection.toml", "..", ":2e2e2f2e2e2f7365637265742e766366", "a.vcf\x00"} {
		err := s.Get(t.Context(), "contacts", []backend.ItemID{id}, func(f backend.Fetched) error {
			t.Errorf("item %q: %d bytes, %v", id, len(f.Body), f.Err)
			return nil
		})
		if err != nil {
			t.Errorf("item %q: %v", id, err)
		}
		if err := s.Delete(t.Context(), "contacts", id, ""); backend.KindOf(err) != backend.NotFound {
			t.Errorf("deleting %q: %v, want kind %v", id, err, backend.NotFound)
		}
	}
	for _, id := range []backend.ItemID{"../x", "a.b", "", ".x"} {
		_, err := s.Put(t.Context(), "contacts", backend.Item{ID: id, MediaType: "text/vcard", Body: []byte("x")})
		if backend.KindOf(err) != backend.Invalid {
			t.Errorf("creating %q: %v, want kind %v", id, err, backend.Invalid)
		}
	}
}

func TestUnreadableAndTooLarge(t *testing.T) {
	b, dir := build(t, "contacts/a.vcf", "contacts/large.vcf")
	if err := os.Truncate(filepath.Join(dir, "ann/contacts/large.vcf"), backend.MaxItemSize+1); err != nil {
		t.Fatal(err)
	}
	s := open(t, b)
	all, _ := news(t, s, "contacts", "")
	if all["large.vcf"].Revision == "" || len(all) != 2 {
		t.Errorf("listed %v, want the large item, too", all)
	}
	kinds := make(map[backend.ItemID]error)
	err := s.Get(t.Context(), "contacts", []backend.ItemID{"large.vcf", "a.vcf", "none.vcf"}, func(f backend.Fetched) error {
		kinds[f.ID] = f.Err
		return nil
	})
	if err != nil || len(kinds) != 2 || kinds["a.vcf"] != nil || backend.KindOf(kinds["large.vcf"]) != backend.TooLarge {
		t.Errorf("Get answers %v, %v, want the small item and that the other is too large", kinds, err)
	}
	_, err = s.Put(t.Context(), "contacts", backend.Item{ID: "x", MediaType: "text/vcard", Body: make([]byte, backend.MaxItemSize+1)})
	if backend.KindOf(err) != backend.TooLarge {
		t.Errorf("Put of too large an item: %v", err)
	}
	for name, it := range map[string]backend.Item{
		"another type": {ID: "x", MediaType: "text/calendar", Body: []byte("x")},
		"nothing":      {ID: "x", MediaType: "text/vcard"},
	} {
		if _, err := s.Put(t.Context(), "contacts", it); backend.KindOf(err) != backend.Invalid {
			t.Errorf("Put of %s: %v, want kind %v", name, err, backend.Invalid)
		}
	}
}

func TestKinds(t *testing.T) {
	b, dir := build(t, "Contacts/-", "plain/x.vcf", "empty/-", "todo/-", "journal/j.ics", "mixed/t.ics", "named/-", "away/-", ".git/-")
	write(t, filepath.Join(dir, "ann/mixed/t.ics"), "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nEND:VTIMEZONE\r\nBEGIN:VTODO\r\nEND:VTODO\r\nEND:VCALENDAR\r\n")
	write(t, filepath.Join(dir, "ann/named/.collection.toml"), "kind = \"notes\"\nname = \"Ideas\"\ncolour = \"#ff0000\"\nread_only = true\ndefault = true\n")
	write(t, filepath.Join(dir, "ann/away/.collection.toml"), "kind = \"events\"\ntime_zone = \"Asia/Tokyo\"\n")
	write(t, filepath.Join(dir, "ann/file.vcf"), "BEGIN:VCARD")
	s := open(t, b)
	want := map[backend.CollectionID]backend.Collection{
		"Contacts": {ID: "Contacts", Kind: backend.Contacts, Name: "Contacts"},
		"plain":    {ID: "plain", Kind: backend.Contacts, Name: "plain"},
		"todo":     {ID: "todo", Kind: backend.Tasks, Name: "todo"},
		"journal":  {ID: "journal", Kind: backend.Notes, Name: "journal"},
		"mixed":    {ID: "mixed", Kind: backend.Tasks, Name: "mixed"},
		"away":     {ID: "away", Kind: backend.Events, Name: "away", Zone: "Asia/Tokyo"},
		"named":    {ID: "named", Kind: backend.Notes, Name: "Ideas", Colour: "#ff0000", ReadOnly: true, Default: true},
	}
	list, err := s.Collections(t.Context())
	if err != nil || len(list) != len(want) {
		t.Fatalf("collections = %+v, %v, want %d", list, err, len(want))
	}
	for _, c := range list {
		if c != want[c.ID] {
			t.Errorf("collection %+v, want %+v", c, want[c.ID])
		}
	}
	if err := os.Remove(filepath.Join(dir, "ann/mixed/t.ics")); err != nil {
		t.Fatal(err)
	}
	if list, err = s.Collections(t.Context()); err != nil || len(list) != len(want) {
		t.Errorf("after its last item went, a collection went, too: %+v, %v", list, err)
	}
	for name, text := range map[string]string{
		"a kind that there is not": "kind = \"mail\"\n", "a key that there is not": "color = \"#ff0000\"\n", "no TOML": "kind", "no end": strings.Repeat("#", 100_000),
	} {
		write(t, filepath.Join(dir, "ann/named/.collection.toml"), text)
		if list, err = s.Collections(t.Context()); err == nil {
			t.Errorf("%s: the list is %+v, want an error rather than a shorter list", name, list)
		}
	}
}

// TestMissingDirectory has a disk that is not mounted: that is no person
// without collections.
func TestMissingDirectory(t *testing.T) {
	b, _ := build(t)
	s := open(t, b)
	if list, err := s.Collections(t.Context()); backend.KindOf(err) != backend.Transient {
		t.Errorf("collections = %v, %v, want kind %v", list, err, backend.Transient)
	}
	if _, err := s.Changes(t.Context(), "contacts", "", nil); backend.KindOf(err) != backend.Transient {
		t.Errorf("Changes: %v, want kind %v", err, backend.Transient)
	}
}

func TestRestart(t *testing.T) {
	b, dir := build(t, "contacts/a.vcf")
	before, cursor := news(t, open(t, b), "contacts", "")
	again, err := localdir.Open(t.Context(), backend.Settings{"dir": dir, "users": map[string]any{"ann": "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	s := open(t, again)
	if _, err := s.Changes(t.Context(), "contacts", cursor, nil); backend.KindOf(err) != backend.Expired {
		t.Errorf("a cursor of an earlier run: %v, want kind %v", err, backend.Expired)
	}
	if after, _ := news(t, s, "contacts", ""); after["a.vcf"] != before["a.vcf"] {
		t.Errorf("after a restart the item is %v, want %v\nEvery phone would load everything again.", after["a.vcf"], before["a.vcf"])
	}
}

// TestTwoProcesses writes through two backends at a time, as two plugins do.
func TestTwoProcesses(t *testing.T) {
	b, dir := build(t, "contacts/a.vcf")
	other, err := localdir.Open(t.Context(), backend.Settings{"dir": dir, "users": map[string]any{"ann": "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	write(t, filepath.Join(dir, "ann/contacts/.draft-OLD"), "half")
	sessions := []backend.Session{open(t, b), open(t, other)}
	for i := range 20 {
		all, _ := news(t, sessions[0], "contacts", "")
		won := make(chan error, 2)
		for n, s := range sessions {
			go func() {
				_, err := s.Put(t.Context(), "contacts", backend.Item{ID: "a.vcf", Revision: all["a.vcf"].Revision, MediaType: "text/vcard", Body: []byte("BEGIN:VCARD\r\nFN:" + string(rune('A'+i)) + string(rune('0'+n)) + "\r\n")})
				won <- err
			}()
		}
		one, two := <-won, <-won
		if one != nil {
			one, two = two, one
		}
		if one != nil || backend.KindOf(two) != backend.Conflict {
			t.Fatalf("two writers of one revision get %v and %v, want one Conflict", one, two)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "ann/contacts/.draft-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestLogin(t *testing.T) {
	dir := t.TempDir()
	users := filepath.Join(dir, "users")
	hash, err := localdir.Hash("hush")
	if err != nil {
		t.Fatal(err)
	}
	const quick = "{PBKDF2-SHA256}1000$c2FsdA$" // and what few rounds come to, which the table tries often
	sum, err := pbkdf2.Key(sha256.New, "hush", []byte("salt"), 1000, sha256.Size)
	if err != nil {
		t.Fatal(err)
	}
	few := quick + base64.RawStdEncoding.EncodeToString(sum)
	write(t, users, "# people\nann:sec:ret\nempty:\n../x:secret\nhannah:"+few+"\nhilda:"+hash+"\nbroken:{PBKDF2-SHA256}1$x\n")
	b, err := localdir.Open(t.Context(), backend.Settings{"dir": dir, "users_file": users})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, tc := range []struct {
		user, password string
		want           backend.Kind
	}{
		{"ann", "sec:ret", backend.Other}, {"ann", "sec", backend.Denied}, {"ann", "", backend.Denied}, {"bob", "sec:ret", backend.Denied},
		{"hannah", "hush", backend.Other}, {"hannah", "hush!", backend.Denied}, {"hannah", few, backend.Denied}, {"hilda", "hush", backend.Other},
		{"broken", "x", backend.Denied}, {"broken", "{PBKDF2-SHA256}1$x", backend.Denied},
		{"empty", "", backend.Denied}, {"", "", backend.Denied}, {"../x", "secret", backend.Denied}, {"# people", "", backend.Denied},
	} {
		if _, err := b.Open(t.Context(), backend.Credentials{User: tc.user, Password: tc.password}); (err == nil) != (tc.want == backend.Other) || err != nil && backend.KindOf(err) != tc.want {
			t.Errorf("%s with %q: %v, want kind %v", tc.user, tc.password, err, tc.want)
		}
	}
	if err := os.Remove(users); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open(t.Context(), ann); backend.KindOf(err) != backend.Transient {
		t.Errorf("without the file of users: %v, want kind %v, never Denied", err, backend.Transient)
	}
}

func TestSettings(t *testing.T) {
	for _, tc := range []struct {
		name string
		s    backend.Settings
		want string
	}{
		{"nothing", backend.Settings{}, "dir must be set"},
		{"nobody", backend.Settings{"dir": "/d"}, "nobody may log in"},
		{"an unknown key", backend.Settings{"dir": "/d", "user": "x"}, "user is not known"},
		{"a path for a user", backend.Settings{"dir": "/d", "users": map[string]any{"../x": "y"}}, "cannot be the name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := localdir.Open(t.Context(), tc.s); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error = %v, want one with %q", err, tc.want)
			}
		})
	}
}

// hints begins to watch and answers the channel of what is told.
func hints(t *testing.T, s backend.Session, cs ...backend.CollectionID) (<-chan backend.CollectionID, <-chan error) {
	t.Helper()
	w, ok := backend.As[backend.Watcher](s)
	if !ok {
		t.Fatal("the session is no Watcher")
	}
	told, ended, ready := make(chan backend.CollectionID, 1000), make(chan error, 1), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() { ended <- w.Watch(ctx, cs, func() { close(ready) }, func(c backend.CollectionID) { told <- c }) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("Watch: %v", err)
	}
	return told, ended
}

func TestWatchOutside(t *testing.T) {
	b, dir := build(t, "contacts/a.vcf", "friends/x.vcf")
	told, ended := hints(t, open(t, b), "contacts", "")
	write(t, filepath.Join(dir, "ann/contacts/a.vcf"), "BEGIN:VCARD\r\nFN:other\r\n")
	if c := <-told; c != "contacts" {
		t.Errorf("told of %q, want contacts", c)
	}
	if err := os.Mkdir(filepath.Join(dir, "ann/calendar"), 0o755); err != nil {
		t.Fatal(err)
	}
	for c := range told {
		if c == "" {
			break // the list of collections changed
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "ann/contacts")); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; backend.KindOf(err) != backend.Transient {
		t.Errorf("Watch of a directory that went away ends with %v, want kind %v", err, backend.Transient)
	}
	// A new one of the same name is watched anew.
	if err := os.Mkdir(filepath.Join(dir, "ann/contacts"), 0o755); err != nil {
		t.Fatal(err)
	}
	told, _ = hints(t, open(t, b), "contacts")
	write(t, filepath.Join(dir, "ann/contacts/b.vcf"), "BEGIN:VCARD\r\n")
	<-told
}

func TestCloseEndsWatching(t *testing.T) {
	b, _ := build(t, "contacts/a.vcf")
	s := open(t, b)
	_, ended := hints(t, s, "contacts")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; backend.KindOf(err) != backend.Transient {
		t.Errorf("Watch ends with %v, want kind %v", err, backend.Transient)
	}
	if err := s.(backend.Watcher).Watch(t.Context(), []backend.CollectionID{"contacts"}, func() {}, nil); backend.KindOf(err) != backend.Transient {
		t.Errorf("Watch after Close: %v, want kind %v", err, backend.Transient)
	}
	if err := s.(backend.Watcher).Watch(t.Context(), []backend.CollectionID{"none"}, func() {}, nil); backend.KindOf(err) != backend.NotFound {
		t.Errorf("Watch of a missing collection: %v, want kind %v", err, backend.NotFound)
	}
}

func TestListingCanBeStopped(t *testing.T) {
	b, _ := build(t, "contacts/a.vcf")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := open(t, b).Changes(ctx, "contacts", "", nil); backend.KindOf(err) != backend.Transient || !errors.Is(err, context.Canceled) {
		t.Errorf("Changes with an ended context: %v", err)
	}
}
