package phone

import (
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// TestAnEditGoesUponWhatThePhoneWasToldLast lets the server tell of an item
// whose edit the phone has not sent: a phone that sends whole items must not
// send back what the server just replaced.
func TestAnEditGoesUponWhatThePhoneWasToldLast(t *testing.T) {
	p := &Phone{folders: map[string]*Folder{"1": {Folder: eas.Folder{ServerID: "1"}, Class: eas.ClassTasks, Items: map[string]eas.Properties{
		"1:1": {eas.T(tag.TasksSubject, "old"), eas.T(tag.TasksImportance, "1")},
	}}}}
	if err := p.Change("1", "1:1", eas.Properties{eas.T(tag.TasksImportance, "2")}); err != nil {
		t.Fatal(err)
	}
	f := p.folders["1"]
	f.tell("1:1", eas.Properties{eas.T(tag.TasksSubject, "new"), eas.T(tag.TasksImportance, "1")})
	for what, item := range map[string]eas.Properties{"holds": f.Items["1:1"], "sends": f.queued[0].Data} {
		subject, _ := item.Text(tag.TasksSubject)
		importance, _ := item.Text(tag.TasksImportance)
		if subject != "new" || importance != "2" {
			t.Errorf("the phone %s %q of importance %s, want the server's subject and its owner's importance", what, subject, importance)
		}
	}
}
