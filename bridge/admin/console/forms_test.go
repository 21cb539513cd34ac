package console_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
	"github.com/pushbridge/pushbridge/bridge/trace"
)

// settingsOf are those of a policy.
func settingsOf(t *testing.T, h *house, name string) map[string]any {
	t.Helper()
	all, err := admin.OpPolicies.Do(t.Context(), h.admin, boss, admin.Nothing{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all.Policies {
		if p.Name == name {
			return p.Settings
		}
	}
	t.Fatalf("there is no policy %q", name)
	return nil
}

// hidden is a value that a page has in a form.
func hidden(t *testing.T, page, name string) string {
	t.Helper()
	for n := range parsed(t, page).Descendants() {
		if attribute(n, "name") == name {
			return attribute(n, "value")
		}
	}
	t.Fatalf("the page has no %s: %s", name, page)
	return ""
}

// Two people change one policy at the same moment, and neither undoes what the other
// did.
func TestPolicyIsChangedByTwo(t *testing.T) {
	h := build(t, nil)
	h.policy(t, "base", map[string]any{"allow_camera": true, "min_device_password_length": 6, "allow_wifi": true, "require": false})
	was := url.Values{"do": {"settings"}, "name": {"base"}}
	for name, text := range map[string]string{"allow_camera": "true", "min_device_password_length": "6", "allow_wifi": "true"} {
		was.Set("was."+name, text)
		was.Set("set."+name, text)
	}
	change := func(name, to string) url.Values {
		f := url.Values{}
		for k, v := range was {
			f[k] = v
		}
		f.Set("set."+name, to)
		return f
	}
	var edits []string
	for _, f := range []url.Values{change("allow_camera", "false"), change("min_device_password_length", "8"), change("allow_wifi", "")} {
		w := h.post(t, "/admin/policy/preview", f, admin.DeviceAdministrator)
		if w.Code != http.StatusOK {
			t.Fatalf("the preview is answered %d: %s", w.Code, w.Body)
		}
		edits = append(edits, hidden(t, w.Body.String(), "edit"))
	}
	if got := settingsOf(t, h, "base"); got["allow_camera"] != true {
		t.Errorf("a preview changed it to %v", got)
	}
	for _, e := range edits {
		if w := h.post(t, "/admin/policy/save", url.Values{"edit": {e}}, admin.DeviceAdministrator); w.Code != http.StatusSeeOther {
			t.Fatalf("saving is answered %d: %s", w.Code, w.Body)
		}
	}
	got := settingsOf(t, h, "base")
	if _, said := got["allow_wifi"]; said || got["allow_camera"] != false || len(got) != 3 {
		t.Errorf("it says %v", got)
	}
	if f := got["min_device_password_length"]; f != 8 && f != 8.0 {
		t.Errorf("the length is %v", f)
	}
}

// All that is wrong with a policy is said at once, and nothing is changed.
func TestPolicyThatIsWrong(t *testing.T) {
	h := build(t, nil)
	h.policy(t, "base", map[string]any{"allow_camera": true})
	f := url.Values{"do": {"settings"}, "name": {"base"}, "was.allow_camera": {"true"}, "set.allow_camera": {"maybe"}, "was.min_device_password_length": {""}, "set.min_device_password_length": {"99"}}
	w := h.post(t, "/admin/policy/preview", f, admin.DeviceAdministrator)
	if body := w.Body.String(); w.Code != http.StatusBadRequest || !strings.Contains(body, "allow_camera is") || !strings.Contains(body, "min_device_password_length is 99") || !strings.Contains(body, `value="99"`) {
		t.Errorf("it is answered %d: %s", w.Code, body)
	}
	if got := settingsOf(t, h, "base"); len(got) != 1 || got["allow_camera"] != true {
		t.Errorf("it says %v", got)
	}
}

// Of rules that moved meanwhile not another one is removed.
func TestRuleThatMoved(t *testing.T) {
	h := build(t, nil)
	insert := func(text string, at int) rulebook.Rule {
		t.Helper()
		r := rulebook.Rule{Action: rulebook.Block, Type: text}
		if _, err := admin.OpSetAdmission.Do(t.Context(), h.admin, boss, admin.AdmissionChange{Insert: &r, At: at}); err != nil {
			t.Fatal(err)
		}
		return r
	}
	old := insert("Old*", 0)
	remove := url.Values{"do": {"rule-remove"}, "n": {"1"}, "is": {old.String()}}
	insert("New*", 1)
	if w := h.post(t, "/admin/confirm", remove, admin.DeviceAdministrator); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "number 2 now") {
		t.Errorf("it is answered %d: %s", w.Code, w.Body)
	}
	remove.Set("n", "2")
	if w := h.post(t, "/admin/confirm", remove, admin.DeviceAdministrator); w.Code != http.StatusSeeOther {
		t.Errorf("it is answered %d: %s", w.Code, w.Body)
	}
	if a, err := admin.OpAdmission.Do(t.Context(), h.admin, boss, admin.Nothing{}); err != nil || len(a.Rules) != 1 || a.Rules[0].Type != "New*" {
		t.Errorf("the rules are %+v, %v", a.Rules, err)
	}
}

// What cannot be undone is not done before somebody says that they know what it means,
// whatever their browser does.
func TestSure(t *testing.T) {
	h := build(t, nil)
	h.phone(t, "ann", "P", nil)
	f := url.Values{"do": {"wipe-full"}, "user": {"ann"}, "device": {"P"}}
	if w := h.post(t, "/admin/confirm", f, admin.DeviceAdministrator); w.Code != http.StatusBadRequest {
		t.Errorf("it is answered %d", w.Code)
	}
	if p := phoneNow(t, h, "ann", "P"); p.Wipe.State != "" {
		t.Errorf("the phone is %+v", p.Wipe)
	}
	f.Set("sure", "yes")
	if w := h.post(t, "/admin/confirm", f, admin.DeviceAdministrator); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/admin/device?device=P&user=ann" {
		t.Errorf("it is answered %d, %v", w.Code, w.Header())
	}
	if p := phoneNow(t, h, "ann", "P"); p.Wipe.State != device.WipePending {
		t.Errorf("the phone is %+v", p.Wipe)
	}
	// The other way leads nowhere: a link changes nothing.
	if w := h.get(t, "/admin/confirm?do=wipe-cancel&user=ann&device=P&sure=yes", admin.DeviceAdministrator); w.Code != http.StatusOK {
		t.Errorf("the question is answered %d", w.Code)
	}
	if p := phoneNow(t, h, "ann", "P"); p.Wipe.State != device.WipePending {
		t.Errorf("a link made the phone %+v", p.Wipe)
	}
}

// A recovery password is shown once, to whom may see it, and kept nowhere on the way.
func TestRecoveryPassword(t *testing.T) {
	h := build(t, nil)
	h.policy(t, "base", map[string]any{"require": true, "device_password_enabled": true, "password_recovery_enabled": true})
	h.phone(t, "ann", "P", nil)
	if err := h.register.KeepPassword(t.Context(), phoneNow(t, h, "ann", "P"), "1234567890"); err != nil {
		t.Fatal(err)
	}
	f := url.Values{"do": {"recover"}, "user": {"ann"}, "device": {"P"}}
	if w := h.post(t, "/admin/confirm", f, admin.ReadOnly); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "1234567890") {
		t.Errorf("who may not see it is answered %d", w.Code)
	}
	w := h.post(t, "/admin/confirm", f, admin.Helpdesk)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "1234567890") || w.Header().Get("Cache-Control") != "no-store" || len(w.Result().Cookies()) > 0 {
		t.Errorf("who may see it is answered %d, %v: %s", w.Code, w.Header(), w.Body)
	}
	if page := h.get(t, "/admin/device?user=ann&device=P", admin.Helpdesk).Body.String(); strings.Contains(page, "1234567890") || !strings.Contains(page, "shown to <bdi>jane</bdi>") {
		t.Errorf("the page of the phone is %s", page)
	}
}

// What the cookie of the last order has is text, and is said once.
func TestWhatWasDone(t *testing.T) {
	h := build(t, nil)
	for _, value := range []string{"<script>x</script>", "\xff\x00", strings.Repeat("é", 5000), ""} {
		r := httptest.NewRequest(http.MethodGet, "/admin/devices", nil)
		r.AddCookie(&http.Cookie{Name: "pushbridge_said", Value: base64.RawURLEncoding.EncodeToString([]byte(value))})
		w := h.ask(t, r, admin.ReadOnly)
		if c := w.Result().Cookies(); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<script>x") || len(c) != 1 || c[0].MaxAge >= 0 {
			t.Errorf("with %.20q it is answered %d, %v", value, w.Code, c)
		}
	}
}

// A recording is shown piece by piece, and ends.
func TestRecording(t *testing.T) {
	h := build(t, nil)
	h.phone(t, "ann", "P", nil)
	f := url.Values{"do": {"trace"}, "user": {"ann"}, "device": {"P"}, "minutes": {"0"}}
	if w := h.post(t, "/admin/confirm", f, admin.DeviceSupport); w.Code != http.StatusBadRequest {
		t.Errorf("a recording of no time is answered %d", w.Code)
	}
	f.Set("minutes", "5")
	if w := h.post(t, "/admin/confirm", f, admin.DeviceSupport); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/admin/trace?") {
		t.Errorf("it is answered %d, %v", w.Code, w.Header())
	}
	piece := func(script bool) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/admin/trace", strings.NewReader("user=ann&device=P"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if script {
			r.Header.Set("HX-Request", "true")
		}
		return h.ask(t, r, admin.DeviceSupport)
	}
	if w := piece(true); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<html") {
		t.Errorf("a piece is answered %d: %s", w.Code, w.Body)
	}
	if w := piece(false); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<html") {
		t.Errorf("a piece without scripts is answered %d: %s", w.Code, w.Body)
	}
	if _, err := h.admin.Tracer.Stop(trace.Phone{User: "ann", Device: "P"}); err != nil {
		t.Fatal(err)
	}
	if w := piece(true); w.Code != 286 || !strings.Contains(w.Body.String(), "The recording is over.") {
		t.Errorf("after the end a piece is answered %d: %s", w.Code, w.Body)
	}
	if w := piece(false); w.Code != http.StatusNotFound {
		t.Errorf("without scripts it is answered %d", w.Code)
	}
}

// A large form is refused, and so is one that is none.
func TestForms(t *testing.T) {
	h := build(t, nil)
	for _, tc := range []struct {
		name, path, body string
		status           int
	}{
		{"larger than any form", "/admin/confirm", "x=" + strings.Repeat("a", 2<<20), 400},
		{"no form", "/admin/confirm", "%zz", 400},
		{"no order", "/admin/confirm", "do=nothing", 404},
		{"no change", "/admin/policy/save", "edit=x", 400},
		{"nothing to preview", "/admin/policy/preview", "do=x", 400},
		{"nothing of admission", "/admin/admission", "do=x", 400},
		{"a number that is none", "/admin/admission", "do=max&max=many", 400},
		{"a folder that is none", "/admin/confirm", "do=release&sure=yes&user=ann&folder=x", 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, tc.path, strings.NewReader(tc.body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if w := h.ask(t, r, admin.AllRoles...); w.Code != tc.status {
				t.Errorf("it is answered %d, want %d: %.300s", w.Code, tc.status, w.Body)
			}
		})
	}
}
