package calendar

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

func fileID(value string) string {
	h := sha256.Sum256([]byte(value))
	return hex.EncodeToString(h[:8])
}

func TestAttachments(t *testing.T) {
	ps, err := FromICalendar(samples["files"], options(eas.V161))
	if err != nil {
		t.Fatal(err)
	}
	el, _ := ps.Find(tag.AirSyncBaseAttachments)
	var got []translate.Attachment
	for _, a := range el.Children {
		reference, _ := eas.Properties(a.Children).Text(tag.AirSyncBaseFileReference)
		item, part, ok := translate.SplitFileReference(reference)
		if !ok || item != "5:1" {
			t.Errorf("FileReference %q does not name the item", reference)
		}
		file, err := Attachment(samples["files"], part)
		if err != nil {
			t.Error(err)
		}
		if name, _ := eas.Properties(a.Children).Text(tag.AirSyncBaseDisplayName); name != file.Name {
			t.Errorf("a file is shown as %q and fetched as %q", name, file.Name)
		}
		got = append(got, file)
	}
	if len(got) != 2 || got[0].Name != "agenda.pdf.html" || !strings.Contains(string(got[0].Data), `href="https://example.org/doc/agenda.pdf?x=1"`) ||
		got[1].Name != "notes.txt" || got[1].MediaType != "text/plain" || string(got[1].Data) != "Hello" {
		t.Errorf("attachments = %q", got)
	}
	if _, err := Attachment(samples["files"], "0123456789abcdef"); !errors.Is(err, translate.ErrNoAttachment) {
		t.Errorf("one that is not there: %v", err)
	}
	for _, o := range []translate.Options{{Version: eas.V141, Item: "5:1"}, {Version: eas.V161}} {
		o.Now = options(eas.V161).Now
		if ps, _ := FromICalendar(samples["files"], o); get(ps, tag.AirSyncBaseAttachments) != "-" {
			t.Errorf("attachments in %v without a way to ask for them", o.Version)
		}
	}
}

// TestAttached: the answer to an Add names the file as the item will.
func TestAttached(t *testing.T) {
	o := options(eas.V161)
	sent := eas.Properties{eas.C(tag.AirSyncBaseAttachments, eas.C(tag.AirSyncBaseAdd, eas.T(tag.AirSyncBaseClientId, "c1"), eas.T(tag.AirSyncBaseMethod, "1"),
		eas.T(tag.AirSyncBaseDisplayName, "a.txt"), eas.T(tag.AirSyncBaseContent, "SGVs\nbG8=")))}
	ics, err := Merge(samples["utc"], sent, o)
	if err != nil {
		t.Fatal(err)
	}
	answer := Attached(sent, o)
	want := get(answer, tag.AirSyncBaseAttachments, tag.AirSyncBaseAttachment, tag.AirSyncBaseFileReference)
	ps, err := FromICalendar(ics, o)
	if got := get(ps, tag.AirSyncBaseAttachments, tag.AirSyncBaseAttachment, tag.AirSyncBaseFileReference); err != nil || got != want || get(answer, tag.AirSyncBaseAttachments, tag.AirSyncBaseAttachment, tag.AirSyncBaseClientId) != "c1" {
		t.Errorf("the answer names %q, the item %q, %v", want, got, err)
	}
	if answer := Attached(eas.Properties{eas.T(tag.CalendarSubject, "x")}, o); answer != nil {
		t.Errorf("an answer to nothing: %v", answer)
	}
}
