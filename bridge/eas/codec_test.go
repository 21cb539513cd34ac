package eas

import (
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

func TestEveryMessageHasAPlan(t *testing.T) {
	for message := range roots {
		planOf(message) // panics if a tag makes no sense
	}
}

func TestMessagesSurviveTheWire(t *testing.T) {
	no, n := false, 5
	for _, v := range Versions {
		sent := SyncRequest{Collections: []SyncCollection{{
			SyncKey: "0", CollectionID: "7", GetChanges: &no, WindowSize: &n,
			Commands: []SyncCommand{{Do: tag.AirSyncAdd, ClientID: "x", Data: Properties{T(tag.ContactsFirstName, "A")}}},
		}}}
		doc, err := Marshal(sent, v)
		if err != nil {
			t.Fatal(err)
		}
		var got SyncRequest
		if err := Unmarshal(doc, &got); err != nil {
			t.Fatal(err)
		}
		if got.Collections[0].Commands[0].ClientID != "x" || *got.Collections[0].GetChanges {
			t.Errorf("version %v: got %+v", v, got)
		}
	}
}
