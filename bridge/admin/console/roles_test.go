package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
	"github.com/pushbridge/pushbridge/bridge/problem"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// furnish builds a house in which every order makes sense somewhere.
func furnish(t *testing.T) *house {
	t.Helper()
	h := build(t, func(h *house, o *admin.Options, d *device.Options) {
		d.TwoPersons = true
		h.engine.held = []syncengine.Hold{{User: "ann", Folder: 1, Name: "Contacts", Items: 90, Of: 120, Since: time.Now()}}
		o.Problems = unshown{{Object: problem.Object{User: "ann", Backend: "dav", ID: "x.vcf"}, Kind: problem.Unreadable, Reason: "no BEGIN"}}
	})
	h.phone(t, "ann", "WELL", nil)
	h.phone(t, "ann", "REQUESTED", func(p *device.Phone) {
		p.Wipe = device.Wipe{State: device.WipeRequested, Order: device.WipeDevice, By: "carl", Ordered: time.Now()}
	})
	h.phone(t, "ann", "BLOCKED", func(p *device.Phone) { p.Blocked, p.BlockedWhy = true, "blocked by carl" })
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, quarantine, off := t.Context(), rulebook.Quarantine, true
	_, err := admin.OpSetAdmission.Do(ctx, h.admin, boss, admin.AdmissionChange{Default: &quarantine, Insert: &rulebook.Rule{Action: rulebook.Block, Type: "Old*"}})
	do(err)
	h.phone(t, "bob", "NEW", func(p *device.Phone) { p.FirstSeen = time.Now().Add(time.Second) })
	_, err = admin.OpSetListed.Do(ctx, h.admin, boss, admin.ListRequest{Device: "STOLEN"})
	do(err)
	for _, name := range []string{"staff", "more"} {
		_, err = admin.OpGroupEdit.Do(ctx, h.admin, boss, admin.GroupRequest{Name: name, Create: true, AddUsers: []string{"ann"}})
		do(err)
	}
	_, err = admin.OpGroupEdit.Do(ctx, h.admin, boss, admin.GroupRequest{Name: "all", Create: true, AddGroups: []string{"staff"}})
	do(err)
	_, err = admin.OpSetPerson.Do(ctx, h.admin, boss, admin.PersonRequest{User: "carol", Off: &off})
	do(err)
	h.policy(t, "base", map[string]any{"allow_camera": false, "require": false})
	_, err = admin.OpPolicyEdit.Do(ctx, h.admin, boss, admin.PolicyEdit{Blocks: []rsop.Scope{{Kind: rsop.User, Name: "bob"}}})
	do(err)
	return h
}

// offers says which operations each page offers to who may do them. A page is for
// those who may do the first one.
var offers = []struct {
	page, sees string
	offered    string
}{
	{"", "devices.list", ""},
	{"devices", "devices.list", ""},
	{"device?user=ann&device=WELL", "devices.show", "devices.block wipe resync trace.start recovery.reveal devices.forget"},
	{"device?user=ann&device=REQUESTED", "devices.show", "wipe.confirm wipe devices.block resync trace.start recovery.reveal"},
	{"device?user=ann&device=BLOCKED", "devices.show", "devices.allow wipe resync trace.start recovery.reveal devices.forget"},
	{"device?user=bob&device=NEW", "devices.show", "devices.allow devices.block wipe resync trace.start recovery.reveal devices.forget"},
	{"admission", "admission.queue", "devices.allow devices.block admission.set blocklist.set"},
	{"people", "people.list", "groups.edit"},
	{"person?user=ann", "people.list", "people.set"},
	{"person?user=carol", "people.list", "people.set"},
	{"group?name=staff", "groups.list", "groups.edit"},
	{"group?name=all", "groups.list", "groups.edit"},
	{"policies", "policies.list", "policies.edit"},
	{"policy?name=base", "policies.list", "policies.edit"},
	{"policy/what-if?user=ann&device=WELL&policy=base&kind=user", "policies.result", ""},
	{"problems", "problems.list", "brake.release"},
	{"audit", "audit.list", ""},
	{"audit/verify", "audit.verify", ""},
	{"audit/export", "audit.export", ""},
	{"gateways", "status", ""},
	{"backends", "status", ""},
	{"trace?user=ann&device=WELL", "trace.fetch", "trace.fetch"},
	{"events?view=overview&since=" + now(), "devices.list", ""},
}

func operation(t *testing.T, name string) *admin.Operation {
	t.Helper()
	for _, o := range admin.Operations {
		if o.Name == name {
			return o
		}
	}
	t.Fatalf("there is no operation %q", name)
	return nil
}

// allowed tells whether a role may do an operation. Nobody on these pages is there as
// a phone's owner.
func allowed(o *admin.Operation, r admin.Role) bool {
	return r != admin.SelfService && slices.Contains(o.Roles, r)
}

// TestEveryPageTimesEveryRole: nothing is offered that is refused, and nothing hidden
// that is allowed.
func TestEveryPageTimesEveryRole(t *testing.T) {
	h := furnish(t)
	h.End() // streams are over after their first message
	for _, o := range offers {
		for _, role := range admin.Roles {
			sees := allowed(operation(t, o.sees), role)
			w := h.get(t, "/admin/"+o.page, role)
			if want := map[bool]int{true: 200, false: 403}[sees]; w.Code != want {
				t.Errorf("%s as %s is answered %d, want %d", o.page, role, w.Code, want)
				continue
			}
			var want []string
			for _, name := range strings.Fields(o.offered) {
				if sees && allowed(operation(t, name), role) {
					want = append(want, name)
				}
			}
			slices.Sort(want)
			if got := offered(t, w.Body.String()); !slices.Equal(got, want) {
				t.Errorf("%s offers %s %v, want %v", o.page, role, got, want)
			}
			for name, page := range map[string]string{"Audit": "audit.list", "Devices": "devices.list", "Gateways": "status"} {
				if o.page != "audit/export" && o.page != "backends" && !strings.HasPrefix(o.page, "events") && strings.Contains(w.Body.String(), ">"+name+"</a></li>") != allowed(operation(t, page), role) {
					t.Errorf("the menu of %s as %s is wrong about %s", o.page, role, name)
				}
			}
		}
	}
}

// offered are the operations that a page offers, sorted.
func offered(t *testing.T, page string) (list []string) {
	t.Helper()
	for n := range parsed(t, page).Descendants() {
		if op := attribute(n, "data-op"); op != "" {
			list = append(list, op)
		} else if n.Data == "button" && n.Type == html.ElementNode && attribute(n, "data-op") == "" && attribute(formOf(n), "method") == "post" {
			t.Errorf("a button does not say what it does: %v", n.Attr)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func parsed(t *testing.T, page string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func attribute(n *html.Node, key string) string {
	if n != nil {
		for _, a := range n.Attr {
			if a.Key == key {
				return a.Val
			}
		}
	}
	return ""
}

func formOf(n *html.Node) *html.Node {
	for n != nil && n.Data != "form" {
		n = n.Parent
	}
	return n
}

// A form is one of a page, as a browser would send it.
type form struct {
	op, action string
	values     url.Values
}

// forms are those that are posted, of a page and of the pages that ask whether somebody
// means it.
func forms(t *testing.T, h *house, path string) (list []form) {
	t.Helper()
	root := parsed(t, h.get(t, path, admin.AllRoles...).Body.String())
	for n := range root.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "a" && attribute(n, "data-op") != "":
			list = append(list, forms(t, h, attribute(n, "href"))...)
		case n.Data == "form" && attribute(n, "method") == "post":
			list = append(list, formAt(n))
		}
	}
	return list
}

// formAt reads a form, and fills in what is empty.
func formAt(n *html.Node) form {
	f := form{action: attribute(n, "action"), values: url.Values{}}
	for e := range n.Descendants() {
		name, value := attribute(e, "name"), attribute(e, "value")
		switch {
		case e.Type != html.ElementNode:
			continue
		case e.Data == "button" && f.op == "":
			f.op = attribute(e, "data-op")
		case name == "" || e.Data == "button":
		case e.Data == "input" && value == "" && name != "at":
			f.values.Set(name, "something")
		case e.Data == "select" && (name == "action" || name == "default"):
			f.values.Set(name, "allow")
		case e.Data == "select" && name == "kind":
			f.values.Set(name, "user")
		default:
			f.values.Set(name, value)
		}
	}
	return f
}

// TestEveryFormTimesEveryRole sends each form of each page as each role: whoever may not
// is refused, also without having been offered it.
func TestEveryFormTimesEveryRole(t *testing.T) {
	var all []form
	h := furnish(t)
	for _, o := range offers {
		if !strings.HasPrefix(o.page, "events") {
			all = append(all, forms(t, h, "/admin/"+o.page)...)
		}
	}
	all = append(all, form{"policies.edit", "/admin/policy/save", url.Values{"edit": {`{"policies":{"base":null}}`}}})
	ops := map[string]bool{}
	for _, role := range admin.Roles {
		h := furnish(t)
		for _, f := range all {
			ops[f.op] = true
			w := h.post(t, f.action, f.values, role)
			if may := allowed(operation(t, f.op), role); may == (w.Code == http.StatusForbidden) {
				t.Errorf("%s do=%s (%s) as %s is answered %d; it may: %t", f.action, f.values.Get("do"), f.op, role, w.Code, may)
			}
			if w.Code >= 500 && w.Code != http.StatusNotImplemented {
				t.Errorf("%s do=%s as %s is answered %d", f.action, f.values.Get("do"), role, w.Code)
			}
		}
	}
	for _, name := range strings.Fields("devices.block devices.allow wipe wipe.confirm resync devices.forget trace.start trace.fetch recovery.reveal brake.release groups.edit people.set admission.set blocklist.set policies.edit") {
		if !ops[name] {
			t.Errorf("no form does %s", name)
		}
	}
}
