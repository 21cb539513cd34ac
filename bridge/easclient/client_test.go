package easclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// handler is a server without a network.
type handler func(http.ResponseWriter, *http.Request)

func (h handler) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	h(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func newClient(h handler) *Client {
	return &Client{
		URL: "https://mail.example.org", User: "ada@example.org", Password: "secret",
		DeviceID: "D1", DeviceType: "Test", UserAgent: "tester", HTTP: &http.Client{Transport: h},
	}
}

func answer(t *testing.T, w http.ResponseWriter, v eas.Version, message any) {
	t.Helper()
	doc, err := eas.Marshal(message, v)
	if err != nil {
		t.Fatal(err)
	}
	w.Header().Set("Content-Type", "application/vnd.ms-sync.wbxml")
	w.Write(doc)
}

func TestRequestsLookLikeThoseOfPhones(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*Client)
		url     string
		headers map[string]string
	}{
		{"plain", func(*Client) {},
			"https://mail.example.org/Microsoft-Server-ActiveSync?Cmd=FolderSync&User=ada%40example.org&DeviceId=D1&DeviceType=Test",
			map[string]string{"X-MS-PolicyKey": "0", "MS-ASProtocolVersion": "14.1", "User-Agent": "tester", "Content-Type": "application/vnd.ms-sync.wbxml"}},
		{"with a policy key, in 2.5", func(c *Client) { c.PolicyKey, c.Version = 7, eas.V25 },
			"https://mail.example.org/Microsoft-Server-ActiveSync?Cmd=FolderSync&User=ada%40example.org&DeviceId=D1&DeviceType=Test",
			map[string]string{"X-MS-PolicyKey": "7", "MS-ASProtocolVersion": "2.5"}},
		{"base64", func(c *Client) { c.Base64Query, c.Version, c.PolicyKey = true, eas.V161, 1 },
			"https://mail.example.org/Microsoft-Server-ActiveSync?oQkAAAJEMQQBAAAABFRlc3Q=",
			map[string]string{"X-MS-PolicyKey": "", "MS-ASProtocolVersion": "16.1"}},
		{"base64, where the version has none", func(c *Client) { c.Base64Query, c.Version = true, eas.V120 },
			"https://mail.example.org/Microsoft-Server-ActiveSync?Cmd=FolderSync&User=ada%40example.org&DeviceId=D1&DeviceType=Test",
			map[string]string{"X-MS-PolicyKey": "0"}},
		{"a path of the server's own", func(c *Client) { c.URL = "http://[::1]:8080/eas/" },
			"http://[::1]:8080/eas/?Cmd=FolderSync&User=ada%40example.org&DeviceId=D1&DeviceType=Test", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got *http.Request
			var sent eas.FolderSyncRequest
			client := newClient(func(w http.ResponseWriter, r *http.Request) {
				got = r
				body, _ := io.ReadAll(r.Body)
				if err := eas.Unmarshal(body, &sent); err != nil {
					t.Error(err)
				}
				answer(t, w, eas.V141, eas.FolderSyncResponse{Status: eas.FolderOK, SyncKey: "1"})
			})
			c.prepare(client)
			a, err := client.FolderSync(t.Context(), eas.FolderSyncRequest{SyncKey: "0"})
			if err != nil || a.SyncKey != "1" {
				t.Fatalf("got %+v, %v", a, err)
			}
			if got.Method != http.MethodPost || got.URL.String() != c.url {
				t.Errorf("%s %s, want %s", got.Method, got.URL, c.url)
			}
			for name, want := range c.headers {
				if got := got.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if user, password, _ := got.BasicAuth(); user != "ada@example.org" || password != "secret" {
				t.Errorf("logs in as %q with %q", user, password)
			}
			if sent.SyncKey != "0" {
				t.Errorf("sent %+v", sent)
			}
		})
	}
}

func TestURLsThatAreNone(t *testing.T) {
	for _, u := range []string{"", "mail.example.org", "ftp://mail.example.org", "https://", "https://%zz"} {
		c := newClient(func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
		c.URL = u
		if _, err := c.Ping(t.Context(), nil); err == nil {
			t.Errorf("%q was taken", u)
		}
	}
}

func TestHTTPErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		header map[string]string
		want   HTTPError
	}{
		{"a wrong password", 401, map[string]string{"WWW-Authenticate": `Basic realm="x"`}, HTTPError{Status: 401, Realm: `Basic realm="x"`}},
		{"not provisioned", 449, nil, HTTPError{Status: 449}},
		{"another server", 451, map[string]string{"X-MS-Location": "https://other.example.org"}, HTTPError{Status: 451, Location: "https://other.example.org"}},
		{"come back later", 503, map[string]string{"Retry-After": "120"}, HTTPError{Status: 503, RetryAfter: 2 * time.Minute}},
		{"come back at a time that has passed", 503, map[string]string{"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}, HTTPError{Status: 503}},
		{"come back at nonsense", 503, map[string]string{"Retry-After": "soon"}, HTTPError{Status: 503}},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := newClient(func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range c.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(c.status)
				io.WriteString(w, strings.Repeat("x", 2*MaxExcerpt))
			})
			_, err := client.Sync(t.Context(), nil)
			var got *HTTPError
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want an *HTTPError", err)
			}
			c.want.Excerpt = strings.Repeat("x", MaxExcerpt)
			if diff := cmp.Diff(c.want, *got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorsDoNotTellWhoAsked(t *testing.T) {
	c := newClient(nil)
	c.HTTP = &http.Client{Transport: roundTripError{}}
	_, err := c.Ping(t.Context(), nil)
	if err == nil || strings.Contains(err.Error(), "ada") || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

type roundTripError struct{}

func (roundTripError) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, io.ErrUnexpectedEOF
}

func TestEmptyAnswers(t *testing.T) {
	c := newClient(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 0 || r.Header.Get("Content-Type") != "" {
			t.Errorf("an empty request has %d bytes of type %q", r.ContentLength, r.Header.Get("Content-Type"))
		}
	})
	if a, err := c.Sync(t.Context(), nil); a != nil || err != nil {
		t.Errorf("Sync answered %+v, %v", a, err)
	}
	if a, err := c.Ping(t.Context(), nil); a.Status != 0 || err != nil {
		t.Errorf("Ping answered %+v, %v", a, err)
	}
}

func TestBadAnswers(t *testing.T) {
	c := newClient(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") })
	_, err := c.Sync(t.Context(), nil)
	var se *wbxml.SyntaxError
	if !errors.As(err, &se) {
		t.Errorf("got %v, want a *wbxml.SyntaxError", err)
	}
}

func TestTrace(t *testing.T) {
	c := newClient(func(w http.ResponseWriter, _ *http.Request) {
		answer(t, w, eas.V141, eas.PingResponse{Status: eas.PingExpired})
	})
	var command string
	var request, answered []byte
	c.Trace = func(c string, r, a []byte) { command, request, answered = c, r, a }
	seconds := 60
	if _, err := c.Ping(t.Context(), &eas.PingRequest{HeartbeatInterval: &seconds}); err != nil {
		t.Fatal(err)
	}
	if text, err := wbxml.Text(request, tag.Name); command != "Ping" || err != nil || !strings.Contains(text, "60") || len(answered) == 0 {
		t.Errorf("saw %q, %q (%v), %x", command, text, err, answered)
	}
}

func TestEveryCommandCanBeAsked(t *testing.T) {
	for _, c := range []struct {
		command eas.Command
		answer  any
		ask     func(*Client, context.Context) (any, error)
	}{
		{eas.CmdFolderSync, eas.FolderSyncResponse{Status: 1}, func(c *Client, ctx context.Context) (any, error) { return c.FolderSync(ctx, eas.FolderSyncRequest{}) }},
		{eas.CmdFolderCreate, eas.FolderCreateResponse{Status: 1}, func(c *Client, ctx context.Context) (any, error) {
			return c.FolderCreate(ctx, eas.FolderCreateRequest{})
		}},
		{eas.CmdFolderUpdate, eas.FolderUpdateResponse{Status: 1}, func(c *Client, ctx context.Context) (any, error) {
			return c.FolderUpdate(ctx, eas.FolderUpdateRequest{})
		}},
		{eas.CmdFolderDelete, eas.FolderDeleteResponse{Status: 1}, func(c *Client, ctx context.Context) (any, error) {
			return c.FolderDelete(ctx, eas.FolderDeleteRequest{})
		}},
		{eas.CmdGetItemEstimate, eas.GetItemEstimateResponse{Status: 1}, func(c *Client, ctx context.Context) (any, error) {
			return c.GetItemEstimate(ctx, eas.GetItemEstimateRequest{})
		}},
		{eas.CmdSettings, eas.SettingsResponse{Status: 1}, func(c *Client, ctx context.Context) (any, error) { return c.Settings(ctx, eas.SettingsRequest{}) }},
		{eas.CmdItemOperations, eas.ItemOperationsResponse{Status: 1}, func(c *Client, ctx context.Context) (any, error) {
			return c.ItemOperations(ctx, eas.ItemOperationsRequest{})
		}},
		{eas.CmdMoveItems, eas.MoveItemsResponse{Status: 1}, func(c *Client, ctx context.Context) (any, error) { return c.MoveItems(ctx, eas.MoveItemsRequest{}) }},
		{eas.CmdMeetingResponse, eas.MeetingResponseResponse{Results: []eas.MeetingResult{{Status: 1}}}, func(c *Client, ctx context.Context) (any, error) {
			return c.MeetingResponse(ctx, eas.MeetingResponseRequest{})
		}},
		{eas.CmdSearch, eas.SearchResponse{Status: 1}, func(c *Client, ctx context.Context) (any, error) { return c.Search(ctx, eas.SearchRequest{}) }},
		{eas.CmdFind, eas.FindResponse{Status: 1}, func(c *Client, ctx context.Context) (any, error) { return c.Find(ctx, eas.FindRequest{}) }},
		{eas.CmdResolveRecipients, eas.ResolveRecipientsResponse{Status: 1}, func(c *Client, ctx context.Context) (any, error) {
			return c.ResolveRecipients(ctx, eas.ResolveRecipientsRequest{})
		}},
		{eas.CmdValidateCert, eas.ValidateCertResponse{Status: 1}, func(c *Client, ctx context.Context) (any, error) {
			return c.ValidateCert(ctx, eas.ValidateCertRequest{})
		}},
		{eas.CmdPing, eas.PingResponse{Status: 1}, func(c *Client, ctx context.Context) (any, error) { return c.Ping(ctx, &eas.PingRequest{}) }},
		{eas.CmdSync, eas.SyncResponse{Status: 1}, func(c *Client, ctx context.Context) (any, error) {
			a, err := c.Sync(ctx, &eas.SyncRequest{})
			return *a, err
		}},
	} {
		t.Run(string(c.command), func(t *testing.T) {
			client := newClient(func(w http.ResponseWriter, r *http.Request) {
				if got := r.URL.Query().Get("Cmd"); got != string(c.command) {
					t.Errorf("the query says %q", got)
				}
				answer(t, w, eas.V141, c.answer)
			})
			got, err := c.ask(client, t.Context())
			if err != nil || !reflect.DeepEqual(got, c.answer) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
