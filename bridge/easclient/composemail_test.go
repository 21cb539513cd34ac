package easclient

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// Up to 12.1 a mail is the request, and the query says the rest; from 14.0 on it
// is in a message.
func TestMailGoesOutInTheFormOfTheVersion(t *testing.T) {
	mime := eas.Opaque("Subject: Tea\r\n\r\nGr\xfc\xdfe")
	source := &eas.MailSource{FolderID: "2", ItemID: "2:7"}
	for _, tt := range []struct {
		name    string
		version eas.Version
		send    func(*Client) error
		query   string
		typ     string
	}{
		{"a mail, 2.5", eas.V25, func(c *Client) error {
			return c.SendMail(t.Context(), eas.SendMailRequest{SaveInSentItems: true, Mime: mime})
		}, "Cmd=SendMail&User=ada%40example.org&DeviceId=D1&DeviceType=Test&SaveInSent=T", mailType},
		{"an answer, 12.1", eas.V121, func(c *Client) error {
			return c.SmartReply(t.Context(), eas.SmartReplyRequest{Source: source, Mime: mime})
		}, "Cmd=SmartReply&User=ada%40example.org&DeviceId=D1&DeviceType=Test&CollectionId=2&ItemId=2%3A7", mailType},
		{"an answer, 14.1", eas.V141, func(c *Client) error {
			return c.SmartReply(t.Context(), eas.SmartReplyRequest{ClientID: "1", Source: source, Mime: mime})
		}, "Cmd=SmartReply&User=ada%40example.org&DeviceId=D1&DeviceType=Test", "application/vnd.ms-sync.wbxml"},
		{"passed on, 16.1", eas.V161, func(c *Client) error {
			return c.SmartForward(t.Context(), eas.SmartForwardRequest{ClientID: "1", Source: source, Mime: mime})
		}, "Cmd=SmartForward&User=ada%40example.org&DeviceId=D1&DeviceType=Test", "application/vnd.ms-sync.wbxml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(func(_ http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				if r.URL.RawQuery != tt.query || r.Header.Get("Content-Type") != tt.typ {
					t.Errorf("asked by %s with %s, want %s with %s", r.URL.RawQuery, r.Header.Get("Content-Type"), tt.query, tt.typ)
				}
				var forward eas.SmartForwardRequest
				var reply eas.SmartReplyRequest
				switch tt.version {
				case eas.V141:
					err, body = eas.Unmarshal(body, &reply), reply.Mime
				case eas.V161:
					err, body = eas.Unmarshal(body, &forward), forward.Mime
				}
				if err != nil || string(body) != string(mime) {
					t.Errorf("the mail is %q, %v", body, err)
				}
			})
			c.Version = tt.version
			if err := tt.send(c); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMailThatIsRefused(t *testing.T) {
	c := newClient(func(w http.ResponseWriter, _ *http.Request) {
		answer(t, w, eas.V141, eas.SendMailResponse{Status: eas.MessagePreviouslySent})
	})
	err := c.SendMail(t.Context(), eas.SendMailRequest{ClientID: "1"})
	if se, ok := errors.AsType[*StatusError](err); !ok || se.Status != 118 || se.Command != eas.CmdSendMail {
		t.Errorf("got %v, want status 118", err)
	}
}

func TestGetAttachment(t *testing.T) {
	c := newClient(func(w http.ResponseWriter, r *http.Request) {
		if want := "Cmd=GetAttachment&User=ada%40example.org&DeviceId=D1&DeviceType=Test&AttachmentName=2%3A7%3A1"; r.URL.RawQuery != want {
			t.Errorf("asked by %s, want %s", r.URL.RawQuery, want)
		}
		w.Header().Set("Content-Type", "image/png")
		io.WriteString(w, "PNG")
	})
	c.Version = eas.V121
	got, err := c.GetAttachment(t.Context(), "2:7:1")
	if err != nil || got.ContentType != "image/png" || string(got.Data) != "PNG" {
		t.Errorf("got %+v, %v", got, err)
	}
}
