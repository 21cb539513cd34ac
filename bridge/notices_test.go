package bridge_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

// TestNoticesByMail has a real mail server tell a person and an administrator of a
// phone that waits, and the administrator let it in by the link.
func TestNoticesByMail(t *testing.T) {
	mails := imaptest.Start(t)
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.HTTP, o.Config.Web.URL, o.Config.Login.Domain = "127.0.0.1:0", "https://mail.example.org", imaptest.Domain
		m := &o.Config.Mail
		m.SMTP, m.CAFile, m.From, m.Administrators = "smtp://"+mails.SMTP, mails.CAFile, "bridge@"+imaptest.Domain, []string{imaptest.Bob.Address()}
		m.User, m.Password = imaptest.Ann.Name, imaptest.Ann.Password
	}})
	serve(t, h.Bridge)
	if err := h.Bridge.Check(t.Context(), false); err != nil {
		t.Errorf("the mail server is there, and it is said that %v", err)
	}
	boss := admin.Actor{Name: "test", Roles: admin.AllRoles}
	quarantine := rulebook.Quarantine
	if _, err := admin.OpSetAdmission.Do(t.Context(), h.Bridge.Door(), boss, admin.AdmissionChange{Default: &quarantine}); err != nil {
		t.Fatal(err)
	}
	p := bridgetest.Checked(t, phone.New(h.Client(eas.V161, "NEWPHONE"), phone.Settings{}))
	bridgetest.Sync(t, p)

	if text := inbox(t, mails, imaptest.Ann); !strings.Contains(text, "Subject: A new phone uses your account") || !strings.Contains(text, "NEWPHONE") {
		t.Errorf("the owner is told\n%s", text)
	}
	text := strings.ReplaceAll(strings.ReplaceAll(inbox(t, mails, imaptest.Bob), "=\n", ""), "=3D", "=")
	found := regexp.MustCompile(`https://mail\.example\.org(/admin/approve\?link=\S+)`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("the administrator is told\n%s", text)
	}
	page := ask(t, h.Bridge, http.MethodGet, found[1], nil)
	if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "NEWPHONE") {
		t.Fatalf("the link leads to %d\n%s", page.Code, page.Body)
	}
	link, err := url.QueryUnescape(strings.TrimPrefix(found[1], "/admin/approve?link="))
	if err != nil {
		t.Fatal(err)
	}
	done := ask(t, h.Bridge, http.MethodPost, "/admin/approve", url.Values{"link": {link}, "decision": {"allow"}})
	if done.Code != http.StatusOK {
		t.Fatalf("the decision is answered %d\n%s", done.Code, done.Body)
	}
	list, err := admin.OpDevices.Do(t.Context(), h.Bridge.Door(), boss, admin.UserRequest{})
	if err != nil || len(list) != 1 || list[0].Quarantine != "" || list[0].AllowedBy != "link mailed to "+imaptest.Bob.Address() {
		t.Errorf("the phones are %+v, %v", list, err)
	}
}

// TestCheckMail says that the mail server is not there.
func TestCheckMail(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.Mail.SMTP, o.Config.Mail.From = "smtp+plain://127.0.0.1:1", "bridge@"+imaptest.Domain
	}})
	if err := h.Bridge.Check(t.Context(), false); err == nil || !strings.Contains(err.Error(), "[mail]: the server takes nothing") {
		t.Errorf("it is said that %v", err)
	}
}

// ask asks the bridge as a browser does.
func ask(t *testing.T, b *bridge.Bridge, method, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "https://mail.example.org"+path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	return w
}

// inbox waits for a mail, and answers what the inbox has.
func inbox(t *testing.T, s *imaptest.Server, u imaptest.User) string {
	t.Helper()
	for until := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) { // gives way; the mailbox decides
		text := s.Doveadm("fetch", "-u", u.Name, "text", "mailbox", "INBOX", "all")
		if strings.Contains(text, "Subject:") {
			return strings.ReplaceAll(text, "\r\n", "\n")
		}
		if time.Now().After(until) {
			t.Fatalf("%s gets no mail", u.Name)
		}
	}
}

// serve runs what a bridge does beside requests, until the test ends.
func serve(t *testing.T, b *bridge.Bridge) {
	t.Helper()
	l, err := b.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- b.Serve(ctx, l) }()
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
