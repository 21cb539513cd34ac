package gate_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/device"
)

// token makes a token of somebody who has one role.
func (h *house) token(role string) string {
	h.t.Helper()
	_, shown, err := h.roster.NewToken(h.t.Context(), roster.Token{Owner: role, Name: "test", Roles: []string{role}}, time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	return shown
}

// A description is what is said of the API at its own address.
type description struct {
	t       *testing.T
	answers map[string]*jsonschema.Schema // by operation
	errors  *jsonschema.Schema
}

func (h *house) description() description {
	h.t.Helper()
	said := text(h.t, h.browser().send("GET", "/admin/api/openapi.json", "", ""))
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(said))
	if err != nil {
		h.t.Fatalf("%v: %s", err, said)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("api.json", document); err != nil {
		h.t.Fatal(err)
	}
	d := description{h.t, map[string]*jsonschema.Schema{}, c.MustCompile("api.json#/components/schemas/Error")}
	for _, o := range admin.Operations {
		at := strings.ReplaceAll(o.Path, "/", "~1") + "/" + strings.ToLower(o.Method)
		d.answers[o.Name] = c.MustCompile("api.json#/paths/" + at + "/responses/200/content/application~1json/schema")
	}
	return d
}

// fits fails unless an answer is as described.
func (d description) fits(o *admin.Operation, status int, said string) {
	d.t.Helper()
	answer, err := jsonschema.UnmarshalJSON(strings.NewReader(said))
	if err != nil {
		d.t.Errorf("%s answers %s", o.Name, said)
		return
	}
	schema := d.errors
	if status == http.StatusOK {
		schema = d.answers[o.Name]
	}
	if err := schema.Validate(answer); err != nil {
		d.t.Errorf("%s answers what is not described: %v\n%s", o.Name, err, said)
	}
}

// call asks for an operation about a person, where it can be about one.
func (b *browser) call(prefix string, o *admin.Operation, user string) *http.Response {
	q := reflect.New(o.Request).Elem()
	if f := q.FieldByName("User"); f.IsValid() {
		f.SetString(user)
	}
	if o == admin.OpEndSessions.Operation {
		q = reflect.ValueOf(admin.EndRequest{User: "carol"}) // who is not signed in
	}
	path := prefix + "api" + o.Path
	if o.Method == http.MethodGet {
		if q.FieldByName("User").IsValid() {
			path += "?user=" + user
		}
		return b.send(o.Method, path, "", "")
	}
	body, err := json.Marshal(q.Interface())
	if err != nil {
		b.h.t.Fatal(err)
	}
	return b.send(o.Method, path, jsonType, string(body))
}

// TestEveryOperationTimesEveryRole calls each over HTTP as each: signed in, with a
// token, as an owner, as nobody. What is refused is not begun.
func TestEveryOperationTimesEveryRole(t *testing.T) {
	h := open(t, nil)
	type person struct {
		name, prefix, user string // user is whose things they are
		role               admin.Role
		*browser
	}
	var people []person
	for _, role := range admin.AllRoles {
		people = append(people, person{"signed in as " + string(role), "/admin/", "ann", role, h.in("/admin/", string(role), rostertest.Password)})
		b := h.browser()
		b.header.Set("Authorization", "Bearer "+h.token(string(role)))
		people = append(people, person{"with a token of " + string(role), "/admin/", "ann", role, b})
	}
	ann := h.in("/my/", "ann", "secret")
	people = append(people, person{"ann herself", "/my/", "ann", admin.SelfService, ann}, person{"ann about bob", "/my/", "bob", "", ann}, person{"ann about all", "/my/", "", "", ann})
	described := h.description()
	for _, o := range admin.Operations {
		for _, p := range people {
			allowed := slices.Contains(o.Roles, p.role)
			managing := strings.HasPrefix(o.Name, "account.") || o.Mode != admin.Reads && slices.Contains([]string{"administrators", "sessions", "tokens"}, strings.Split(o.Name, ".")[0])
			if managing && p.header.Get("Authorization") != "" {
				allowed = false // a token does not decide who may come in
			}
			h.audit.Records = nil
			a := p.call(p.prefix, o, p.user)
			said := text(t, a)
			described.fits(o, a.StatusCode, said)
			refused := a.StatusCode == http.StatusForbidden
			// A wrong password is a refusal, too, of who may.
			if refused && allowed && strings.Contains(said, "The password is wrong.") {
				refused = false
			}
			if refused == allowed || a.StatusCode == http.StatusUnauthorized || a.StatusCode == http.StatusNotFound && strings.Contains(said, "page not found") {
				t.Errorf("%s %s is answered %s; allowed: %t: %s", o.Name, p.name, a.Status, allowed, said)
			}
			for _, r := range h.audit.Records {
				if r.Address != "192.0.2.1" || !allowed && r.Outcome == audit.Done {
					t.Errorf("%s %s stands in the audit as %+v", o.Name, p.name, r)
				}
			}
		}
		for _, prefix := range []string{"/admin/", "/my/"} {
			for name, header := range map[string]http.Header{"nobody": {}, "a token that is none": {"Authorization": {"Bearer pushbridge_0011223344556677_AAAA"}}, "a password": {"Authorization": {"Basic YW5uOnNlY3JldA=="}}} {
				b := h.browser()
				b.header = header
				if a := b.call(prefix, o, "ann"); a.StatusCode != http.StatusUnauthorized || a.Header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s as %s is answered %s", o.Name, name, a.Status)
				}
			}
		}
	}
}

// What is ann's, bob does not reach, and what is bob's, ann does not: whatever is
// said in the query, the body, or twice.
func TestOthersThings(t *testing.T) {
	h := open(t, nil)
	b := h.in("/my/", "ann", "secret")
	for _, tc := range []struct{ method, path, body string }{
		{"POST", "/my/api/v1/wipe", `{"user":"bob","device":"P","account_only":true}`},
		{"POST", "/my/api/v1/wipe", `{"user":"ann","user":"bob","device":"P","account_only":true}`},
		{"POST", "/my/api/v1/wipe", `{"user":"ann","USER":"bob","device":"P","account_only":true}`},
		{"POST", "/my/api/v1/wipe?user=ann", `{"user":"bob","device":"P","account_only":true}`},
		{"POST", "/my/api/v1/block", `{"user":"bob","device":"P"}`},
		{"POST", "/my/api/v1/forget", `{"user":"bob","device":"P"}`},
		{"POST", "/my/api/v1/push/set", `{"user":"bob","device":"P"}`},
		{"POST", "/my/api/v1/choices/add", `{"user":"bob","device":"P"}`},
		{"GET", "/my/api/v1/device?user=bob&device=P", ""},
		{"GET", "/my/api/v1/devices", ""},
		{"GET", "/my/api/v1/devices?user=bob&user=ann", ""},
		{"GET", "/my/api/v1/devices?USER=ann", ""},
		{"GET", "/my/api/v1/audit", ""},
		{"GET", "/my/api/v1/sessions", ""},
		{"POST", "/my/api/v1/allow", `{"user":"ann","device":"P"}`},
		{"POST", "/my/api/v1/administrators/edit", `{"name":"ann","create":true,"roles":["server-administrator"]}`},
	} {
		if a := b.send(tc.method, tc.path, jsonType, tc.body); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s %s %s is answered %s: %s", tc.method, tc.path, tc.body, a.Status, text(t, a))
		}
	}
	for _, path := range []string{"/admin/api/v1/devices?user=ann", "/admin/"} {
		if a := b.send("GET", path, "", ""); a.StatusCode != http.StatusUnauthorized && a.StatusCode != http.StatusSeeOther {
			t.Errorf("an owner at %s is answered %s", path, a.Status)
		}
	}
	if p, err := h.phones.Phone(t.Context(), device.ID{User: "bob", Device: "P"}); err != nil || p.Wipe.State != "" || p.Blocked {
		t.Errorf("bob's phone is %+v, %v", p, err)
	}
	var list []admin.Device
	a := b.send("GET", "/my/api/v1/devices?user=ann", "", "")
	if err := json.Unmarshal([]byte(text(t, a)), &list); err != nil || len(list) != 1 || list[0].User != "ann" {
		t.Errorf("ann's own are %+v, %v", list, err)
	}
	b.header.Set("Authorization", "Bearer "+h.token("server-administrator"))
	if a := b.send("GET", "/my/api/v1/devices?user=bob", "", ""); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token at the owners' door is answered %s", a.Status)
	}
}

// Whoever is switched off is out at once, in the middle of what they do.
func TestSwitchedOff(t *testing.T) {
	h := open(t, nil)
	boss, other := h.in("/admin/", "security-administrator", rostertest.Password), h.in("/admin/", "helpdesk", rostertest.Password)
	program := h.browser()
	program.header.Set("Authorization", "Bearer "+h.token("helpdesk"))
	may := func(when string, want int) {
		t.Helper()
		for _, b := range []*browser{other, program} {
			if a := b.send("GET", "/admin/api/v1/status", "", ""); a.StatusCode != want {
				t.Errorf("%s: %s", when, a.Status)
			}
		}
	}
	may("before", http.StatusOK)
	if a := boss.send("POST", "/admin/api/v1/administrators/edit", jsonType, `{"name":"helpdesk","disabled":true}`); a.StatusCode != http.StatusOK {
		t.Fatal(text(t, a))
	}
	may("after", http.StatusUnauthorized)
	if a := other.signIn("/admin/", fields("helpdesk", rostertest.Password)); a.StatusCode != http.StatusForbidden {
		t.Errorf("signing in again is answered %s", a.Status)
	}
	r := h.audit.Records[len(h.audit.Records)-2]
	if r.Action != "administrators.edit" || r.Actor != "security-administrator" || !strings.Contains(string(r.After), `"disabled":true`) || strings.Contains(string(r.Before)+string(r.After), "argon2") {
		t.Errorf("the audit says %+v: %s, %s", r, r.Before, r.After)
	}
}

// One server administrator stays, but for whoever can make one at the socket.
func TestLastServerAdministrator(t *testing.T) {
	h := open(t, nil)
	b := h.in("/admin/", "server-administrator", rostertest.Password)
	for path, body := range map[string]string{
		"remove": `{"name":"server-administrator"}`, "edit": `{"name":"server-administrator","roles":["read-only"]}`, "edit?": `{"name":"server-administrator","disabled":true}`,
	} {
		a := b.send("POST", "/admin/api/v1/administrators/"+path, jsonType, body)
		if said := text(t, a); a.StatusCode != http.StatusBadRequest || !strings.Contains(said, "the last server administrator") {
			t.Errorf("%s %s is answered %s: %s", path, body, a.Status, said)
		}
	}
	if a := b.send("GET", "/admin/api/v1/status", "", ""); a.StatusCode != http.StatusOK {
		t.Errorf("afterwards the session is %s", a.Status)
	}
	// One who cannot sign in does not count.
	if a := b.send("POST", "/admin/api/v1/administrators/edit", jsonType, `{"name":"new","create":true,"roles":["server-administrator"]}`); a.StatusCode != http.StatusOK {
		t.Fatal(text(t, a))
	}
	if a := b.send("POST", "/admin/api/v1/administrators/remove", jsonType, `{"name":"server-administrator"}`); a.StatusCode != http.StatusBadRequest {
		t.Errorf("beside one without a password: %s", a.Status)
	}
	if a := b.send("POST", "/admin/api/v1/administrators/password", jsonType, `{"name":"new","password":"a long password it is"}`); a.StatusCode != http.StatusOK {
		t.Fatal(text(t, a))
	}
	if a := b.send("POST", "/admin/api/v1/administrators/remove", jsonType, `{"name":"server-administrator"}`); a.StatusCode != http.StatusOK {
		t.Errorf("beside another: %s", text(t, a))
	}
	if a := b.send("GET", "/admin/api/v1/status", "", ""); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("who took themselves off the list is answered %s", a.Status)
	}
	root := admin.Actor{Name: "uid 0", Address: "socket", Roles: admin.AllRoles}
	if _, err := admin.OpDropAdmin.Do(t.Context(), h.server, root, admin.NameRequest{Name: "new"}); err != nil {
		t.Errorf("the last one at the socket: %v", err)
	}
}

// answered is an operation that is to work, as JSON.
func answered[A any](b *browser, path, body string) (answer A) {
	b.h.t.Helper()
	a := b.send("POST", "/admin/api/v1/"+path, jsonType, body)
	said := text(b.h.t, a)
	if err := json.Unmarshal([]byte(said), &answer); err != nil || a.StatusCode != http.StatusOK {
		b.h.t.Fatalf("%s is answered %s: %s", path, a.Status, said)
	}
	return answer
}

// TestAccount is what an administrator does for themselves.
func TestAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil)
		b := h.in("/admin/", "helpdesk", rostertest.Password)
		proof := `"password":"` + rostertest.Password + `"`
		for path, body := range map[string]string{
			"account/password": `{"password":"wrong","new":"another long password"}`, "account/factor": `{"password":"wrong"}`,
			"account/tokens/new": `{"password":"wrong","name":"x","roles":["helpdesk"]}`,
		} {
			if a := b.send("POST", "/admin/api/v1/"+path, jsonType, body); a.StatusCode != http.StatusForbidden {
				t.Errorf("%s with a wrong password is answered %s", path, a.Status)
			}
		}
		for _, body := range []string{`{` + proof + `,"name":"x","roles":["helpdesk","device-administrator"]}`, `{` + proof + `,"name":"x","roles":["self-service"]}`, `{` + proof + `,"name":"x","roles":["helpdesk"],"days":4000}`} {
			if a := b.send("POST", "/admin/api/v1/account/tokens/new", jsonType, body); a.StatusCode != http.StatusBadRequest {
				t.Errorf("%s is answered %s", body, a.Status)
			}
		}
		if a := b.send("POST", "/admin/api/v1/account/tokens/new", jsonType, `{`+proof+`,"administrator":"read-only","name":"x","roles":["read-only"]}`); a.StatusCode != http.StatusForbidden {
			t.Errorf("somebody else's token is answered %s", a.Status)
		}
		made := answered[admin.NewToken](b, "account/tokens/new", `{`+proof+`,"name":"nightly","roles":["helpdesk"],"days":1}`)
		program := h.browser()
		program.header.Set("Authorization", "Bearer "+made.Secret)
		if a := program.send("POST", "/admin/api/v1/resync", jsonType, `{"user":"ann","device":"P"}`); a.StatusCode != http.StatusOK {
			t.Errorf("the program is answered %s", text(t, a))
		}
		if r := h.audit.Records[len(h.audit.Records)-1]; r.Actor != "token nightly of helpdesk" {
			t.Errorf("the audit names %q", r.Actor)
		}
		factor := answered[admin.NewFactor](b, "account/factor", `{`+proof+`}`)
		u, err := url.Parse(factor.URL)
		if err != nil || u.Query().Get("secret") != factor.Secret || u.Query().Get("issuer") != "pushbridge" {
			t.Errorf("the app is given %s", factor.URL)
		}
		code := func() string {
			c, err := totp.GenerateCode(factor.Secret, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		h.in("/admin/", "helpdesk", rostertest.Password) // not yet
		answered[admin.Done](b, "account/factor/confirm", `{"code":"`+code()+`"}`)
		if a := h.browser().signIn("/admin/", fields("helpdesk", rostertest.Password)); a.StatusCode != http.StatusForbidden {
			t.Errorf("without a code: %s", a.Status)
		}
		time.Sleep(time.Minute)
		with := fields("helpdesk", rostertest.Password)
		with.Set("code", code())
		for _, want := range []int{http.StatusSeeOther, http.StatusForbidden} {
			if a := h.browser().signIn("/admin/", with); a.StatusCode != want {
				t.Errorf("with a code: %s, want %d", a.Status, want)
			}
		}
		answered[admin.Done](b, "account/sessions/end", `{}`)
		var me admin.Account
		a := b.send("GET", "/admin/api/v1/account", "", "")
		if err := json.Unmarshal([]byte(text(t, a)), &me); err != nil || len(me.Sessions) != 1 || !me.Sessions[0].This || !me.TwoFactor || len(me.Tokens) != 1 || me.Tokens[0].Used == nil {
			t.Errorf("it is %+v, %v", me, err)
		}
		for _, r := range h.audit.Records {
			all, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{made.Secret, factor.Secret, rostertest.Password} {
				if strings.Contains(string(all), secret) {
					t.Errorf("the audit has a secret: %s", all)
				}
			}
		}
		answered[admin.Done](b, "account/password", `{`+proof+`,"new":"another long password"}`)
		if a := b.send("GET", "/admin/api/v1/account", "", ""); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("with another password the session is %s", a.Status)
		}
		time.Sleep(25 * time.Hour)
		if a := program.send("GET", "/admin/api/v1/status", "", ""); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("a day later the token is answered %s", a.Status)
		}
	})
}
