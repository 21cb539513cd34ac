package bridge_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// TestOwnersPages has a phone's owner sign in with what the phone uses, see the
// phone, and name it.
func TestOwnersPages(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.Web.URL, o.Config.Web.Owners, o.Config.Login.Domain = "https://mail.example.org", true, "example.org"
		o.Config.AutodiscoverURL = "https://phones.example.org/Microsoft-Server-ActiveSync"
	}})
	bridgetest.Sync(t, bridgetest.Checked(t, phone.New(h.Client(eas.V161, "ANNSPHONE"), phone.Settings{})))
	send := func(method, path string, form url.Values, cookies []*http.Cookie) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "https://mail.example.org"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		h.Bridge.Handler().ServeHTTP(w, r)
		return w
	}
	if w := send(http.MethodGet, "/my/phone?device=ANNSPHONE", nil, nil); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/my/signin?next=") {
		t.Errorf("who is not signed in is answered %d to %s", w.Code, w.Header().Get("Location"))
	}
	if w := send(http.MethodPost, "/my/signin", url.Values{"name": {bridgetest.User}, "password": {"wrong"}}, nil); w.Code != http.StatusForbidden {
		t.Errorf("a wrong password is answered %d", w.Code)
	}
	in := send(http.MethodPost, "/my/signin", url.Values{"name": {bridgetest.User}, "password": {bridgetest.Password}}, nil)
	if in.Code != http.StatusSeeOther {
		t.Fatalf("signing in is answered %d\n%s", in.Code, in.Body)
	}
	me := in.Result().Cookies()
	if w := send(http.MethodPost, "/my/rename", url.Values{"device": {"ANNSPHONE"}, "name": {"Kitchen"}}, me); w.Code != http.StatusSeeOther {
		t.Errorf("naming the phone is answered %d\n%s", w.Code, w.Body)
	}
	for path, words := range map[string][]string{
		"/my/":                       {"Kitchen", "works"},
		"/my/phone?device=ANNSPHONE": {"Kitchen", "ANNSPHONE", "What wakes it", "on the phone"},
		"/my/add":                    {bridgetest.User + "@example.org", "phones.example.org", "https://mail.example.org/my/add"},
	} {
		w := send(http.MethodGet, path, nil, me)
		for _, word := range words {
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), word) {
				t.Errorf("%s is answered %d, without %q:\n%s", path, w.Code, word, w.Body)
			}
		}
	}
	if w := send(http.MethodGet, "/admin/device?user=ann&device=ANNSPHONE", nil, me); w.Code == http.StatusOK {
		t.Errorf("the administrators' page is shown to an owner:\n%s", w.Body)
	}
	out := send(http.MethodPost, "/my/signout", url.Values{}, me)
	if w := send(http.MethodGet, "/my/", nil, me); out.Code != http.StatusSeeOther || w.Code != http.StatusSeeOther {
		t.Errorf("after signing out, which is answered %d, the pages are answered %d", out.Code, w.Code)
	}
}
