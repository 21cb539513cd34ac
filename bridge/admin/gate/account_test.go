package gate_test

import (
	"encoding/base64"
	"image/png"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/pushbridge/pushbridge/bridge/admin/gate"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
)

// post sends a form of the account's page, and answers the status and the page.
func (b *browser) post(path string, fields url.Values) (int, string) {
	b.h.t.Helper()
	a := b.send("POST", gate.AccountPath+path, form, fields.Encode())
	return a.StatusCode, text(b.h.t, a)
}

// found is the first group of a pattern in a page.
func found(t *testing.T, page, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("there is no %s in\n%s", pattern, page)
	}
	return m[1]
}

// TestAccountPage is what an administrator does there, without any script.
func TestAccountPage(t *testing.T) {
	h := open(t, nil)
	if a := h.browser().send("GET", gate.AccountPath, "", ""); a.Header.Get("Location") != "/admin/signin?next=%2Fadmin%2Faccount" {
		t.Errorf("who is not signed in is sent to %s", a.Header.Get("Location"))
	}
	b := h.browser()
	b.header.Set("User-Agent", "<script>alert(1)</script>")
	b.signIn("/admin/", fields("helpdesk", rostertest.Password))
	other := h.in("/admin/", "helpdesk", rostertest.Password)
	proof := func(more ...string) url.Values {
		f := url.Values{"password": {rostertest.Password}}
		for i := 0; i < len(more); i += 2 {
			f.Add(more[i], more[i+1])
		}
		return f
	}
	for _, path := range []string{"/password", "/factor", "/tokens"} {
		status, page := b.post(path, url.Values{"password": {"wrong"}, "new": {"another long password"}, "again": {"another long password"}, "days": {"1"}, "name": {"x"}, "role": {"helpdesk"}})
		if status != http.StatusForbidden || !strings.Contains(page, `role="alert">The password is wrong.`) {
			t.Errorf("%s with a wrong password is answered %d:\n%s", path, status, page)
		}
	}
	if status, page := b.post("/password", proof("new", "another long password", "again", "another lnog password")); status != http.StatusBadRequest || !strings.Contains(page, "two different ones") {
		t.Errorf("two different passwords are answered %d", status)
	}

	status, page := b.post("/tokens", proof("name", `<b>"nightly"`, "role", "helpdesk", "days", "7"))
	shown := found(t, page, `<code>(pushbridge_[0-9a-f]+_[A-Za-z0-9_-]+)</code>`)
	if status != http.StatusOK || strings.Contains(page, "<b>") || strings.Contains(page, "<script") {
		t.Errorf("making a token is answered %d:\n%s", status, page)
	}
	program := h.browser()
	program.header.Set("Authorization", "Bearer "+shown)
	if a := program.send("GET", "/admin/api/v1/status", "", ""); a.StatusCode != http.StatusOK {
		t.Errorf("the token is answered %s", a.Status)
	}
	page = text(t, b.send("GET", gate.AccountPath, "", ""))
	if strings.Contains(page, shown) {
		t.Error("the token is shown again")
	}
	if status, _ := b.post("/tokens/revoke", url.Values{"id": {found(t, page, `name="id" value="([0-9a-f]+)"`)}}); status != http.StatusOK || program.send("GET", "/admin/api/v1/status", "", "").StatusCode != http.StatusUnauthorized {
		t.Errorf("ending the token is answered %d", status)
	}
	if status, _ := b.post("/sessions/end", url.Values{"number": {found(t, page, `name="number" value="([0-9a-f]+)"`)}}); status != http.StatusOK || other.send("GET", gate.AccountPath, "", "").StatusCode != http.StatusSeeOther {
		t.Errorf("ending the other session is answered %d", status)
	}
	b.header.Set("Sec-Fetch-Site", "cross-site")
	if status, _ := b.post("/password", proof("new", "another long password", "again", "another long password")); status != http.StatusForbidden {
		t.Errorf("another site is answered %d", status)
	}
	b.header.Del("Sec-Fetch-Site")
	if status, page := b.post("/password", proof("new", "another long password", "again", "another long password")); status != http.StatusSeeOther || page != "" {
		t.Errorf("changing the password is answered %d:\n%s", status, page)
	}
	h.in("/admin/", "helpdesk", "another long password")
}

func TestSecondFactorPage(t *testing.T) {
	h := open(t, nil)
	b := h.in("/admin/", "helpdesk", rostertest.Password)
	a := b.send("POST", gate.AccountPath+"/factor", form, url.Values{"password": {rostertest.Password}}.Encode())
	if csp := a.Header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || !strings.Contains(csp, "img-src data:;") || !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("the policy is %s", csp)
	}
	page := text(t, a)
	secret := strings.ReplaceAll(found(t, page, `<code>([A-Z2-7 ]+)</code>`), " ", "")
	if !strings.Contains(page, `href="otpauth://totp/pushbridge:helpdesk?`) {
		t.Errorf("there is no link to an app:\n%s", page)
	}
	picture, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(found(t, page, `src="data:image/png;base64,([^"]+)"`), "&#43;", "+"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(strings.NewReader(string(picture))); err != nil {
		t.Error(err)
	}
	if status, _ := b.post("/factor/confirm", url.Values{"code": {"000000"}}); status != http.StatusBadRequest {
		t.Errorf("a wrong code is answered %d", status)
	}
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if status, page := b.post("/factor/confirm", url.Values{"code": {code[:3] + " " + code[3:]}}); status != http.StatusOK || !strings.Contains(page, "A code is asked for at each sign-in.") {
		t.Errorf("the code is answered %d:\n%s", status, page)
	}
	if a := h.browser().signIn("/admin/", fields("helpdesk", rostertest.Password)); a.StatusCode != http.StatusForbidden {
		t.Errorf("signing in without a code is answered %s", a.Status)
	}
	if status, _ := b.post("/factor/drop", url.Values{"password": {rostertest.Password}}); status != http.StatusOK {
		t.Errorf("ending it is answered %d", status)
	}
	h.in("/admin/", "helpdesk", rostertest.Password)
}

// Who is in no list has nothing to change here.
func TestAccountFromOutside(t *testing.T) {
	h, i := outside(t)
	b := h.browser()
	b.back(b.leave(i, ""), "good")
	a := b.send("GET", gate.AccountPath, "", "")
	if page := text(t, a); a.StatusCode != http.StatusBadRequest || !strings.Contains(page, "oidc:jane@example.org is not.") || strings.Contains(page, "New one") || !strings.Contains(page, "Sign out") {
		t.Errorf("it is answered %s:\n%s", a.Status, page)
	}
}
