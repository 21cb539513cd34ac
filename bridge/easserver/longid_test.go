package easserver_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// MS-ASCMD "LongId (ItemOperations)": what a search found is fetched by its LongId,
// which is told again in place of a ServerId; the item is the same.
func TestFetchByLongID(t *testing.T) {
	for _, v := range bridgetest.Versions[1:] { // ItemOperations begins with 12.0
		t.Run(v.String(), func(t *testing.T) {
			s := newScene(t, v, false)
			fetch := func(f eas.FetchRequest) eas.FetchResult {
				t.Helper()
				f.Store = eas.StoreMailbox
				got := s.ask(eas.CmdItemOperations, mustMarshal(t, &eas.ItemOperationsRequest{Fetches: []eas.FetchRequest{f}}, v))
				var r eas.ItemOperationsResponse
				if err := eas.Unmarshal(got.body, &r); err != nil || got.status != 200 || r.Response == nil || len(r.Response.Fetches) != 1 {
					t.Fatalf("HTTP status %d, %v, %+v", got.status, err, r)
				}
				return r.Response.Fetches[0]
			}
			for _, class := range []string{eas.ClassContacts, eas.ClassCalendar, eas.ClassTasks} {
				f, id := named(t, s.phone, class, "Title 0")
				byID, byLong := fetch(eas.FetchRequest{CollectionID: f.ServerID, ServerID: id}), fetch(eas.FetchRequest{LongID: id})
				if byLong.Status != eas.ItemOperationsOK || byLong.LongID != id || byLong.ServerID != "" || byLong.CollectionID != "" {
					t.Errorf("%s: status %d, LongId %q, ServerId %q in %q; want 1 and the LongId alone", class, byLong.Status, byLong.LongID, byLong.ServerID, byLong.CollectionID)
				}
				if len(byLong.Properties) == 0 || !reflect.DeepEqual(byLong.Properties, byID.Properties) || byLong.Class != byID.Class {
					t.Errorf("%s: by its LongId the item is\n%v\nby its ServerId\n%v", class, byLong.Properties, byID.Properties)
				}
				short := fetch(eas.FetchRequest{LongID: id, Options: &eas.FetchOptions{Schema: []wbxml.Tag{tag.AirSyncBaseBody}}})
				if len(short.Properties) >= len(byLong.Properties) || short.Status != eas.ItemOperationsOK {
					t.Errorf("%s: with a Schema it is %v, status %d", class, short.Properties, short.Status)
				}
			}
			theirs, item := named(t, s.foreign, eas.ClassContacts, secret)
			other, _ := named(t, s.phone, eas.ClassCalendar, "Title 0")
			_, mine := named(t, s.phone, eas.ClassContacts, "Title 1")
			for name, f := range map[string]eas.FetchRequest{
				"another person's":            {LongID: item},
				"in another person's folder":  {LongID: item, CollectionID: theirs.ServerID},
				"nobody's":                    {LongID: "1:99999"},
				"no LongId of ours":           {LongID: "RgAAAAD/"},
				"of another folder than said": {LongID: mine, CollectionID: other.ServerID},
				"empty":                       {},
			} {
				r := fetch(f)
				if r.Status == eas.ItemOperationsOK || len(r.Properties) > 0 {
					t.Errorf("a LongId that is %s: status %d and %v", name, r.Status, r.Properties)
				}
			}
			long := s.ask(eas.CmdItemOperations, mustMarshal(t, &eas.ItemOperationsRequest{Fetches: []eas.FetchRequest{{Store: eas.StoreMailbox, LongID: strings.Repeat("1", 257)}}}, v))
			if status := s.statusOf(long); status != fmt.Sprint(int(eas.ItemOperationsProtocol)) {
				t.Errorf("a LongId of 257 bytes: status %s, want 2", status)
			}
		})
	}
}
