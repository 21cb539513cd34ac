package translate_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/contact"
	"github.com/pushbridge/pushbridge/bridge/translate/fidelity"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/bridge/translate/note"
	"github.com/pushbridge/pushbridge/bridge/translate/task"
)

var update = flag.Bool("update", false, "write FIDELITY.md anew")

// classes are those of the sheet, in its order.
var classes = []fidelity.Class{
	contact.Sheet(),
	calendar.Sheet(),
	task.Sheet(),
	note.Sheet(),
	mail.Sheet(),
}

// TestSheet: there is no property of a class of which the sheet does not say
// what becomes of it, and the page in the tree says what the tables say.
func TestSheet(t *testing.T) {
	for _, c := range classes {
		for _, fault := range c.Faults() {
			t.Errorf("%s: %s", c.Name, fault)
		}
	}
	want := fidelity.Markdown(classes)
	if *update {
		if err := os.WriteFile("FIDELITY.md", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("FIDELITY.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("FIDELITY.md is not what the tables say (go test -run TestSheet -update), -tables +page:\n%s", cmp.Diff(string(want), string(got)))
	}
}
