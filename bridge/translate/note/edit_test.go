package note

import (
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/translatetest"
)

// TestOneEditChangesItsLines tries each edit on every journal: no line of
// another property comes or goes, but for the time stamps.
func TestOneEditChangesItsLines(t *testing.T) {
	for name, object := range samples {
		t.Run(name, func(t *testing.T) { editEverything(t, []byte(object)) })
	}
	t.Run("corpus", func(t *testing.T) {
		for _, object := range translatetest.Objects(t, "ics", "VJOURNAL") {
			t.Run(object.Name, func(t *testing.T) { editEverything(t, object.Body) })
		}
	})
}

func editEverything(t *testing.T, object []byte) {
	shown, err := FromICalendar(object, options(eas.V161))
	if err != nil {
		t.Skip(err)
	}
	for _, edit := range []struct {
		sent eas.Element
		own  []string
	}{
		{eas.T(tag.NotesSubject, "Other; \"things\""), []string{"SUMMARY"}},
		{body("Other\r\nthings"), []string{"DESCRIPTION", "X-ALT-DESC"}},
		{eas.C(tag.NotesCategories, eas.T(tag.NotesCategory, "New")), []string{"CATEGORIES"}},
	} {
		sent := append(slices.DeleteFunc(slices.Clone(shown), func(e eas.Element) bool { return e.Tag == edit.sent.Tag }), edit.sent)
		got, err := Merge(object, sent, options(eas.V161))
		if err != nil {
			t.Fatal(err)
		}
		before, after := unfolded(object), unfolded(got)
		for _, line := range append(missing(before, after), missing(after, before)...) {
			name := line[:strings.IndexAny(line+":", ":;")]
			if !slices.Contains(append(edit.own, "DTSTAMP", "LAST-MODIFIED"), name) {
				t.Errorf("a change of %s changed the line %q", tag.Name(edit.sent.Tag), line)
			}
		}
	}
}

func unfolded(object []byte) []string {
	s := strings.ReplaceAll(string(object), "\r\n", "\n")
	return strings.Split(strings.NewReplacer("\n ", "", "\n\t", "").Replace(s), "\n")
}

// missing are the lines of a that b has not.
func missing(a, b []string) []string {
	b = slices.Clone(b)
	return slices.DeleteFunc(slices.Clone(a), func(line string) bool {
		i := slices.Index(b, line)
		if i >= 0 {
			b = slices.Delete(b, i, i+1)
		}
		return i >= 0
	})
}
