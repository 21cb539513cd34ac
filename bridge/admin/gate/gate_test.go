package gate_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/admintest"
	"github.com/pushbridge/pushbridge/bridge/admin/gate"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/audit/audittest"
	"github.com/pushbridge/pushbridge/bridge/choice"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/devicetest"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

const host = "mail.example.org"

// engine has nothing, and does nothing.
type engine struct{ admin.Engine }

func (engine) Folders(context.Context, string) ([]syncengine.Folder, error) { return nil, nil }
func (engine) Held(context.Context) ([]syncengine.Hold, error)              { return nil, nil }
func (engine) Resync(context.Context, syncengine.Phone, syncengine.FolderID) error {
	return nil
}
func (engine) ForgetPhone(context.Context, syncengine.Phone) error { return nil }

// A house is a gate with what is behind it.
type house struct {
	*gate.Gate
	t      *testing.T
	roster *roster.Roster
	server *admin.Server
	audit  *audittest.Memory
	phones *devicetest.Memory
}

// open builds one with an administrator of each role, named as the role, and two
// owners with a phone P each, whose password is "secret".
func open(t *testing.T, edit func(*gate.Options)) *house {
	t.Helper()
	h := &house{t: t, audit: new(audittest.Memory), phones: new(devicetest.Memory)}
	for _, user := range []string{"ann", "bob"} {
		if _, err := h.phones.Update(t.Context(), device.ID{User: user, Device: "P"}, func(p *device.Phone, _ bool) error { p.Version = "16.1"; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	h.roster = roster.New(roster.Options{Store: new(rostertest.Memory), Cost: rostertest.Cheap, Audit: audit.New(h.audit)})
	book, err := rulebook.Open(t.Context(), new(rostertest.Memory), rulebook.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h.server = admin.New(admin.Options{Engine: engine{}, Devices: h.phones, Security: device.New(device.Options{Store: h.phones}), Problems: admintest.Unproblematic{},
		Waiting: admintest.Unwaiting{}, Rules: book, Choices: choice.New(choice.Table{}, h.phones), Roster: h.roster, Audit: audit.New(h.audit), Logger: log})
	o := gate.Options{Server: h.server, Roster: h.roster, URL: &url.URL{Scheme: "https", Host: host}, Login: login, Logger: log}
	if edit != nil {
		edit(&o)
	}
	h.Gate = gate.New(o)
	for _, role := range admin.AllRoles {
		rostertest.Add(t, h.roster, string(role), string(role))
	}
	return h
}

// login is the backend of ann and bob.
func login(_ context.Context, name, password string, _ netip.Addr) (string, error) {
	switch {
	case name == "late":
		return "", backend.Errorf(backend.Transient, "test", "asleep")
	case (name == "ann" || name == "bob") && password == "secret":
		return name, nil
	}
	return "", backend.Errorf(backend.Denied, "test", "no")
}

// A browser keeps cookies, and follows nothing.
type browser struct {
	h       *house
	address string
	cookies map[string]string
	header  http.Header
}

func (h *house) browser() *browser {
	return &browser{h: h, address: "192.0.2.1:1024", cookies: map[string]string{}, header: http.Header{}}
}

// send asks as a page of this site does.
func (b *browser) send(method, path, kind, body string) *http.Response {
	b.h.t.Helper()
	r := httptest.NewRequestWithContext(b.h.t.Context(), method, "https://"+host+path, strings.NewReader(body))
	r.RemoteAddr = b.address
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for k, v := range b.header {
		r.Header[k] = v
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	answer := w.Result()
	for _, c := range answer.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return answer
}

const form, jsonType = "application/x-www-form-urlencoded", "application/json"

func (b *browser) signIn(prefix string, fields url.Values) *http.Response {
	return b.send("POST", prefix+"signin", form, fields.Encode())
}

func fields(name, password string) url.Values {
	return url.Values{"name": {name}, "password": {password}}
}

// in is a browser where somebody is signed in.
func (h *house) in(prefix, name, password string) *browser {
	h.t.Helper()
	b := h.browser()
	if a := b.signIn(prefix, fields(name, password)); a.StatusCode != http.StatusSeeOther {
		h.t.Fatalf("%s is not let in: %s\n%s", name, a.Status, text(h.t, a))
	}
	return b
}

func text(t *testing.T, a *http.Response) string {
	t.Helper()
	all, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

const (
	adminCookie = "__Host-pushbridge-admin"
	myCookie    = "__Host-pushbridge-my"
)

func TestSignIn(t *testing.T) {
	h := open(t, nil)
	b := h.browser()
	if a := b.send("GET", "/admin/devices?user=ann", "", ""); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/admin/signin?next=%2Fadmin%2Fdevices%3Fuser%3Dann" {
		t.Errorf("who is not signed in gets %s, %s", a.Status, a.Header.Get("Location"))
	}
	page := b.send("GET", "/admin/signin?next=%2Fadmin%2Fdevices%3Fuser%3Dann", "", "")
	if s := text(t, page); page.StatusCode != http.StatusOK || !strings.Contains(s, `value="/admin/devices?user=ann"`) || strings.Contains(s, "<script") {
		t.Errorf("the page is %s\n%s", page.Status, s)
	}
	for header, want := range map[string]string{"Cache-Control": "no-store", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": gate.Policy} {
		if got := page.Header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
	f := fields(" Read-Only ", rostertest.Password)
	f.Set("next", "/admin/devices?user=ann")
	a := b.signIn("/admin/", f)
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/admin/devices?user=ann" {
		t.Fatalf("signing in is answered %s, %s\n%s", a.Status, a.Header.Get("Location"), text(t, a))
	}
	set := a.Header.Get("Set-Cookie")
	for _, want := range []string{adminCookie + "=", "; Path=/;", "; HttpOnly", "; Secure", "; SameSite=Strict"} {
		if !strings.Contains(set, want) {
			t.Errorf("the cookie is %q, without %q", set, want)
		}
	}
	if strings.Contains(set, "Domain") || strings.Contains(set, "Max-Age") {
		t.Errorf("the cookie is %q", set)
	}
	if s := text(t, b.send("GET", "/admin/", "", "")); !strings.Contains(s, "<strong>read-only</strong>: read-only.") {
		t.Errorf("it says\n%s", s)
	}
	if a := b.send("POST", "/admin/signout", form, ""); a.StatusCode != http.StatusSeeOther || len(b.cookies) > 0 {
		t.Errorf("signing out is answered %s; left are %v", a.Status, b.cookies)
	}
}

// whoIs answers who a cookie is.
func (h *house) whoIs(m *gate.Realm, cookie, value string) (admin.Actor, error) {
	r := httptest.NewRequestWithContext(h.t.Context(), "GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: cookie, Value: value})
	return m.Actor(r)
}

// A session that somebody planted in a browser is not the one that its owner gets
// by signing in.
func TestFixation(t *testing.T) {
	h := open(t, nil)
	mine := h.in("/admin/", "read-only", rostertest.Password).cookies[adminCookie]
	for _, planted := range []string{mine, "x", strings.Repeat("A", 43)} {
		b := h.browser()
		b.cookies[adminCookie] = planted
		if a := b.signIn("/admin/", fields("helpdesk", rostertest.Password)); a.StatusCode != http.StatusSeeOther {
			t.Fatal(a.Status)
		}
		if b.cookies[adminCookie] == planted {
			t.Error("the planted session is kept")
		}
		if a, err := h.whoIs(h.Administrators(), adminCookie, planted); err == nil {
			t.Errorf("the planted session is %v", a)
		}
	}
}

func TestSessionIsOfOneRealm(t *testing.T) {
	h := open(t, nil)
	boss := h.in("/admin/", "server-administrator", rostertest.Password).cookies[adminCookie]
	ann := h.in("/my/", "ann", "secret").cookies[myCookie]
	if a, err := h.whoIs(h.Owners(), myCookie, ann); err != nil || a.User != "ann" || len(a.Roles) != 1 || a.Roles[0] != admin.SelfService {
		t.Errorf("ann is %+v, %v", a, err)
	}
	if a, err := h.whoIs(h.Owners(), myCookie, boss); err == nil {
		t.Errorf("an administrator's session is an owner's: %+v", a)
	}
	if a, err := h.whoIs(h.Administrators(), adminCookie, ann); err == nil {
		t.Errorf("an owner's session is an administrator's: %+v", a)
	}
	two := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	two.Header["Cookie"] = []string{adminCookie + "=" + boss + "; " + adminCookie + "=" + boss}
	if a, err := h.Administrators().Actor(two); err == nil {
		t.Errorf("two cookies are %+v", a)
	}
}

func TestOpenRedirect(t *testing.T) {
	h := open(t, nil)
	for asked, want := range map[string]string{
		"":                                    "/admin/",
		"/admin/":                             "/admin/",
		"/admin":                              "/admin",
		"/admin/device?user=a&device=b%2f":    "/admin/device?user=a&device=b%2f",
		"/admin/people/j%C3%B6rg":             "/admin/people/j%C3%B6rg",
		"//evil.example/admin/":               "/admin/",
		"https://evil.example/admin/":         "/admin/",
		"https:/admin/":                       "/admin/",
		"/\\evil.example/admin/":              "/admin/",
		"/admin/\\evil.example":               "/admin/",
		"/admin/..//evil.example":             "/admin/",
		"/admin/%2e%2e/%2fevil.example":       "/admin/",
		"/admin//evil.example":                "/admin/",
		"/admin/../my/":                       "/admin/",
		"/my/":                                "/admin/",
		"/administrator":                      "/admin/",
		"/admin/signout":                      "/admin/",
		"/admin/x\r\nSet-Cookie: a=b":         "/admin/",
		"\t//evil.example":                    "/admin/",
		"javascript:alert(1)":                 "/admin/",
		"/admin/" + strings.Repeat("a", 3000): "/admin/",
	} {
		f := fields("read-only", rostertest.Password)
		f.Set("next", asked)
		if got := h.browser().signIn("/admin/", f).Header.Get("Location"); got != want {
			t.Errorf("%.60q leads to %q, want %q", asked, got, want)
		}
	}
}

// What another site has a browser do is not done.
func TestOtherSites(t *testing.T) {
	h := open(t, nil)
	b := h.in("/admin/", "device-administrator", rostertest.Password)
	wipe := `{"user":"ann","device":"P"}`
	for name, header := range map[string]http.Header{
		"cross-site":           {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}},
		"same site, not this":  {"Sec-Fetch-Site": {"same-site"}, "Origin": {"https://www.example.org"}},
		"an older browser":     {"Sec-Fetch-Site": nil, "Origin": {"https://evil.example"}},
		"an origin of nothing": {"Sec-Fetch-Site": nil, "Origin": {"null"}},
	} {
		b.header = header
		for path, body := range map[string]string{"/admin/api/v1/wipe": wipe, "/admin/signout": "", "/admin/signin": fields("helpdesk", rostertest.Password).Encode()} {
			kind := form
			if body == wipe {
				kind = jsonType
			}
			if a := b.send("POST", path, kind, body); a.StatusCode != http.StatusForbidden {
				t.Errorf("%s: %s is answered %s", name, path, a.Status)
			}
		}
	}
	b.header = nil
	if a := b.send("POST", "/admin/api/v1/wipe", "text/plain", wipe); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a call that a form could send is answered %s", a.Status)
	}
	if p, err := h.phones.Phone(t.Context(), device.ID{User: "ann", Device: "P"}); err != nil || p.Wipe.State != "" {
		t.Errorf("the phone is to be erased: %+v, %v", p.Wipe, err)
	}
	if a := b.send("POST", "/admin/api/v1/wipe", jsonType, wipe); a.StatusCode != http.StatusOK {
		t.Errorf("the same from this site is answered %s: %s", a.Status, text(t, a))
	}
	for name, want := range map[string]int{"rebound.example": http.StatusMisdirectedRequest, host + ".": http.StatusMisdirectedRequest, "": http.StatusMisdirectedRequest,
		"MAIL.example.org": http.StatusOK, host + ":8443": http.StatusOK} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "https://x/admin/signin", nil)
		r.Host = name
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("the name %q for this server is answered %d, want %d", name, w.Code, want)
		}
	}
}

// FuzzNext: whatever is asked for, a browser stays in the realm.
func FuzzNext(f *testing.F) {
	for _, s := range []string{"/admin/", "//evil.example", "/admin/%2e%2e/x", "/admin/..;/x", "/\\x", "/admin/?next=//x", "/admin/#//x", "/admin\x00", "/admin/%0d%0a"} {
		f.Add(s)
	}
	m := gate.New(gate.Options{Server: new(admin.Server), Roster: roster.New(roster.Options{Store: new(rostertest.Memory)}), URL: &url.URL{Scheme: "https", Host: host}}).Administrators()
	base := &url.URL{Scheme: "https", Host: host, Path: "/admin/signin"}
	f.Fuzz(func(t *testing.T, asked string) {
		next := m.Next(asked)
		to, err := base.Parse(next)
		if err != nil || to.Host != host || to.Scheme != "https" || to.Path != "/admin" && !strings.HasPrefix(path.Clean(to.Path)+"/", "/admin/") || strings.ContainsAny(next, "\\\r\n\t\x00") || strings.HasPrefix(next, "//") {
			t.Errorf("%q leads to %q, %v, %v", asked, next, to, err)
		}
		if again := m.Next(next); again != next {
			t.Errorf("%q leads to %q, and that to %q", asked, next, again)
		}
	})
}
