package easclient

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// A hostile server answers everything with the same.
type hostile struct {
	status int
	header http.Header
	body   []byte
	asked  []*http.Request
}

func (h *hostile) RoundTrip(r *http.Request) (*http.Response, error) {
	h.asked = append(h.asked, r)
	return &http.Response{StatusCode: h.status, Header: h.header, Body: io.NopCloser(bytes.NewReader(h.body)), Request: r}, nil
}

// FuzzHostileServer: whatever a server answers, each question has an answer or an
// error that says where it comes from and carries no password, is asked a limited
// number of times, and never gives the password to another server.
func FuzzHostileServer(f *testing.F) {
	for _, m := range []any{
		eas.SyncResponse{Collections: []eas.SyncResult{{SyncKey: "1", CollectionID: "1", Status: 1}}},
		eas.FolderSyncResponse{Status: 1, SyncKey: "1", Changes: &eas.FolderChanges{Count: 1}},
		eas.PingResponse{Status: 2, Folders: []string{"1"}},
		eas.ProvisionResponse{Status: 1, Policies: []eas.Policy{{PolicyType: eas.PolicyTypeWBXML, Status: 1, PolicyKey: "5"}}},
		eas.SettingsResponse{Status: 1}, eas.ItemOperationsResponse{Status: 1}, eas.GetItemEstimateResponse{},
	} {
		doc, err := eas.Marshal(m, eas.V141)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint16(200), "", "", doc)
	}
	f.Add(uint16(200), "", "", []byte(`<?xml version="1.0"?><Autodiscover><Response><Action><Settings><Server><Type>MobileSync</Type><Url>http://evil.example/</Url></Server></Settings></Action></Response></Autodiscover>`))
	f.Add(uint16(200), "", "", []byte(`{"Protocol":"ActiveSync","Url":"http://evil.example/"}`))
	f.Add(uint16(302), "Location", "http://evil.example/", []byte{})
	f.Add(uint16(451), "X-MS-Location", "http://evil.example/", []byte{})
	f.Add(uint16(503), "Retry-After", "99999999999999999999", []byte("\xff"))
	f.Add(uint16(200), "MS-ASProtocolVersions", "2.5,,14.1,99.9", []byte{})
	f.Add(uint16(303), "Retry-After", "9227000000", []byte("0"))
	f.Fuzz(func(t *testing.T, status uint16, name, value string, body []byte) {
		server := &hostile{status: 200 + int(status)%400, header: http.Header{http.CanonicalHeaderKey(name): {value}}, body: body}
		c := &Client{URL: "https://mail.example.org", User: "ann", Password: "the password", DeviceID: "d", DeviceType: "t", HTTP: &http.Client{Transport: server}}
		ctx := t.Context()
		for question, ask := range map[string]func() error{
			"Options":         func() error { _, err := c.Options(ctx); return err },
			"Sync":            func() error { _, err := c.Sync(ctx, &eas.SyncRequest{}); return err },
			"FolderSync":      func() error { _, err := c.FolderSync(ctx, eas.FolderSyncRequest{}); return err },
			"Ping":            func() error { _, err := c.Ping(ctx, nil); return err },
			"SendMail":        func() error { return c.SendMail(ctx, eas.SendMailRequest{ClientID: "1"}) },
			"SmartReply":      func() error { return c.SmartReply(ctx, eas.SmartReplyRequest{ClientID: "1"}) },
			"SmartForward":    func() error { return c.SmartForward(ctx, eas.SmartForwardRequest{ClientID: "1"}) },
			"GetAttachment":   func() error { _, err := c.GetAttachment(ctx, "1"); return err },
			"Provision":       func() error { _, err := c.Provision(ctx, nil); return err },
			"Settings":        func() error { _, err := c.Settings(ctx, eas.SettingsRequest{}); return err },
			"ItemOperations":  func() error { _, err := c.ItemOperations(ctx, eas.ItemOperationsRequest{}); return err },
			"GetItemEstimate": func() error { _, err := c.GetItemEstimate(ctx, eas.GetItemEstimateRequest{}); return err },
			"MoveItems":       func() error { _, err := c.MoveItems(ctx, eas.MoveItemsRequest{}); return err },
			"MeetingResponse": func() error { _, err := c.MeetingResponse(ctx, eas.MeetingResponseRequest{}); return err },
			"Search":          func() error { _, err := c.Search(ctx, eas.SearchRequest{}); return err },
			"Find":            func() error { _, err := c.Find(ctx, eas.FindRequest{}); return err },
			"ResolveRecipients": func() error {
				_, err := c.ResolveRecipients(ctx, eas.ResolveRecipientsRequest{})
				return err
			},
			"ValidateCert":     func() error { _, err := c.ValidateCert(ctx, eas.ValidateCertRequest{}); return err },
			"FolderCreate":     func() error { _, err := c.FolderCreate(ctx, eas.FolderCreateRequest{}); return err },
			"Autodiscover":     func() error { _, err := c.Autodiscover(ctx, "ann@example.org"); return err },
			"AutodiscoverJSON": func() error { _, err := c.AutodiscoverJSON(ctx, "ann@example.org"); return err },
		} {
			server.asked = nil
			err := ask()
			if len(server.asked) > 12 {
				t.Errorf("%s asked %d times", question, len(server.asked))
			}
			for _, r := range server.asked {
				if _, _, ok := r.BasicAuth(); ok && (r.URL.Scheme != "https" || r.URL.Hostname() != "mail.example.org" && !strings.HasSuffix(r.URL.Hostname(), ".mail.example.org")) {
					t.Errorf("%s gave the password to %s", question, r.URL)
				}
			}
			if err == nil {
				if last := server.asked[len(server.asked)-1]; server.status != http.StatusOK {
					t.Errorf("%s of %s takes status %d for an answer", question, last.URL, server.status)
				}
				continue
			}
			if !strings.HasPrefix(err.Error(), "easclient: ") || strings.Contains(err.Error(), c.Password) {
				t.Errorf("%s: error = %q", question, err)
			}
			if e, ok := errors.AsType[*HTTPError](err); ok && (e.Status != server.status || len(e.Excerpt) > 3*MaxExcerpt || e.RetryAfter < 0) {
				t.Errorf("%s: %+v for status %d", question, e, server.status)
			}
		}
	})
}
