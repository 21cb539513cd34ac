package calendar

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
)

var versions = []eas.Version{eas.V25, eas.V121, eas.V141, eas.V161}

// options are those of a person in Berlin on a day in 2026.
func options(v eas.Version) translate.Options {
	berlin, _ := tz.Location("Europe/Berlin")
	return translate.Options{Version: v, Zone: berlin, Self: []string{"ann@example.org"}, Now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), Item: "5:1"}
}

// corpus reads other people's files where there are any, an object of its own
// for each event in them, as calendar servers store them.
func corpus(t testing.TB) map[string][]byte {
	dir := os.Getenv("PUSHBRIDGE_CORPUS")
	if dir == "" {
		t.Skip("PUSHBRIDGE_CORPUS is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "ics", "*.ics"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	m := map[string][]byte{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m[filepath.Base(f)] = b
		for uid := range uids(b) {
			m[filepath.Base(f)+" "+uid] = alone(b, uid)
		}
	}
	return m
}

// maxEvents bounds how many events of one file are looked at.
const maxEvents = 3

// uids are those of the events of a file that has several.
func uids(ics []byte) map[string]bool {
	set := map[string]bool{}
	doc, err := contentline.Parse(ics)
	if err != nil {
		return nil
	}
	for _, cal := range doc.Components("VCALENDAR") {
		for _, c := range cal.Components("VEVENT") {
			if len(set) < maxEvents {
				set[c.Get("UID").Text()] = true
			}
		}
	}
	if len(set) < 2 {
		return nil
	}
	return set
}

// alone takes all other events out of a file.
func alone(ics []byte, uid string) []byte {
	doc, _ := contentline.Parse(ics)
	for _, cal := range doc.Components("VCALENDAR") {
		for _, c := range cal.Components("VEVENT") {
			if c.Get("UID").Text() != uid {
				cal.RemoveComponent(c)
			}
		}
	}
	return doc.Bytes()
}

// identity is the promise that everything rests on: what a phone is shown and
// sends back changes nothing.
func identity(t *testing.T, ics []byte, o translate.Options) {
	t.Helper()
	ps, err := FromICalendar(ics, o)
	if err != nil {
		if !errors.Is(err, translate.ErrUnreadable) && !errors.Is(err, translate.ErrNotShown) {
			t.Errorf("version %v: error %v is neither ErrUnreadable nor ErrNotShown", o.Version, err)
		}
		return
	}
	back, err := Merge(ics, ps, o)
	if err != nil {
		t.Errorf("version %v: what the phone was shown is refused: %v", o.Version, err)
		return
	}
	if !bytes.Equal(back, ics) {
		t.Errorf("version %v: a phone that changed nothing changed the object:\n%s", o.Version, difference(ics, back))
	}
}

// difference shows the lines in which two objects differ.
func difference(a, b []byte) []byte {
	x, y := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for len(x) > 0 && len(y) > 0 && bytes.Equal(x[0], y[0]) {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && bytes.Equal(x[len(x)-1], y[len(y)-1]) {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return append(append(append([]byte("- "), bytes.Join(x, []byte("\n- "))...), "\n+ "...), bytes.Join(y, []byte("\n+ "))...)
}

func TestCorpus(t *testing.T) {
	for name, ics := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			for _, v := range eas.Versions {
				identity(t, ics, options(v))
			}
			if _, err := Facts(ics, options(eas.V161)); err != nil && !errors.Is(err, translate.ErrUnreadable) && !errors.Is(err, translate.ErrNotShown) {
				t.Errorf("Facts: %v", err)
			}
		})
	}
}
