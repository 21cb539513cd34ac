package sample_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"
	"github.com/emersion/go-vcard"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/localdir"
	"github.com/pushbridge/pushbridge/plugins/localdir/sample"
)

// TestEveryFileIsRead writes the data on several days and reads every file as
// a strict program would.
func TestEveryFileIsRead(t *testing.T) {
	for _, now := range []time.Time{
		time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), time.Date(2028, 2, 29, 23, 59, 0, 0, time.UTC), time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC),
	} {
		t.Run(now.Format(time.DateOnly), func(t *testing.T) {
			dir := t.TempDir()
			if err := sample.Write(dir, now); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(dir, sample.User, "*", "*.*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if filepath.Base(filepath.Dir(f)) == "Maildir" {
					continue // a folder; see TestMail
				}
				data, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				read(t, f, string(data))
			}
		})
	}
}

func read(t *testing.T, path, data string) {
	t.Helper()
	name := filepath.Base(path)
	for line := range strings.SplitSeq(data, "\n") {
		if strings.HasPrefix(name, ".") {
			break
		}
		if line != "" && !strings.HasSuffix(line, "\r") || len(line) > 76 {
			t.Errorf("%s: line %q", name, line)
		}
	}
	switch filepath.Ext(name) {
	case ".vcf":
		card, err := vcard.NewDecoder(strings.NewReader(data)).Decode()
		if err != nil || card.Value("FN") == "" || card.Value("UID") == "" {
			t.Errorf("%s: %v, name %q", name, err, card.Value("FN"))
		}
	case ".ics":
		cal, err := ical.NewDecoder(strings.NewReader(data)).Decode()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		for _, e := range cal.Events() {
			start, err := e.DateTimeStart(time.UTC)
			end, err2 := e.DateTimeEnd(time.UTC)
			if err != nil || err2 != nil || !end.After(start) {
				t.Errorf("%s: from %v (%v) to %v (%v)", name, start, err, end, err2)
			}
			set, err := e.RecurrenceSet(time.UTC)
			if err != nil {
				t.Errorf("%s: rule: %v", name, err)
			} else if set != nil && !set.GetRRule().GetDTStart().Equal(set.GetRRule().All()[0]) && set.GetRRule().OrigOptions.Count > 0 {
				t.Errorf("%s: the series does not begin with its first event", name)
			} else if set != nil && !set.GetRRule().After(start, true).Equal(start) {
				t.Errorf("%s: the series begins at %v, want %v", name, set.GetRRule().After(start, true), start)
			}
		}
	}
}

func TestCollections(t *testing.T) {
	dir := t.TempDir()
	if err := sample.Write(dir, time.Now()); err != nil {
		t.Fatal(err)
	}
	b, err := localdir.Open(t.Context(), backend.Settings{"dir": dir, "users": map[string]any{sample.User: "demo"}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s, err := b.Open(t.Context(), backend.Credentials{User: sample.User, Password: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	least := map[backend.CollectionID]int{"contacts": 25, "calendar": 10, "family": 9, "tasks": 8, "notes": 5}
	if len(list) != len(least) {
		t.Errorf("collections %+v, want %d", list, len(least))
	}
	for _, c := range list {
		n := 0
		if _, err := s.Changes(t.Context(), c.ID, "", func(cs []backend.Change) error { n += len(cs); return nil }); err != nil || n < least[c.ID] {
			t.Errorf("%s has %d items, %v, want at least %d", c.ID, n, err, least[c.ID])
		}
	}
}

func TestWhatIsThereIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := sample.Write(dir, time.Now()); err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Join(dir, sample.User, "notes", "sample-note-01.ics"))
	}
	if _, err := os.Stat(filepath.Join(dir, sample.User, "notes", "sample-note-01.ics")); !os.IsNotExist(err) {
		t.Errorf("a note that was deleted came back (%v)", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}
