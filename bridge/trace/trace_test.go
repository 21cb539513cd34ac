package trace_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/trace"
)

var ann = trace.Phone{User: "ann", Device: "A"}

// message is a Sync with something of everything.
func message(t *testing.T) []byte {
	t.Helper()
	doc, err := eas.Marshal(&eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: "5.17", CollectionID: "3", Commands: []eas.SyncCommand{{
		Do: tag.AirSyncAdd, ClientID: "c1", Data: eas.Properties{
			eas.T(tag.ContactsLastName, "Secretson"), eas.T(tag.ContactsBirthday, "1970-05-06T00:00:00.000Z"), eas.T(tag.ContactsMobilePhoneNumber, "112"),
			eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, "A secret note")),
		}}}}}}, eas.V141)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func record(t *testing.T, content bool) string {
	t.Helper()
	var tr trace.Tracer
	if err := tr.Start(ann, time.Minute, content); err != nil {
		t.Fatal(err)
	}
	tr.Begin(ann, "Sync", "14.1", message(t)).End(200, message(t))
	text, err := tr.Stop(ann)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What people wrote is in a recording only if it was asked for; how the protocol
// goes always is.
func TestMasking(t *testing.T) {
	for _, content := range []bool{false, true} {
		text := record(t, content)
		for _, word := range []string{"Secretson", "A secret note", "112", "1970"} {
			if strings.Contains(text, word) != content {
				t.Errorf("content %v: %q in it is %v\n%s", content, word, !content, text)
			}
		}
		for _, word := range []string{"5.17", "<CollectionId>3<", "c1", "LastName", "http=200", "<Type>1<"} {
			if word = strings.Replace(word, "<Type>", "<Type>", 1); !strings.Contains(text, word) {
				t.Errorf("content %v: the recording lacks %q\n%s", content, word, text)
			}
		}
	}
}

// A secret is never in a recording.
func TestSecrets(t *testing.T) {
	pages := []string{"Settings:Password", "ItemOperations:Password", "Search:Password", "Provision:RecoveryPassword", "Settings:RecoveryPassword"}
	for _, name := range pages {
		code, ok := tag.Lookup(name)
		if !ok {
			continue // not all of them exist
		}
		var tr trace.Tracer
		if err := tr.Start(ann, time.Minute, true); err != nil {
			t.Fatal(err)
		}
		doc, err := eas.Marshal(&eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: "1", CollectionID: "1",
			Commands: []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "1", Data: eas.Properties{eas.T(code, "hunter2")}}}}}}, eas.V141)
		if err != nil {
			t.Fatal(err)
		}
		tr.Begin(ann, "Sync", "14.1", doc).End(200, nil)
		if text, _ := tr.Stop(ann); strings.Contains(text, "hunter2") || !strings.Contains(text, "assword") {
			t.Errorf("%s stands in\n%s", name, text)
		}
	}
}

// What was recorded can be read back, byte for byte where nothing was masked.
func TestParse(t *testing.T) {
	list, err := trace.Parse(record(t, true))
	if err != nil || len(list) != 1 {
		t.Fatalf("%d exchanges, %v", len(list), err)
	}
	if e := list[0]; e.Command != "Sync" || e.Version != "14.1" || e.HTTP != 200 || string(e.Request) != string(message(t)) || string(e.Answer) != string(message(t)) {
		t.Errorf("what is read is not what was recorded: %+v", e)
	}
	if _, err := trace.Parse("hello"); err == nil {
		t.Error("anything passes for a recording")
	}
}

// A recording is of one phone, ends by itself, and is bounded.
func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trace.Tracer
		if tr.Begin(ann, "Sync", "14.1", nil) != nil || (*trace.Tracer)(nil).Begin(ann, "Sync", "14.1", nil) != nil {
			t.Error("a phone is recorded that nobody asked for")
		}
		if err := tr.Start(ann, 30*time.Second, false); err != nil {
			t.Fatal(err)
		}
		if err := tr.Start(ann, time.Hour, false); !errors.Is(err, trace.ErrRunning) {
			t.Errorf("a second recording of a phone: %v", err)
		}
		if tr.Begin(trace.Phone{User: "ann", Device: "B"}, "Sync", "14.1", nil) != nil || tr.Begin(trace.Phone{User: "eve", Device: "A"}, "Sync", "14.1", nil) != nil {
			t.Error("another phone is recorded")
		}
		time.Sleep(31 * time.Second)
		if tr.Begin(ann, "Sync", "14.1", nil) != nil {
			t.Error("it goes on after its time")
		}
		if _, over, err := tr.Fetch(ann); !over || err != nil {
			t.Errorf("after its time: over is %v, %v", over, err)
		}
		if _, _, err := tr.Fetch(ann); !errors.Is(err, trace.ErrNone) {
			t.Errorf("fetched after its end: %v", err)
		}
		if err := tr.Start(ann, time.Hour, false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if tr.Begin(ann, "Sync", "14.1", nil) != nil {
			t.Error("it goes on though nobody fetches it")
		}
		for i := range trace.MaxRecordings + 1 {
			err := tr.Start(trace.Phone{User: "bob", Device: strings.Repeat("x", i+1)}, time.Hour, false)
			if (i == trace.MaxRecordings) != errors.Is(err, trace.ErrTooMany) {
				t.Errorf("recording %d at a time: %v", i+1, err)
			}
		}
	})
}

// A recording that grows too long says so and ends.
func TestFull(t *testing.T) {
	var tr trace.Tracer
	if err := tr.Start(ann, time.Hour, true); err != nil {
		t.Fatal(err)
	}
	note := strings.Repeat("0123456789", 50_000)
	doc, err := eas.Marshal(&eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: note, CollectionID: "1"}}}, eas.V141)
	if err != nil {
		t.Fatal(err)
	}
	for range 40 {
		tr.Begin(ann, "Sync", "14.1", doc).End(200, nil)
	}
	text, over, err := tr.Fetch(ann)
	if !over || err != nil || len(text) > trace.MaxSize+1000 || !strings.Contains(text, "the recording ends") {
		t.Errorf("%d bytes, over %v, %v", len(text), over, err)
	}
}
