package task

import (
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/translatetest"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// An edit changes one property of a task, and with it lines of these names.
type edit struct {
	name string
	set  func(eas.Properties) eas.Properties
	own  []string
}

func text(t wbxml.Tag, s string) func(eas.Properties) eas.Properties {
	return func(ps eas.Properties) eas.Properties { return set(slices.Clone(ps), t, s) }
}

var edits = []edit{
	{"another name", text(tag.TasksSubject, "Other; \"things\", \\n"), []string{"SUMMARY"}},
	{"no name", text(tag.TasksSubject, ""), []string{"SUMMARY"}},
	{"low", text(tag.TasksImportance, "0"), []string{"PRIORITY"}},
	{"high", text(tag.TasksImportance, "2"), []string{"PRIORITY"}},
	{"confidential", text(tag.TasksSensitivity, "3"), []string{"CLASS"}},
	{"ticked off", text(tag.TasksComplete, "1"), []string{"STATUS", "COMPLETED", "PERCENT-COMPLETE"}},
	{"open again", text(tag.TasksComplete, "0"), []string{"STATUS", "COMPLETED", "PERCENT-COMPLETE"}},
	{"other categories", func(ps eas.Properties) eas.Properties {
		return append(without(ps, tag.TasksCategories), eas.C(tag.TasksCategories, eas.T(tag.TasksCategory, "New")))
	}, []string{"CATEGORIES"}},
	{"no categories", func(ps eas.Properties) eas.Properties { return without(ps, tag.TasksCategories) }, []string{"CATEGORIES"}},
	{"another text", func(ps eas.Properties) eas.Properties {
		return append(without(ps, tag.AirSyncBaseBody), eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, "New")))
	}, []string{"DESCRIPTION", "X-ALT-DESC"}},
	{"a reminder", func(ps eas.Properties) eas.Properties {
		return set(set(slices.Clone(ps), tag.TasksReminderSet, "1"), tag.TasksReminderTime, "2027-01-01T08:00:00.000Z")
	}, []string{"BEGIN", "END", "ACTION", "DESCRIPTION", "TRIGGER"}},
	{"due at another day", func(ps eas.Properties) eas.Properties {
		return set(without(ps, tag.TasksUtcDueDate), tag.TasksDueDate, "2098-12-31T00:00:00.000Z")
	}, []string{"DUE", "DURATION"}},
	{"a place in the list", text(tag.TasksOrdinalDate, "2027-01-01T08:00:00.000Z"), []string{ordinal}},
}

// TestOneEditChangesItsLines tries each edit on every to-do: no line of another
// property comes or goes, and what the phone is shown then changes nothing.
func TestOneEditChangesItsLines(t *testing.T) {
	for name, ics := range samples {
		t.Run(name, func(t *testing.T) { editEverything(t, ics) })
	}
	t.Run("corpus", func(t *testing.T) {
		for _, object := range translatetest.Objects(t, "ics", "VTODO") {
			t.Run(object.Name, func(t *testing.T) { editEverything(t, object.Body) })
		}
	})
}

func editEverything(t *testing.T, ics []byte) {
	o := options(eas.V161)
	shown, err := FromICalendar(ics, o)
	if err != nil {
		t.Skip(err)
	}
	for _, e := range edits {
		sent := e.set(shown)
		got, err := Merge(ics, sent, o)
		if err != nil {
			if e.name == "due at another day" && strings.Contains(err.Error(), "recurs in this way") {
				continue // refused by name: its rule is not shown
			}
			t.Errorf("%s: %v", e.name, err)
			continue
		}
		gone, added := lines(unfolded(ics), unfolded(got))
		for _, line := range append(gone, added...) {
			name := strings.ToUpper(line[:strings.IndexAny(line+":", ":;")])
			if name != "LAST-MODIFIED" && !slices.Contains(e.own, name) {
				t.Errorf("%s changed the line %q", e.name, line)
			}
		}
		identity(t, got, o)
	}
}

// unfolded joins the folds of both kinds of line endings.
func unfolded(ics []byte) []byte {
	s := strings.ReplaceAll(string(ics), "\r\n", "\n")
	s = strings.NewReplacer("\n ", "", "\n\t", "").Replace(s)
	return []byte(strings.ReplaceAll(s, "\n", "\r\n"))
}
