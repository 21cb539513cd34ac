package selfservice_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"rsc.io/qr"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
)

// A change is something that an owner can do, as the form of it.
type change struct {
	path string
	form url.Values
	done func(*house, string) bool // to somebody's phone
}

func confirmed(do string) url.Values { return url.Values{"do": {do}, "sure": {"yes"}} }

func (h *house) wipes(user string, o device.Order) bool {
	w := h.now(user).Wipe
	return w.InForce() && w.Order == o
}

func (h *house) noted(what, user string) bool {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	for _, o := range h.engine.orders {
		if o == what+" P of "+user {
			return true
		}
	}
	return false
}

var changes = map[string]change{
	"rename": {"/my/rename", url.Values{"name": {"  My   phone "}}, func(h *house, user string) bool { return h.now(user).Called == "My phone" }},
	"folders": {"/my/folders", url.Values{"listed": {"10", "11", "12", "20", "21", "22"}, "show": {"10", "12", "20", "22"}}, func(h *house, user string) bool {
		list, err := h.server.Choices.List(h.t.Context(), user)
		return err == nil && len(list) == 1 && list[0] == admin.Choice{Device: "P", Pattern: "events/Work: plans", Hide: true}
	}},
	"push": {"/my/push", url.Values{"wakes": {"some"}, "kind": {"events", "mail"}, "from": {"22:00"}, "to": {"07:00"}, "zone": {"Europe/Berlin"}}, func(h *house, user string) bool {
		p, err := device.PushOf(h.t.Context(), h.store, device.ID{User: user, Device: "P"})
		return err == nil && p.Only && len(p.Kinds) == 2 && p.Quiet != nil && p.Quiet.Zone == "Europe/Berlin"
	}},
	"resync":       {"/my/confirm", confirmed("resync"), func(h *house, user string) bool { return h.noted("resync", user) }},
	"block":        {"/my/confirm", confirmed("block"), func(h *house, user string) bool { return h.now(user).Blocked }},
	"forget":       {"/my/confirm", confirmed("forget"), func(h *house, user string) bool { return h.now(user).Type == "" && h.noted("forget", user) }},
	"wipe-account": {"/my/confirm", confirmed("wipe-account"), func(h *house, user string) bool { return h.wipes(user, device.WipeAccount) }},
	"wipe-full":    {"/my/confirm", confirmed("wipe-full"), func(h *house, user string) bool { return h.wipes(user, device.WipeDevice) }},
}

// TestChanges does everything to the own phone, and finds nothing done to the
// other person's, who has one of the same name.
func TestChanges(t *testing.T) {
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			h := open(t, nil)
			c.form.Set("device", "P")
			c.form.Set("user", "bob") // which nobody asked for
			w := h.as("ann", http.MethodPost, c.path, c.form)
			if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/my/") {
				t.Fatalf("it is answered %d to %s\n%s", w.Code, w.Header().Get("Location"), w.Body)
			}
			if !c.done(h, "ann") || c.done(h, "bob") {
				t.Errorf("it is done to ann's phone: %t, to bob's: %t", c.done(h, "ann"), c.done(h, "bob"))
			}
			page := h.page("ann", w.Header().Get("Location"))
			has(t, page, `class="said" role="status"`)
			last := h.audit.Records[len(h.audit.Records)-1]
			if last.Actor != "ann" || !strings.HasSuffix(last.Object, "of ann") {
				t.Errorf("the audit says %+v", last)
			}
		})
	}
}

// TestOthersPhones asks for, and orders, what is another person's.
func TestOthersPhones(t *testing.T) {
	h := open(t, nil)
	h.phone("bob", "BOBS", nil)
	for _, path := range []string{"/my/phone?device=BOBS", "/my/phone?device=BOBS&user=bob", "/my/confirm?do=block&device=BOBS", "/my/phone", "/my/phone?device="} {
		if w := h.as("ann", http.MethodGet, path, nil); w.Code == http.StatusOK {
			t.Errorf("%s is shown to ann:\n%s", path, w.Body)
		}
	}
	lacks(t, h.page("ann", "/my/"), "BOBS", "bob")
	for name, c := range changes {
		form := url.Values{"device": {"BOBS"}, "user": {"bob"}}
		for k, v := range c.form {
			if k != "device" && k != "user" {
				form[k] = v
			}
		}
		if w := h.as("ann", http.MethodPost, c.path, form); w.Code != http.StatusNotFound && w.Code != http.StatusForbidden {
			t.Errorf("%s of another person's phone is answered %d to %s", name, w.Code, w.Header().Get("Location"))
		}
	}
	p, err := h.store.Phone(t.Context(), device.ID{User: "bob", Device: "BOBS"})
	if err != nil || p.Called != "" || p.Blocked || p.Wipe != (device.Wipe{}) || len(h.engine.orders) > 0 {
		t.Errorf("bob's phone is %+v, %v; the orders are %v", p, err, h.engine.orders)
	}
}

// TestStrangers are sent to where one signs in, and so is an administrator, whose
// pages are elsewhere.
func TestStrangers(t *testing.T) {
	h := open(t, nil)
	for _, who := range []string{"", "admin"} {
		for path, want := range map[string]string{"/my/": "/my/signin", "/my/phone?device=P": "/my/signin?next=%2Fmy%2Fphone%3Fdevice%3DP", "/my/nothing": "/my/signin?next=%2Fmy%2Fnothing"} {
			if w := h.as(who, http.MethodGet, path, nil); w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
				t.Errorf("%s for %q is answered %d to %s", path, who, w.Code, w.Header().Get("Location"))
			}
		}
		for name, c := range changes {
			c.form.Set("device", "P")
			if w := h.as(who, http.MethodPost, c.path, c.form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/my/signin" || c.done(h, "ann") {
				t.Errorf("%s for %q is answered %d to %s", name, who, w.Code, w.Header().Get("Location"))
			}
		}
	}
	if w := h.as("unknown", http.MethodGet, "/my/", nil); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "disk") {
		t.Errorf("when nobody can tell who it is, it is answered %d to %s\n%s", w.Code, w.Header().Get("Location"), w.Body)
	}
	if w := h.as("ann", http.MethodGet, "/my/nothing", nil); w.Code != http.StatusNotFound {
		t.Errorf("a page that is not there is answered %d", w.Code)
	}
}

// TestOtherSites cannot have anything done.
func TestOtherSites(t *testing.T) {
	h := open(t, nil)
	for name, c := range changes {
		c.form.Set("device", "P")
		for _, site := range []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://mail.example.org"+c.path, strings.NewReader(c.form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("X-Test", "ann")
			for k, v := range site {
				r.Header.Set(k, v)
			}
			w := h.serve(r)
			if w.Code != http.StatusForbidden || c.done(h, "ann") {
				t.Errorf("%s from %v is answered %d", name, site, w.Code)
			}
		}
		if w := h.as("ann", http.MethodGet, c.path+"?"+c.form.Encode(), nil); w.Code == http.StatusSeeOther || c.done(h, "ann") {
			t.Errorf("%s by GET is answered %d", name, w.Code)
		}
	}
}

var offers = regexp.MustCompile(`data-do="([a-z-]+)"`)

// offered are the orders whose buttons the page of ann's phone has.
func (h *house) offered() string {
	var names []string
	for _, m := range offers.FindAllStringSubmatch(h.page("ann", "/my/phone?device=P"), -1) {
		names = append(names, m[1])
	}
	return strings.Join(names, " ")
}

// TestOffers shows a button for what can be done and for nothing else, and what has
// no button is not done.
func TestOffers(t *testing.T) {
	wipe := func(state device.WipeState, by string) func(*device.Phone) {
		return func(p *device.Phone) {
			p.Wipe = device.Wipe{Order: device.WipeAccount, State: state, By: by, Ordered: time.Now()}
		}
	}
	for name, tc := range map[string]struct {
		server func(*admin.Options)
		phone  func(*device.Phone)
		want   string
	}{
		"a phone that is well":      {nil, nil, "resync forget block wipe-account wipe-full"},
		"owners may not erase all":  {func(o *admin.Options) { o.OwnersWipe = false }, nil, "resync forget block wipe-account"},
		"an old protocol":           {nil, func(p *device.Phone) { p.Version = "14.1" }, "resync forget block wipe-full"},
		"a very old one":            {nil, func(p *device.Phone) { p.Version = "2.5" }, "resync forget block wipe-full"},
		"blocked":                   {nil, func(p *device.Phone) { p.Blocked = true }, "wipe-account wipe-full"},
		"to be erased by its owner": {nil, wipe(device.WipePending, "ann"), "cancel"},
		"requested by its owner":    {nil, wipe(device.WipeRequested, "ann"), "cancel"},
		"by an administrator":       {nil, wipe(device.WipeSent, "jane"), ""},
		"requested by another":      {nil, wipe(device.WipeRequested, "jane"), ""},
		"no whole phone ever erased": {func(o *admin.Options) {
			o.Security = device.New(device.Options{Store: o.Devices.(device.Store), NeverFullWipe: true})
		}, nil, "resync forget block wipe-account"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, tc.server)
			h.phone("ann", "P", tc.phone)
			if got := h.offered(); got != tc.want {
				t.Errorf("offered is %q, want %q", got, tc.want)
			}
			before := h.now("ann")
			for _, do := range []string{"resync", "forget", "block", "wipe-account", "wipe-full", "cancel", "nothing"} {
				if strings.Contains(" "+tc.want+" ", " "+do+" ") {
					has(t, h.page("ann", "/my/confirm?do="+do+"&device=P"), `name="do" value="`+do+`"`)
					continue
				}
				form := confirmed(do)
				form.Set("device", "P")
				get, post := h.as("ann", http.MethodGet, "/my/confirm?do="+do+"&device=P", nil), h.as("ann", http.MethodPost, "/my/confirm", form)
				if get.Code < 400 || post.Code < 400 {
					t.Errorf("%s is answered %d and %d", do, get.Code, post.Code)
				}
			}
			if h.now("ann") != before || len(h.engine.orders) > 0 {
				t.Errorf("the phone is %+v, was %+v; the orders are %v", h.now("ann"), before, h.engine.orders)
			}
		})
	}
}

// TestSure asks for a tick before a whole phone is erased.
func TestSure(t *testing.T) {
	h := open(t, nil)
	has(t, h.page("ann", "/my/confirm?do=wipe-full&device=P"), `name="sure"`, "photographs")
	w := h.as("ann", http.MethodPost, "/my/confirm", url.Values{"do": {"wipe-full"}, "device": {"P"}})
	if w.Code != http.StatusBadRequest || h.now("ann").Wipe.State != "" {
		t.Errorf("without the tick it is answered %d, and the phone is %+v", w.Code, h.now("ann").Wipe)
	}
}

// TestTwoPersons needs nobody else where it is the owner's own phone.
func TestTwoPersons(t *testing.T) {
	h := open(t, func(o *admin.Options) {
		o.Security = device.New(device.Options{Store: o.Devices.(device.Store), TwoPersons: true})
	})
	form := confirmed("wipe-full")
	form.Set("device", "P")
	w := h.as("ann", http.MethodPost, "/my/confirm", form)
	if state := h.now("ann").Wipe.State; w.Code != http.StatusSeeOther || state != device.WipePending {
		t.Errorf("it is answered %d, and the order is %s", w.Code, state)
	}
}

// TestMarkup has phones and servers choose names that are markup.
func TestMarkup(t *testing.T) {
	h := open(t, nil)
	const evil = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>\u202e"
	h.phone("ann", "P", func(p *device.Phone) {
		p.FriendlyName, p.Model, p.OS, p.Type, p.UserAgent, p.Called = evil, evil, evil, evil, evil, evil
		p.Wipe = device.Wipe{Order: device.WipeAccount, State: device.WipePending, By: "ann" + evil}
	})
	h.engine.names[0] = evil
	for _, path := range []string{"/my/", "/my/phone?device=P", "/my/add", "/my/phone?device=" + url.QueryEscape(evil), "/my/?said=" + url.QueryEscape(evil), "/my/" + url.PathEscape(evil)} {
		page := h.as("ann", http.MethodGet, path, nil).Body.String()
		lacks(t, page, "<script", "<img src=x", "\u202e")
	}
	h.phone("ann", "P", func(p *device.Phone) { p.Wipe = device.Wipe{} })
	lacks(t, h.page("ann", "/my/confirm?do=block&device=P"), "<script", "<img src=x", "\u202e")
	for _, bad := range []string{strings.Repeat("x", 65), "a\x00b", "a\u202eb"} {
		if w := h.as("ann", http.MethodPost, "/my/rename", url.Values{"device": {"P"}, "name": {bad}}); w.Code != http.StatusBadRequest {
			t.Errorf("the name %q is answered %d", bad, w.Code)
		}
	}
	if w := h.as("ann", http.MethodPost, "/my/rename", url.Values{"device": {"P"}, "name": {strings.Repeat("x", 100_000)}}); w.Code != http.StatusBadRequest {
		t.Errorf("a form of 100 KB is answered %d", w.Code)
	}
}

// TestEveryAnswerIsGuarded forbids the browser what no page needs.
func TestEveryAnswerIsGuarded(t *testing.T) {
	h := open(t, nil)
	for _, path := range []string{"/my/", "/my/phone?device=P", "/my/phone?device=X", "/my/add", "/my/add.svg", "/my/my.css", "/my/confirm?do=block&device=P"} {
		w := h.as("ann", http.MethodGet, path, nil)
		csp := w.Header().Get("Content-Security-Policy")
		for _, word := range []string{"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, word) || strings.Contains(csp, "script-src") || strings.Contains(csp, "unsafe") {
				t.Errorf("%s: the policy is %q", path, csp)
			}
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s is answered with %v", path, w.Header())
		}
		lacks(t, w.Body.String(), "<script", " style=", "onclick", "http://mail")
	}
}

// TestWhy says to an owner what is wrong, and what they can do.
func TestWhy(t *testing.T) {
	h := open(t, nil)
	h.phones.Presence.Refuse(device.ID{User: "ann", Device: "P"})
	page := h.page("ann", "/my/phone?device=P")
	has(t, page, "wrong password", "does not take its password since", "Type your password into the phone again")
	has(t, h.page("ann", "/my/"), "wrong password", "broken.vcf", "no BEGIN line of ann")
	lacks(t, page, "does not answer")
}

// TestBackendDown says that the server is away, and nothing of its particulars; the
// pages work all the same.
func TestBackendDown(t *testing.T) {
	h := open(t, nil)
	h.down = true
	for _, path := range []string{"/my/", "/my/phone?device=P"} {
		page := h.page("ann", path)
		has(t, page, "does not answer just now", "dav", "Nothing is deleted")
		lacks(t, page, "secret particulars")
	}
	broken := open(t, func(o *admin.Options) { o.Problems = failing{} })
	w := broken.as("ann", http.MethodGet, "/my/", nil)
	if w.Code != http.StatusInternalServerError {
		t.Errorf("a state that cannot be read is answered %d", w.Code)
	}
	has(t, w.Body.String(), "could not do it just now", "Nothing on your phones is lost")
	lacks(t, w.Body.String(), "disk is gone")
}

// TestFolders shows what is on the phone, and what is hidden stays unticked.
func TestFolders(t *testing.T) {
	h := open(t, nil)
	h.engine.names = []string{"Star*", "Work: plans", "Inbox"}
	has(t, h.page("ann", "/my/phone?device=P"), `value="10" checked`, `value="11" checked`, "calendar, 7 of 12 on the phone")
	save := func(show ...string) {
		t.Helper()
		w := h.as("ann", http.MethodPost, "/my/folders", url.Values{"device": {"P"}, "listed": {"10", "11", "12"}, "show": show})
		if w.Code != http.StatusSeeOther {
			t.Fatalf("it is answered %d\n%s", w.Code, w.Body)
		}
	}
	save("11")
	page := h.page("ann", "/my/phone?device=P")
	has(t, page, `value="11" checked`)
	lacks(t, page, `value="10" checked`, `value="12" checked`)
	save("10", "11", "12")
	has(t, h.page("ann", "/my/phone?device=P"), `value="10" checked`, `value="11" checked`, `value="12" checked`)
	// Saved again, nothing is changed, and what the page did not list stays.
	entries := len(h.audit.Records)
	save("10", "11", "12")
	w := h.as("ann", http.MethodPost, "/my/folders", url.Values{"device": {"P"}})
	if w.Code != http.StatusSeeOther || len(h.audit.Records) != entries {
		t.Errorf("%d entries were added to the audit", len(h.audit.Records)-entries)
	}
}

// TestPush keeps what an administrator named, and refuses hours that are none.
func TestPush(t *testing.T) {
	h := open(t, nil)
	id := device.ID{User: "ann", Device: "P"}
	if err := device.SetPush(t.Context(), h.store, id, device.Push{Only: true, Folders: []int64{11}, Kinds: []string{"mail"}}); err != nil {
		t.Fatal(err)
	}
	page := h.page("ann", "/my/phone?device=P")
	has(t, page, `value="some" checked`, `value="mail" checked`, "an administrator named")
	lacks(t, page, `value="events" checked`)
	save := func(want int, form url.Values) string {
		t.Helper()
		form.Set("device", "P")
		w := h.as("ann", http.MethodPost, "/my/push", form)
		if w.Code != want {
			t.Errorf("%v is answered %d, want %d", form, w.Code, want)
		}
		return w.Body.String()
	}
	save(http.StatusSeeOther, url.Values{"wakes": {"some"}, "kind": {"events"}})
	if p, err := device.PushOf(t.Context(), h.store, id); err != nil || len(p.Folders) != 1 || p.Kinds[0] != "events" {
		t.Errorf("what wakes it is %+v, %v", p, err)
	}
	save(http.StatusSeeOther, url.Values{"wakes": {"all"}, "from": {"22:00"}, "to": {"07:00"}, "zone": {"Europe/Berlin"}})
	has(t, h.page("ann", "/my/phone?device=P"), `value="all" checked`, `value="22:00"`, `value="07:00"`, `value="Europe/Berlin"`)
	for _, bad := range []url.Values{
		{"from": {"22:00"}, "zone": {"UTC"}}, {"from": {"25:00"}, "to": {"07:00"}, "zone": {"UTC"}}, {"from": {"22:00"}, "to": {"07:00"}},
		{"from": {"22:00"}, "to": {"22:00"}, "zone": {"UTC"}}, {"from": {"22:00"}, "to": {"07:00"}, "zone": {"Middle/Earth"}}, {"wakes": {"some"}, "kind": {"<b>"}},
	} {
		lacks(t, save(http.StatusBadRequest, bad), "<b>")
	}
	save(http.StatusSeeOther, url.Values{"wakes": {"all"}})
	if p, err := device.PushOf(t.Context(), h.store, id); err != nil || p.Quiet != nil || p.Only {
		t.Errorf("what wakes it is %+v, %v", p, err)
	}
}

// TestAdd says what to type, and has a picture that leads there.
func TestAdd(t *testing.T) {
	h := open(t, nil)
	has(t, h.page("ann", "/my/add"), "ann@example.org", "<bdi>mail.example.org</bdi>", "<bdi>ann</bdi>", "https://mail.example.org/my/add", `src="/my/add.svg"`)
	w := h.as("ann", http.MethodGet, "/my/add.svg", nil)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/svg+xml" {
		t.Fatalf("the picture is answered %d, %v", w.Code, w.Header())
	}
	for d := xml.NewDecoder(w.Body); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestMany has as many phones and folders as anybody may have.
func TestMany(t *testing.T) {
	h := open(t, nil)
	for i := range device.MaxPhones - 1 {
		h.phone("ann", fmt.Sprintf("P%d", i), nil)
	}
	if n := strings.Count(h.page("ann", "/my/"), `<li><a href="/my/phone`); n != device.MaxPhones {
		t.Errorf("%d phones are listed", n)
	}
}

// TestPicture draws the code that a reader is to find: the runs of the picture are
// the dark modules.
func TestPicture(t *testing.T) {
	want, err := qr.Encode("https://mail.example.org/my/add", qr.M)
	if err != nil {
		t.Fatal(err)
	}
	text := open(t, nil).as("ann", http.MethodGet, "/my/add.svg", nil).Body.String()
	dark := map[[2]int]bool{}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(text, -1) {
		var n [4]int
		for i := range n {
			n[i], _ = strconv.Atoi(m[i+1])
		}
		if n[2] != n[3] {
			t.Fatalf("%s is no rectangle", m[0])
		}
		for x := range n[2] {
			dark[[2]int{n[0] + x - 4, n[1] - 4}] = true
		}
	}
	for y := range want.Size {
		for x := range want.Size {
			if dark[[2]int{x, y}] != want.Black(x, y) {
				t.Fatalf("the module at %d, %d is wrong", x, y)
			}
		}
	}
	if !strings.Contains(text, fmt.Sprintf(`viewBox="0 0 %d %d"`, want.Size+8, want.Size+8)) {
		t.Errorf("the picture has no room around: %.200s", text)
	}
}
