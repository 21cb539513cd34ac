package translate_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contact"
	"github.com/pushbridge/pushbridge/bridge/translate/note"
	"github.com/pushbridge/pushbridge/bridge/translate/task"
	"github.com/pushbridge/pushbridge/bridge/translate/translatetest"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// kinds are the classes of which the corpus has objects.
var kinds = []struct {
	name, files, component string
	translatetest.Translation
}{
	{"contacts", "vcf", "VCARD", translatetest.Translation{Show: contact.FromVCard, New: contact.New}},
	{"tasks", "ics", "VTODO", translatetest.Translation{Show: task.FromICalendar, New: task.New}},
	{"notes", "ics", "VJOURNAL", translatetest.Translation{Show: note.FromICalendar, New: note.New}},
}

// TestCorpusGoesToEveryPhone: every object of the corpus goes to a phone of
// every version and keeps the schemas, or is refused by name; what a phone was shown makes a new
// object that is shown as the first one was, and the third as the second.
func TestCorpusGoesToEveryPhone(t *testing.T) {
	berlin, _ := tz.Location("Europe/Berlin")
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			shown, refused := 0, map[string]string{}
			answers := map[eas.Version][]eas.SyncCommand{}
			for _, object := range translatetest.Objects(t, k.files, k.component) {
				for _, v := range eas.Versions {
					o := translate.Options{Version: v, Zone: berlin, Now: time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)}
					p, err := k.Show(object.Body, o)
					switch {
					case k.name == "notes" && v < eas.V140 && errors.Is(err, translate.ErrNotShown):
					case errors.Is(err, translate.ErrUnreadable), errors.Is(err, translate.ErrNotShown):
						refused[object.Name] = err.Error()
					case err != nil:
						t.Errorf("%s to %v: %v", object.Name, v, err)
					default:
						shown++
						answers[v] = append(answers[v], eas.SyncCommand{Do: tag.AirSyncAdd, ServerID: fmt.Sprintf("1:%d", shown), Data: p})
						roundTrips(t, object.Name, k.Translation, p, o)
					}
				}
			}
			t.Logf("%d times an object was shown", shown)
			for name, why := range refused {
				t.Logf("refused: %s: %s", name, why)
			}
			if shown == 0 {
				t.Errorf("no object was shown")
			}
			for v, commands := range answers {
				doc, err := eas.Marshal(eas.SyncResponse{Collections: []eas.SyncResult{{SyncKey: "1", CollectionID: "1", Status: eas.SyncOK, Commands: commands}}}, v)
				if err != nil {
					t.Fatal(err)
				}
				eastest.Validate(t, doc)
			}
		})
	}
}

// roundTrips makes objects of what was shown.
func roundTrips(t *testing.T, name string, tr translatetest.Translation, first eas.Properties, o translate.Options) {
	t.Helper()
	one, second := again(t, name, tr, first, o)
	two, third := again(t, name, tr, second, o)
	if d := cmp.Diff(string(one), string(two)); d != "" {
		t.Errorf("%s, %v: the second trip makes another object than the first, -first +second:\n%s", name, o.Version, d)
	}
	if d := cmp.Diff(comparable(first), comparable(second)); d != "" {
		t.Errorf("%s, %v: what comes back is not what was sent, -sent +back:\n%s", name, o.Version, d)
	}
	if d := cmp.Diff(second, third); d != "" {
		t.Errorf("%s, %v: it is not stable after one trip, -second +third:\n%s", name, o.Version, d)
	}
}

func again(t *testing.T, name string, tr translatetest.Translation, p eas.Properties, o translate.Options) ([]byte, eas.Properties) {
	t.Helper()
	object, err := tr.New("uid", p, o)
	if err != nil {
		t.Fatalf("%s, %v: %v", name, o.Version, err)
	}
	shown, err := tr.Show(object, o)
	if err != nil {
		t.Fatalf("%s, %v: %v", name, o.Version, err)
	}
	return object, shown
}

// made are properties that the server makes, so that a new object has its own.
var made = map[wbxml.Tag]bool{tag.NotesLastModifiedDate: true, tag.ContactsFileAs: true}

// comparable is what was shown, in one order and without what the server makes.
func comparable(p eas.Properties) eas.Properties {
	p = slices.DeleteFunc(slices.Clone(p), func(e eas.Element) bool { return made[e.Tag] })
	slices.SortStableFunc(p, func(a, b eas.Element) int { return int(a.Tag) - int(b.Tag) })
	return p
}
