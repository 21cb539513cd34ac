package easserver_test

import (
	"encoding/binary"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// [MS-ASCMD] "MultiPartResponse": the message first, then what it names.
func TestItemOperationsInParts(t *testing.T) {
	for _, v := range []eas.Version{eas.V121, eas.V141, eas.V161} {
		h := bridgetest.Start(t, bridgetest.Options{})
		texts := []string{"The first text", "Der zweite, größere Text"}
		for _, s := range texts {
			h.Store("calendar", backend.ItemID(s[:3]), strings.Replace(bridgetest.Event(s[:3], s[:3], time.Now().Add(time.Hour)), "X-KEEP", "DESCRIPTION:"+s+"\r\nX-KEEP", 1))
		}
		r := newRaw(t, h, v)
		f := bridgetest.FolderOf(t, r.phone, "Calendar")
		r.Trace = nil // it would take the number of parts for the beginning of a message
		var req eas.ItemOperationsRequest
		for id := range f.Items {
			req.Fetches = append(req.Fetches, eas.FetchRequest{Store: eas.StoreMailbox, CollectionID: f.ServerID, ServerID: id, Options: &eas.FetchOptions{BodyPreferences: []eas.BodyPreference{{Type: 1}}}})
		}
		req.Fetches = append(req.Fetches, eas.FetchRequest{Store: eas.StoreMailbox, CollectionID: f.ServerID, ServerID: f.ServerID + ":4711"})
		for _, form := range []struct {
			query  eas.Query
			header http.Header
		}{
			{eas.Query{Command: eas.CmdItemOperations}, http.Header{"Ms-Asacceptmultipart": {"T"}}},
			{eas.Query{Command: eas.CmdItemOperations, Base64: true, Multipart: true}, nil},
		} {
			r.Base64Query = form.query.Base64
			answer, header, err := r.Do(t.Context(), easclient.Call{Query: form.query, Header: form.header, Body: mustMarshal(t, &req, v)})
			if err != nil || header.Get("Content-Type") != "application/vnd.ms-sync.multipart" {
				t.Fatalf("%s: answered as %q, %v", v, header.Get("Content-Type"), err)
			}
			parts := cut(t, answer)
			eastest.Validate(t, parts[0])
			text := xml(t, parts[0])
			if len(parts) != 3 || !strings.Contains(text, "<Part xmlns=\"ItemOperations\">1</Part>") || !strings.Contains(text, ">2</Part>") || strings.Contains(text, "<Data>") {
				t.Fatalf("%s: %d parts and\n%s\nwant the message and two texts", v, len(parts), text)
			}
			if got := string(parts[1]) + string(parts[2]); got != texts[0]+texts[1] && got != texts[1]+texts[0] {
				t.Errorf("%s: the parts are %q", v, parts[1:])
			}
		}
	}
}

// cut takes an answer in parts apart.
func cut(t *testing.T, answer []byte) (parts [][]byte) {
	t.Helper()
	number := func(i int) int {
		if len(answer) < i+4 {
			t.Fatalf("the answer ends after %d bytes", len(answer))
		}
		return int(binary.LittleEndian.Uint32(answer[i:]))
	}
	for i := range number(0) {
		from, size := number(4+8*i), number(8+8*i)
		if from+size > len(answer) {
			t.Fatalf("part %d ends at %d of %d bytes", i, from+size, len(answer))
		}
		parts = append(parts, answer[from:from+size])
	}
	return parts
}
