package eas_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// document writes elements under a root.
func document(root wbxml.Tag, children ...eas.Element) []byte {
	e := wbxml.NewEncoder(nil)
	e.Start(root)
	e.Fragment(eas.EncodeProperties(children))
	e.End()
	return e.Bytes()
}

func collection(children ...eas.Element) []byte {
	return document(tag.AirSyncSync, eas.C(tag.AirSyncCollections, eas.C(tag.AirSyncCollection, children...)))
}

// TestPhonesAreReadTolerantly shows what phones do and the specification does not.
func TestPhonesAreReadTolerantly(t *testing.T) {
	key := eas.T(tag.AirSyncSyncKey, "2")
	for _, c := range []struct {
		name string
		doc  []byte
		want eas.SyncCollection
	}{
		{"any order", collection(eas.C(tag.AirSyncCommands), eas.T(tag.AirSyncCollectionId, "7"), key),
			eas.SyncCollection{SyncKey: "2", CollectionID: "7", Commands: []eas.SyncCommand{}}},
		{"the empty GetChanges means true", collection(key, eas.T(tag.AirSyncGetChanges, "")),
			eas.SyncCollection{SyncKey: "2", GetChanges: ptr(true)}},
		{"GetChanges 0", collection(key, eas.T(tag.AirSyncGetChanges, "0")),
			eas.SyncCollection{SyncKey: "2", GetChanges: ptr(false)}},
		{"empty Options", collection(key, eas.C(tag.AirSyncOptions)),
			eas.SyncCollection{SyncKey: "2", Options: []eas.SyncOptions{{}}}},
		{"empty Supported", collection(key, eas.C(tag.AirSyncSupported)),
			eas.SyncCollection{SyncKey: "2", Supported: []wbxml.Tag{}}},
		{"Supported with content in it", collection(key, eas.C(tag.AirSyncSupported, eas.T(tag.ContactsTitle, "x"))),
			eas.SyncCollection{SyncKey: "2", Supported: []wbxml.Tag{tag.ContactsTitle}}},
		{"AllOrNone 0", collection(key, eas.C(tag.AirSyncOptions, eas.C(tag.AirSyncBaseBodyPreference,
			eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseAllOrNone, "0")))),
			eas.SyncCollection{SyncKey: "2", Options: []eas.SyncOptions{{BodyPreferences: []eas.BodyPreference{{Type: 1}}}}}},
		{"white space around a number", collection(key, eas.T(tag.AirSyncWindowSize, " 25\n")),
			eas.SyncCollection{SyncKey: "2", WindowSize: ptr(25)}},
		{"an empty number", collection(key, eas.T(tag.AirSyncWindowSize, "")),
			eas.SyncCollection{SyncKey: "2", WindowSize: ptr(0)}},
		{"unknown elements, with children", collection(eas.C(0x3F3F, eas.C(0x3F3E, eas.T(tag.AirSyncSyncKey, "9"))), key),
			eas.SyncCollection{SyncKey: "2"}},
		{"opaque data instead of text", collection(eas.Element{Tag: tag.AirSyncSyncKey, Opaque: []byte("2")}),
			eas.SyncCollection{SyncKey: "2"}},
		{"opaque data that is not text", collection(eas.Element{Tag: tag.AirSyncSyncKey, Opaque: []byte("2\xFF")}),
			eas.SyncCollection{SyncKey: "2\uFFFD"}},
		{"empty containers of properties", collection(key, eas.C(tag.AirSyncCommands, eas.C(tag.AirSyncAdd,
			eas.T(tag.AirSyncClientId, "1"), eas.C(tag.AirSyncApplicationData, eas.C(tag.CalendarAttendees), eas.T(tag.CalendarLocation, ""))))),
			eas.SyncCollection{SyncKey: "2", Commands: []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "1",
				Data: eas.Properties{{Tag: tag.CalendarAttendees}, {Tag: tag.CalendarLocation}}}}}},
		{"an ApplicationData without properties", collection(key, eas.C(tag.AirSyncCommands, eas.C(tag.AirSyncChange,
			eas.T(tag.AirSyncServerId, "1"), eas.C(tag.AirSyncApplicationData)))),
			eas.SyncCollection{SyncKey: "2", Commands: []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: "1", Data: eas.Properties{}}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got eas.SyncRequest
			if err := eas.Unmarshal(c.doc, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(eas.SyncRequest{Collections: []eas.SyncCollection{c.want}}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnmarshalSaysWhatIsWrong(t *testing.T) {
	many := make([]eas.Element, eas.MaxListed+1)
	for i := range many {
		many[i] = eas.C(tag.AirSyncDelete)
	}
	for _, c := range []struct {
		name string
		doc  []byte
		as   any // pointer to the type of error
		why  string
	}{
		{"nothing", nil, new(*wbxml.SyntaxError), "byte 0"},
		{"text", []byte("hello"), new(*wbxml.SyntaxError), "byte 0"},
		{"another command", document(tag.PingPing), new(*eas.RootError), "Ping:Ping"},
		{"cut off", collection()[:7], new(*wbxml.SyntaxError), "byte 7"},
		{"a number that is none", collection(eas.T(tag.AirSyncWindowSize, "many")), new(*eas.ValueError), "AirSync:WindowSize"},
		{"a number that is too large", collection(eas.T(tag.AirSyncWindowSize, "4294967296")), new(*eas.ValueError), "32 bits"},
		{"a boolean that is none", collection(eas.T(tag.AirSyncGetChanges, "perhaps")), new(*eas.ValueError), "AirSync:GetChanges"},
		{"too many of a kind", collection(eas.C(tag.AirSyncCommands, many...)), new(*eas.ValueError), "more than 10000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got eas.SyncRequest
			err := eas.Unmarshal(c.doc, &got)
			if !errors.As(err, c.as) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %T %v, want %T with %q", err, err, c.as, c.why)
			}
		})
	}
}

func TestWrongValuesLoseNothingElse(t *testing.T) {
	doc := collection(eas.T(tag.AirSyncWindowSize, "many"), eas.T(tag.AirSyncSyncKey, "2"))
	var got eas.SyncRequest
	if err := eas.Unmarshal(doc, &got); err == nil {
		t.Fatal("no error")
	}
	if len(got.Collections) != 1 || got.Collections[0].SyncKey != "2" {
		t.Errorf("got %+v\nThe server relies on the rest to say which folder the answer is about.", got)
	}
}

func TestOnlyMessagesAreMarshalled(t *testing.T) {
	for _, v := range []any{nil, 7, eas.Folder{}, (*eas.PingRequest)(nil)} {
		if doc, err := eas.Marshal(v, eas.V141); err == nil {
			t.Errorf("Marshal(%#v) = %x", v, doc)
		}
	}
	for _, v := range []any{nil, eas.PingRequest{}, (*eas.PingRequest)(nil), new(eas.Folder)} {
		if err := eas.Unmarshal(document(tag.PingPing), v); err == nil {
			t.Errorf("Unmarshal into %#v succeeded", v)
		}
	}
}

func TestEncodedWinsOverProperties(t *testing.T) {
	answer := func(c eas.SyncCommand) eas.SyncResponse {
		return eas.SyncResponse{Collections: []eas.SyncResult{{SyncKey: "1", Status: eas.SyncOK, Commands: []eas.SyncCommand{c}}}}
	}
	want, err := eas.Marshal(answer(eas.SyncCommand{Do: tag.AirSyncAdd, ServerID: "1", Data: contact}), eas.V161)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := eas.Marshal(answer(eas.SyncCommand{Do: tag.AirSyncAdd, ServerID: "1", Data: contact[:1], Encoded: eas.EncodeProperties(contact)}), eas.V161)
	if err != nil {
		t.Fatal(err)
	}
	var a, b eas.SyncResponse
	if err := errors.Join(eas.Unmarshal(want, &a), eas.Unmarshal(doc, &b)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("(-with Properties +with Encoded):\n%s", diff)
	}
	empty := eas.EncodeProperties(nil)
	if empty == nil {
		t.Error("EncodeProperties(nil) is nil, so that it would not win")
	}
}

// FuzzUnmarshal: any document gives an error of the three kinds or a message,
// and what a version writes of that message it reads and writes again the same.
func FuzzUnmarshal(f *testing.F) {
	for i, s := range samples {
		doc, err := eas.Marshal(s.message, s.version)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc, uint8(i))
	}
	f.Fuzz(func(t *testing.T, doc []byte, which uint8) {
		s := samples[int(which)%len(samples)]
		message := newLike(s.message)
		err := eas.Unmarshal(doc, message)
		var value *eas.ValueError
		var syntax *wbxml.SyntaxError
		var root *eas.RootError
		switch {
		case errors.As(err, &syntax), errors.As(err, &root):
			return
		case err != nil && !errors.As(err, &value):
			t.Fatalf("error is a %T", err)
		}
		once, err := eas.Marshal(message, s.version)
		if err != nil {
			t.Fatal(err)
		}
		again := newLike(s.message)
		if err := eas.Unmarshal(once, again); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		twice, err := eas.Marshal(again, s.version)
		if err != nil {
			t.Fatal(err)
		}
		if string(once) != string(twice) {
			t.Errorf("written %x, read and written again %x", once, twice)
		}
	})
}

// BenchmarkMarshalWindow writes the largest window, 512 contacts.
func BenchmarkMarshalWindow(b *testing.B) {
	answer := window()
	var buf []byte
	for b.Loop() {
		var err error
		if buf, err = eas.Append(buf[:0], answer, eas.V161); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkUnmarshalWindow(b *testing.B) {
	doc, err := eas.Marshal(window(), eas.V161)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		var got eas.SyncResponse
		if err := eas.Unmarshal(doc, &got); err != nil {
			b.Fatal(err)
		}
	}
}

func window() eas.SyncResponse {
	var item eas.Properties
	for t := tag.ContactsAnniversary; t < tag.ContactsAnniversary+25; t++ {
		item = append(item, eas.T(t, "Something to say"))
	}
	item = append(item, contact[4])
	r := eas.SyncResult{SyncKey: "3", CollectionID: "7", Status: eas.SyncOK}
	for range 512 {
		r.Commands = append(r.Commands, eas.SyncCommand{Do: tag.AirSyncAdd, ServerID: "7:1234", Data: item})
	}
	return eas.SyncResponse{Collections: []eas.SyncResult{r}}
}
