package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/audit/audittest"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/devicetest"
)

// A desk is a Server without a socket, and what is written down.
type desk struct {
	*admin.Server
	audit  *audittest.Memory
	engine *engine
	store  *devicetest.Memory
}

func newDesk(t *testing.T, edit func(*admin.Options)) desk {
	t.Helper()
	d := desk{audit: new(audittest.Memory), engine: new(engine), store: new(devicetest.Memory)}
	for _, user := range []string{"ann", "bob"} {
		_, err := d.store.Update(t.Context(), device.ID{User: user, Device: "P"}, func(p *device.Phone, _ bool) error { p.Version = "16.1"; return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	o := admin.Options{Engine: d.engine, Devices: d.store, Security: device.New(device.Options{Store: d.store}), Problems: unshown{},
		Waiting: d.engine, Audit: audit.New(d.audit), Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if edit != nil {
		edit(&o)
	}
	d.Server = admin.New(o)
	return d
}

// may is the table of operations and roles: s is server administrator, d device
// administrator, u device support, h helpdesk, c security administrator, r read
// only, and o a phone's owner about their own.
var may = map[string]string{
	"status":         "sduhcr",
	"top":            "sduhcr",
	"devices.list":   "sduhcro",
	"devices.show":   "sduhcro",
	"folders.list":   "sduhcro",
	"problems.list":  "sduhcro",
	"heartbeat.show": "sduhcro",
	"resync":         "duho",
	"devices.forget": "duo",
	"devices.rename": "duho",
	"services.list":  "sduhcro",
	"brake.list":     "sduhcr",
	"brake.release":  "sdu",
	"push.show":      "sduhcro",
	"push.set":       "duho",
	"choices.list":   "sduhcro",
	"choices.add":    "duho",
	"choices.drop":   "duho",
	"trace.start":    "sdu",
	"trace.fetch":    "sdu",
	"wipe":           "duo",
	"wipe.confirm":   "duc",
	"wipe.expire":    "du",

	"recovery.reveal": "duhc",
	"recovery.rekey":  "c",
	"devices.block":   "duo",
	"devices.allow":   "du",
	"audit.list":      "sdcr",
	"audit.export":    "sdcr",
	"audit.verify":    "sdcr",
	"policy.show":     "sduhcr",

	"policies.list":    "sduhcr",
	"policies.edit":    "d",
	"policies.what-if": "sduhcr",
	"policies.result":  "sduhcro",
	"groups.list":      "sduhcr",
	"groups.edit":      "d",
	"groups.of":        "sduhcro",
	"admission.show":   "sduhcr",
	"admission.set":    "d",
	"admission.queue":  "sduhcr",
	"people.list":      "sduhcro",
	"people.set":       "du",
	"blocklist.list":   "sduhcr",
	"blocklist.set":    "duc",

	"administrators.list":        "sc",
	"administrators.edit":        "sc",
	"administrators.remove":      "sc",
	"administrators.password":    "sc",
	"administrators.drop-factor": "sc",
	"sessions.list":              "sc",
	"sessions.end":               "sc",
	"tokens.list":                "sc",
	"tokens.revoke":              "sc",
	"account.show":               "sduhcr",
	"account.password":           "sduhcr",
	"account.factor.begin":       "sduhcr",
	"account.factor.confirm":     "sduhcr",
	"account.factor.drop":        "sduhcr",
	"account.token.new":          "sduhcr",
	"account.token.revoke":       "sduhcr",
	"account.sessions.end":       "sduhcr",
}

var letters = map[admin.Role]string{
	admin.ServerAdministrator: "s", admin.DeviceAdministrator: "d", admin.DeviceSupport: "u", admin.Helpdesk: "h",
	admin.SecurityAdministrator: "c", admin.ReadOnly: "r", admin.SelfService: "o",
}

// request makes a request about a person, where it can be about one.
func request(o *admin.Operation, user string) any {
	q := reflect.New(o.Request).Elem()
	if f := q.FieldByName("User"); f.IsValid() {
		f.SetString(user)
	}
	return q.Interface()
}

// TestEveryOperationTimesEveryRole calls each as each over HTTP. Whoever may not
// is told so whatever the request is, and nothing happens.
func TestEveryOperationTimesEveryRole(t *testing.T) {
	if len(admin.Operations) != len(may) {
		t.Errorf("there are %d operations, and %d in the table", len(admin.Operations), len(may))
	}
	for _, o := range admin.Operations {
		want, ok := may[o.Name]
		if !ok {
			t.Errorf("%s is not in the table: say who may", o.Name)
		}
		for _, role := range admin.Roles {
			for _, user := range []string{"ann", "bob", ""} {
				a := admin.Actor{Name: "x", Roles: []admin.Role{role}, Address: "192.0.2.1"}
				allowed := strings.Contains(want, letters[role])
				if role == admin.SelfService {
					a.User = "ann"
					allowed = allowed && user == "ann"
				}
				d := newDesk(t, nil)
				status := callAs(t, d, o, a, request(o, user))
				if refused := status == http.StatusForbidden; refused == allowed {
					t.Errorf("%s about %q as %s is answered %d; it is allowed: %t", o.Name, user, role, status, allowed)
				}
				if !allowed && len(d.engine.orders) > 0 {
					t.Errorf("%s about %q as %s: %v", o.Name, user, role, d.engine.orders)
				}
				changes := o.Mode == admin.Changes || o.Mode == admin.Orders
				if n := len(d.audit.Records); (n > 0) != changes {
					t.Errorf("%s as %s stands %d times in the audit", o.Name, role, n)
				} else if changes && !allowed && (n != 1 || d.audit.Records[0].Outcome != audit.Denied || d.audit.Records[0].Address != a.Address) {
					t.Errorf("%s as %s stands in the audit as %+v", o.Name, role, d.audit.Records)
				}
			}
		}
		for _, a := range []admin.Actor{{Name: "nobody"}, {Name: "somebody", Roles: []admin.Role{"root"}},
			{Name: "an owner of nothing", Roles: []admin.Role{admin.SelfService}}} {
			if status := callAs(t, newDesk(t, nil), o, a, request(o, "")); status != http.StatusForbidden {
				t.Errorf("%s as %s is answered %d", o.Name, a.Name, status)
			}
		}
	}
}

func callAs(t *testing.T, d desk, o *admin.Operation, a admin.Actor, q any) int {
	t.Helper()
	body, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	path := o.Path
	if o.Method == http.MethodGet {
		path += "?user=" + reflect.ValueOf(q).FieldByNameFunc(func(s string) bool { return s == "User" }).String()
		if !reflect.ValueOf(q).FieldByName("User").IsValid() {
			path = o.Path
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), o.Method, path, strings.NewReader(string(body)))
	w := httptest.NewRecorder()
	d.Answer(w, r, a)
	return w.Code
}

var boss = admin.Actor{Name: "jane", Roles: []admin.Role{admin.DeviceAdministrator}, Address: "192.0.2.1"}

func outcomes(d desk) string {
	var words []string
	for _, r := range d.audit.Records {
		words = append(words, r.Action+" "+string(r.Outcome)+" "+r.Object)
	}
	return strings.Join(words, "; ")
}

func TestAuditOfChanges(t *testing.T) {
	d := newDesk(t, nil)
	if _, err := admin.OpWipe.Do(t.Context(), d.Server, boss, admin.WipeRequest{User: "ann", Device: "P"}); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.OpAllow.Do(t.Context(), d.Server, boss, admin.AdmissionRequest{User: "ann", Device: "P"}); err == nil {
		t.Error("a phone that is to be erased is let in")
	}
	if _, err := admin.OpResync.Do(t.Context(), d.Server, boss, admin.ResyncRequest{User: "bob", Device: "P"}); err != nil {
		t.Fatal(err)
	}
	want := "wipe done phone P of ann; devices.allow failed phone P of ann; resync begun phone P of bob; resync done phone P of bob"
	if got := outcomes(d); got != want {
		t.Errorf("the audit says\n%s\nwant\n%s", got, want)
	}
	r := d.audit.Records[0]
	if r.Actor != "jane" || r.Address != "192.0.2.1" || !strings.Contains(string(r.After), `"State":"pending"`) || strings.Contains(string(r.Before), "pending") {
		t.Errorf("the order stands there as %+v, before %s, after %s", r, r.Before, r.After)
	}
	if f, err := admin.OpAuditVerify.Do(t.Context(), d.Server, boss, admin.AnchorRequest{}); err != nil || !f.Sound || f.Entries != 4 {
		t.Errorf("the chain is %+v, %v", f, err)
	}
}

// What cannot be written down is not done.
func TestNothingHappensWithoutAudit(t *testing.T) {
	rolled := errors.New("rolled back")
	d := newDesk(t, func(o *admin.Options) {
		o.Transact = func(ctx context.Context, work func(context.Context) error) error {
			if err := work(ctx); err != nil {
				return errors.Join(rolled, err)
			}
			return nil
		}
	})
	d.audit.Broken = errors.New("the disk is full")
	if _, err := admin.OpResync.Do(t.Context(), d.Server, boss, admin.ResyncRequest{User: "ann", Device: "P"}); err == nil {
		t.Error("an order without an entry is carried out")
	}
	_, err := admin.OpBlock.Do(t.Context(), d.Server, boss, admin.AdmissionRequest{User: "ann", Device: "P"})
	if err == nil || !strings.Contains(err.Error(), "rolled back") || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("a change without an entry ends with %v", err)
	}
	if len(d.engine.orders) > 0 {
		t.Errorf("nevertheless %v", d.engine.orders)
	}
}

// The audit says what somebody wanted to change who may not.
func TestAuditOfRefusals(t *testing.T) {
	reader := admin.Actor{Name: "x", Roles: []admin.Role{admin.ReadOnly}}
	d := newDesk(t, nil)
	_, err := admin.OpGroupEdit.Do(t.Context(), d.Server, reader, admin.GroupRequest{Name: "staff", Delete: true})
	_, err2 := admin.OpSetListed.Do(t.Context(), d.Server, reader, admin.ListRequest{Device: "ABC1", Remove: true})
	_, err3 := admin.OpPolicyEdit.Do(t.Context(), d.Server, reader, admin.PolicyEdit{Replace: true})
	_, err4 := admin.OpSetAdmission.Do(t.Context(), d.Server, reader, admin.AdmissionChange{})
	if err == nil || err2 == nil || err3 == nil || err4 == nil {
		t.Errorf("they end with %v, %v, %v, %v", err, err2, err3, err4)
	}
	want := "groups.edit denied group staff; blocklist.set denied DeviceId ABC1; policies.edit denied policies; admission.set denied admission"
	if got := outcomes(d); got != want {
		t.Errorf("the audit says\n%s\nwant\n%s", got, want)
	}
}

// A brittle audit takes one entry, and no other.
type brittle struct{ *audittest.Memory }

func (b brittle) Append(ctx context.Context, seal func(audit.Link) (audit.Record, error)) (audit.Record, error) {
	if len(b.Records) > 0 {
		return audit.Record{}, errors.New("the disk is full")
	}
	return b.Memory.Append(ctx, seal)
}

// What was done and cannot be written down any more is not said to have failed.
func TestEndThatCannotBeWritten(t *testing.T) {
	d := newDesk(t, nil)
	d.Audit = audit.New(brittle{d.audit})
	_, err := admin.OpResync.Do(t.Context(), d.Server, boss, admin.ResyncRequest{User: "ann", Device: "P"})
	if err == nil || !strings.Contains(err.Error(), "It is done; but") || len(d.engine.orders) != 1 {
		t.Errorf("it ends with %v; done is %v", err, d.engine.orders)
	}
	if got, want := outcomes(d), "resync begun phone P of ann"; got != want {
		t.Errorf("the audit says\n%s\nwant\n%s", got, want)
	}
}

// What the audit says was before is what was before.
func TestAuditOfBlocking(t *testing.T) {
	d := newDesk(t, nil)
	phone := admin.AdmissionRequest{User: "ann", Device: "P"}
	for _, op := range []admin.Op[admin.AdmissionRequest, admin.Done]{admin.OpAllow, admin.OpBlock, admin.OpBlock, admin.OpAllow} {
		if _, err := op.Do(t.Context(), d.Server, boss, phone); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []struct{ before, after string }{{"admitted", "admitted"}, {"admitted", "blocked"}, {"blocked by jane", "blocked"}, {"blocked by jane", "admitted"}} {
		r := d.audit.Records[i]
		if !strings.HasPrefix(string(r.Before), `"`+want.before) || string(r.After) != `"`+want.after+`"` {
			t.Errorf("entry %d says that it was %s and is %s, want %v", i+1, r.Before, r.After, want)
		}
	}
}

// What owners of phones may with their own has bounds, too.
func TestOwners(t *testing.T) {
	owner := admin.Actor{Name: "ann", User: "ann", Roles: []admin.Role{admin.SelfService}}
	reader := admin.Actor{Name: "ann", User: "ann", Roles: []admin.Role{admin.ReadOnly, admin.SelfService}}
	mine := admin.PhoneRequest{User: "ann", Device: "P"}
	bossWipes := func(t *testing.T, d desk) {
		if _, err := admin.OpWipe.Do(t.Context(), d.Server, boss, admin.WipeRequest{User: "ann", Device: "P"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name    string
		allowed bool // OwnersWipe
		before  func(*testing.T, desk)
		do      func(context.Context, desk) error
		refused bool
	}{
		{name: "erases the account alone", do: func(ctx context.Context, d desk) error {
			_, err := admin.OpWipe.Do(ctx, d.Server, owner, admin.WipeRequest{User: "ann", Device: "P", AccountOnly: true})
			return err
		}},
		{name: "erases everything", refused: true, do: func(ctx context.Context, d desk) error {
			_, err := admin.OpWipe.Do(ctx, d.Server, owner, admin.WipeRequest{User: "ann", Device: "P"})
			return err
		}},
		{name: "erases everything where that is allowed", allowed: true, do: func(ctx context.Context, d desk) error {
			_, err := admin.OpWipe.Do(ctx, d.Server, owner, admin.WipeRequest{User: "ann", Device: "P"})
			return err
		}},
		{name: "takes an administrator's order back", refused: true, before: bossWipes, do: func(ctx context.Context, d desk) error {
			_, err := admin.OpWipe.Do(ctx, d.Server, owner, admin.WipeRequest{User: "ann", Device: "P", Cancel: true})
			return err
		}},
		{name: "takes one back by another role that may not", refused: true, before: bossWipes, do: func(ctx context.Context, d desk) error {
			_, err := admin.OpWipe.Do(ctx, d.Server, reader, admin.WipeRequest{User: "ann", Device: "P", Cancel: true})
			return err
		}},
		{name: "erases everything by another role that may not", refused: true, do: func(ctx context.Context, d desk) error {
			_, err := admin.OpWipe.Do(ctx, d.Server, reader, admin.WipeRequest{User: "ann", Device: "P"})
			return err
		}},
		{name: "puts an order of their own in place of an administrator's", refused: true, before: bossWipes, do: func(ctx context.Context, d desk) error {
			_, err := admin.OpWipe.Do(ctx, d.Server, owner, admin.WipeRequest{User: "ann", Device: "P", AccountOnly: true})
			return err
		}},
		{name: "forgets a phone", do: func(ctx context.Context, d desk) error {
			_, err := admin.OpForget.Do(ctx, d.Server, owner, mine)
			return err
		}},
		{name: "forgets a blocked phone, so that it comes in again", refused: true, before: func(t *testing.T, d desk) {
			if _, err := admin.OpBlock.Do(t.Context(), d.Server, boss, mine); err != nil {
				t.Fatal(err)
			}
		}, do: func(ctx context.Context, d desk) error {
			_, err := admin.OpForget.Do(ctx, d.Server, owner, mine)
			return err
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDesk(t, func(o *admin.Options) { o.OwnersWipe = tc.allowed })
			if tc.before != nil {
				tc.before(t, d)
			}
			err := tc.do(t.Context(), d)
			e, _ := errors.AsType[*admin.Error](err)
			if refused := e != nil && e.Kind == admin.Refused; refused != tc.refused || !refused && err != nil {
				t.Errorf("it ends with %v", err)
			}
		})
	}
}

func TestOperationsAreDescribed(t *testing.T) {
	var names []string
	for _, o := range admin.Operations {
		if o.Summary == "" || len(o.Roles) == 0 || slices.Contains(names, o.Name) || !strings.HasPrefix(o.Path, "/v1/") || o.Method == http.MethodGet && o.Mode != admin.Reads {
			t.Errorf("%+v lacks something", o)
		}
		names = append(names, o.Name)
	}
}
