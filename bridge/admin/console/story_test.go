package console_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/trace"
)

// TestBrowser is what administrators do, in a browser that they use.
func TestBrowser(t *testing.T) {
	b := launch(t)
	h := furnish(t)
	for range 500 {
		h.latency.Add(12 * time.Millisecond)
		h.latency.Add(90 * time.Millisecond)
	}
	at := serve(t, h)
	t.Run("lets a phone in", func(t *testing.T) { letIn(t, b.open(t, at, smallLight), h) })
	t.Run("follows what happens", func(t *testing.T) { follows(t, b.open(t, at, wideDark), h) })
	t.Run("changes a policy", func(t *testing.T) { changesPolicy(t, b.open(t, at, wideLight), h) })
	t.Run("erases a phone", func(t *testing.T) { erases(t, b.open(t, at, smallDark), h) })
	t.Run("goes by keyboard", func(t *testing.T) { byKeyboard(t, b.open(t, at, wideLight), h) })
	t.Run("has no scripts", func(t *testing.T) { withoutScripts(t, b.open(t, at, wideLight), h) })
	for _, m := range []mode{wideLight, smallDark} {
		t.Run("reads every page at "+m.name, func(t *testing.T) { readsAll(t, b.open(t, at, m), h) })
	}
}

// phoneNow is a phone as the register has it.
func phoneNow(t *testing.T, h *house, user, id string) device.Phone {
	t.Helper()
	p, err := h.db.Phones().Phone(t.Context(), device.ID{User: user, Device: id})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// letIn signs in, finds the phone that waits, and lets it in.
func letIn(t *testing.T, v *tab, h *house) {
	v.signIn(h, "/admin/", admin.DeviceSupport)
	v.says("h1", "Overview")
	v.says(".todo", "1 phone waits to be let in")
	v.press(`header a[href="/admin/admission"]`)
	v.says(".queue", "bob")
	v.shot("queue")
	v.press(`.queue a[data-do="approve"]`)
	v.says("h1", "Let this phone in?")
	v.says(".facts", "NEW")
	v.says(".means", "The phone is served from now on")
	v.press(`form button[data-op="devices.allow"]`)
	v.says(".said", "Phone NEW of bob may come in.")
	v.says("main", "None.")
	if p := phoneNow(t, h, "bob", "NEW"); p.Allowed.By != "jane" {
		t.Errorf("the phone is %+v", p)
	}
	v.visit("/admin/admission")
	v.shows(`document.querySelector(".said") === null`) // it is said once
	v.visit("/admin/device?user=bob&device=NEW")
	v.press(`a[data-do="trace"]`)
	v.press(`form button[data-op="trace.start"]`)
	v.says("h1", "Recording of NEW")
	if _, err := h.admin.Tracer.Stop(trace.Phone{User: "bob", Device: "NEW"}); err != nil {
		t.Errorf("the recording is none: %v", err)
	}
	v.says("#recording", "The recording is over.") // as the page finds out by itself
	v.calm()
}

// follows sees numbers and the health of phones change without doing anything.
func follows(t *testing.T, v *tab, h *house) {
	v.signIn(h, "/admin/", admin.ReadOnly)
	v.says(".cards li:nth-child(2)", "0")
	v.do(chromedp.Focus("#card-3", chromedp.ByQuery))
	h.engine.wait("ann", "WELL")
	v.says(".cards li:nth-child(2)", "1")
	v.shows(`document.activeElement.id === "card-3"`) // whoever goes by keyboard stays where they are
	v.says("main", "half of them within")
	v.shows(`document.querySelectorAll("svg.chart rect.median").length > 0`)
	v.says("main", "connection refused") // of a backend, which is asked by itself
	v.visit("/admin/devices?q=WELL")
	v.says("tbody .health", "waiting")
	h.engine.Order("ann", "WELL", nil)
	v.says("tbody .health", "resting")
	v.visit("/admin/device?user=ann&device=WELL")
	v.says(".state .health", "resting")
	h.engine.wait("ann", "WELL")
	v.says(".state .health", "waiting")
	v.calm()
}

// changesPolicy changes settings, sees what that means, and does it.
func changesPolicy(t *testing.T, v *tab, h *house) {
	h.policy(t, "a policy", map[string]any{"require": true, "device_password_enabled": true, "min_device_password_length": 6})
	v.signIn(h, "/admin/policies", admin.DeviceAdministrator)
	v.press(`main a[href="/admin/policy?name=a+policy"]`)
	field := `[name="set.min_device_password_length"]`
	set := func(value string) {
		v.do(chromedp.WaitVisible(field, chromedp.ByQuery), chromedp.SetValue(field, value, chromedp.ByQuery))
	}
	submit := `form:has([name="set.min_device_password_length"]) button`
	set("99")
	v.press(submit)
	v.says(".wrong", "min_device_password_length")
	v.do(chromedp.WaitVisible(field+`[value="99"]`, chromedp.ByQuery))
	set("8")
	v.press(submit)
	v.says("h1", "Change policy a policy?")
	v.says(".diff .before", "6")
	v.says(".diff .after", "8")
	v.says(".means", "For 3 phones of 4 something else is asked than now")
	v.shot("diff")
	v.accessible("the diff")
	v.press(`form button[data-op="policies.edit"]`)
	v.says(".said", "The policies are changed")
	v.do(chromedp.WaitVisible(field+`[value="8"]`, chromedp.ByQuery))
	r, err := admin.OpPolicyResult.Do(t.Context(), h.admin, boss, admin.PhoneRequest{User: "ann", Device: "WELL"})
	if err != nil || !r.Required {
		t.Errorf("the policy is %+v, %v", r, err)
	}
	// The chain of what was done is whole, and has it.
	v.press(".who button")
	v.signIn(h, "/admin/audit?q=policies.edit", admin.SecurityAdministrator)
	v.says(".entries", "policies.edit")
	v.press(`a[href="/admin/audit/verify"]`)
	v.says(".said", "The chain is whole")
	v.calm()
}

// erases has a phone erased, which is not done before somebody says that they know
// what it means.
func erases(t *testing.T, v *tab, h *house) {
	v.signIn(h, "/admin/device?user=ann&device=WELL", admin.DeviceAdministrator)
	v.shot("device")
	v.press(`a[data-do="wipe-full"]`)
	v.says("h1", "Erase the whole phone?")
	v.says(".means", "Everything on it is lost")
	v.shot("erase")
	v.accessible("the question")
	v.do(chromedp.Click(`form button[data-op="wipe"]`, chromedp.ByQuery)) // the browser does not send it
	v.shows(`document.querySelector("form [name=sure]").validity.valueMissing && location.pathname === "/admin/confirm"`)
	if p := phoneNow(t, h, "ann", "WELL"); p.Wipe.State != "" {
		t.Errorf("the phone is %+v", p.Wipe)
	}
	v.do(chromedp.Click(`[name="sure"]`, chromedp.ByQuery))
	v.press(`form button[data-op="wipe"]`)
	v.says(".said", "Two people have to want")
	v.says(".facts", "")
	v.says("main", "requested")
	if p := phoneNow(t, h, "ann", "WELL"); p.Wipe.State != device.WipeRequested || p.Wipe.By != "jane" || p.Wipe.Order != device.WipeDevice {
		t.Errorf("the phone is %+v", p.Wipe)
	}
	v.press(`a[data-do="wipe-cancel"]`)
	v.press(`form button[data-op="wipe"]`)
	v.says(".said", "taken back")
	v.calm()
}

// byKeyboard goes through pages by the tab key: everything that can be used is reached,
// in the order in which it stands, and shows that it is.
func byKeyboard(t *testing.T, v *tab, h *house) {
	v.signIn(h, "/admin/devices", admin.DeviceAdministrator)
	for _, path := range []string{"/admin/devices", "/admin/confirm?do=wipe-full&user=ann&device=BLOCKED", "/admin/people"} {
		v.visit(path)
		var want []string
		v.do(chromedp.Evaluate(`[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")].filter(e => e.checkVisibility()).map((e, i) => { e.dataset.nr = i; return String(i) })`, &want))
		var got, dim []string
		for range want {
			var is struct {
				Nr    string
				Shown bool
			}
			v.do(chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(`(() => { const e = document.activeElement, s = getComputedStyle(e); return {Nr: e.dataset.nr ?? e.tagName, Shown: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2} })()`, &is))
			got = append(got, is.Nr)
			if !is.Shown {
				dim = append(dim, is.Nr)
			}
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: the tab key leads to %v, want %v", path, got, want)
		}
		if len(dim) > 0 {
			t.Errorf("%s: it does not show where it is at %v", path, dim)
		}
	}
	// The first stop leads past the menu.
	v.visit("/admin/devices")
	v.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	v.shows(`document.activeElement.id === "main"`)
	v.calm()
}

// withoutScripts does what there is to do in a browser that runs none.
func withoutScripts(t *testing.T, v *tab, h *house) {
	v.do(emulation.SetScriptExecutionDisabled(true))
	v.signIn(h, "/admin/device?user=ann&device=BLOCKED", admin.DeviceAdministrator)
	v.press(`a[data-do="allow"]`)
	v.press(`form button[data-op="devices.allow"]`)
	var said string
	v.do(chromedp.Text(".said", &said, chromedp.ByQuery))
	if !strings.Contains(said, "Phone BLOCKED of ann may come in") || phoneNow(t, h, "ann", "BLOCKED").Blocked {
		t.Errorf("it says %q", said)
	}
	v.visit("/admin/")
	v.press(`main a[href="/admin/gateways"]`)
	v.calm()
}

// readsAll looks at every page.
func readsAll(t *testing.T, v *tab, h *house) {
	v.signIn(h, "/admin/", admin.AllRoles...)
	for _, page := range []string{"", "devices", "device?user=ann&device=REQUESTED", "admission", "people", "person?user=ann", "group?name=all", "policies", "policy?name=base",
		"policy/what-if?user=ann&device=WELL&policy=base&kind=user&enforced=yes", "problems", "audit", "audit/verify", "gateways", "confirm?do=person-off&user=ann", "confirm?do=trace&user=ann&device=BLOCKED", "nothing"} {
		v.visit("/admin/" + page)
		if strings.HasPrefix(page, "policy?") || page == "admission" || page == "policies" || page == "audit" {
			v.do(chromedp.Evaluate(`document.querySelectorAll("details").forEach(d => d.open = true)`, nil))
		}
		name, _, _ := strings.Cut("/"+page, "?")
		v.shot(strings.ReplaceAll(name, "/", "_"))
		v.fits(name)
		v.calm()
		v.accessible(name)
	}
}
