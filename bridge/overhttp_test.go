package bridge_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// A desk is where an administrator asks and orders over the web, with a token.
type desk struct {
	*bridgetest.House
	t     *testing.T
	token string
}

// openDesk has a house with one contact, and jane, who is two kinds of administrator.
func openDesk(t *testing.T) *desk {
	t.Helper()
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte(strings.Repeat("0f", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.Web.URL, o.Config.Policy.RecoveryKeys = "http://127.0.0.1", keys
	}})
	h.Store("contacts", "bob.vcf", bridgetest.Card("bob", "Bob"))
	roles := []string{string(admin.DeviceAdministrator), string(admin.SecurityAdministrator)}
	rostertest.Add(t, h.Bridge.Roster(), "jane", roles...)
	_, shown, err := h.Bridge.Roster().NewToken(t.Context(), roster.Token{Owner: "jane", Name: "test", Roles: roles}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{h, t, shown}
}

// ask sends a request, and answers what came of it.
func (d *desk) ask(method, path, body string) (int, []byte) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.URL+"/admin/api/v1/"+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+d.token)
	r.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return a.StatusCode, text
}

// standing is how it stands with the phone P, in words.
func (d *desk) standing() string {
	d.t.Helper()
	status, text := d.ask(http.MethodGet, "devices?user="+bridgetest.User, "")
	var list []admin.Device
	if err := json.Unmarshal(text, &list); err != nil || status != http.StatusOK || len(list) != 1 {
		d.t.Fatalf("the phones are answered %d: %s", status, text)
	}
	var words []string
	if list[0].Quarantine != "" {
		words = append(words, "waits")
	}
	if list[0].Blocked != "" {
		words = append(words, "blocked")
	}
	if w := list[0].Wipe; w != nil {
		words = append(words, w.State)
	}
	return strings.Join(words, " ")
}

// A step of a story: what is ordered, if anything, and how the phone fares then.
type step struct {
	what, path, body string
	status           int    // 0 means 200
	before           string // how it stands with the phone once that is ordered; "-" while there is no phone
	comes            string // what the phone does then: nothing, if empty
	after            string // how it stands once it came
}

const (
	handedIn = "Sesame 1234" // the recovery password

	aPhone = `"user":"` + bridgetest.User + `","device":"P"`
	strict = `{"policies":{"strict":{"settings":{"device_password_enabled":true,"password_recovery_enabled":true}}},"links":[{"policy":"strict","scope":{"kind":"everyone"}}]}`
)

// TestPhoneOverHTTP orders everything that can be done about a phone over the web, with
// an administrator's token.
func TestPhoneOverHTTP(t *testing.T) {
	for _, v := range []eas.Version{eas.V25, eas.V121, eas.V141, eas.V161} {
		t.Run(v.String(), func(t *testing.T) {
			d := openDesk(t)
			shown, stays := 0, "cancelled"
			if v == eas.V25 {
				shown = http.StatusNotFound // such a phone has no Settings to hand one in with
			}
			account := step{"the account alone is not erased before 16.1", "wipe", `{` + aPhone + `,"account_only":true}`, http.StatusBadRequest, "cancelled", "has everything", "cancelled"}
			if v == eas.V161 {
				stays = "acknowledged"
				account = step{"the account alone", "wipe", `{` + aPhone + `,"account_only":true}`, 0, "pending", "erases", "blocked acknowledged"}
			}
			story := []step{
				{"new phones wait", "admission/set", `{"default":"quarantine"}`, 0, "-", "has nothing", "waits"},
				{"it is let in", "allow", `{` + aPhone + `}`, 0, "", "has everything", ""},
				{"a policy", "policies/edit", strict, 0, "", "accepts the policy", ""},
				{"there is no recovery password", "recovery", `{` + aPhone + `}`, http.StatusNotFound, "", "hands a password in", ""},
				{"the recovery password is shown", "recovery", `{` + aPhone + `}`, shown, "", "", ""},
				{"it is blocked", "block", `{` + aPhone + `}`, 0, "blocked", "is refused", "blocked"},
				{"it is allowed", "allow", `{` + aPhone + `}`, 0, "", "has everything", ""},
				{"it is to be erased", "wipe", `{` + aPhone + `}`, 0, "pending", "", ""},
				{"it is not to be erased after all", "wipe", `{` + aPhone + `,"cancel":true}`, 0, "cancelled", "has everything", "cancelled"},
				account,
				{"it comes back", "allow", `{` + aPhone + `}`, 0, stays, "has everything", stays},
				{"it is to be erased, and cannot", "wipe", `{` + aPhone + `}`, 0, "pending", "fails to erase", "failed"},
				{"it is told again, and can", "", "", 0, "failed", "erases", "blocked acknowledged"},
				{"it is let in again", "allow", `{` + aPhone + `}`, 0, "acknowledged", "has everything", "acknowledged"},
			}
			c := d.Client(v, "P")
			p := bridgetest.Checked(t, phone.New(c, phone.Settings{}))
			for _, s := range story {
				d.play(p, c, s)
			}
		})
	}
}

// order sends what a step orders.
func (d *desk) order(s step) {
	d.t.Helper()
	want := s.status
	if want == 0 {
		want = http.StatusOK
	}
	status, text := d.ask(http.MethodPost, s.path, s.body)
	if status != want {
		d.t.Fatalf("%s: answered %d: %s", s.what, status, text)
	}
	if s.path == "recovery" && bytes.Contains(text, []byte(handedIn)) != (want == http.StatusOK) {
		d.t.Errorf("%s: answered %s", s.what, text)
	}
}

// play orders a step, and has the phone come.
func (d *desk) play(p *phone.Phone, c *easclient.Client, s step) {
	d.t.Helper()
	if s.path != "" {
		d.order(s)
	}
	if s.before != "-" {
		if got := d.standing(); got != s.before {
			d.t.Errorf("%s: it stands %q, want %q", s.what, got, s.before)
		}
	}
	if s.comes == "" {
		return
	}
	if s.comes == "fails to erase" {
		p = phone.New(c, phone.Settings{Unwipeable: true})
	}
	_, err := p.Sync(d.t.Context())
	if err == nil {
		_, err = p.Sync(d.t.Context()) // the first one of a new phone brings folders
	}
	contacts := 0
	for _, f := range p.Folders() {
		if f.Class == "Contacts" {
			contacts += len(f.Items)
		}
	}
	_, result := d.ask(http.MethodGet, "policies/result?device=P&user="+bridgetest.User, "")
	good := map[string]bool{
		"accepts the policy": err == nil && contacts == 1 && bytes.Contains(result, []byte(`"standing":"accepted"`)),
		"has everything":     err == nil && contacts == 1, "has nothing": err == nil && contacts == 0, "hands a password in": err == nil,
		"erases": errors.Is(err, phone.ErrWiped), "fails to erase": errors.Is(err, phone.ErrWiped), "is refused": err != nil && !errors.Is(err, phone.ErrWiped),
	}
	if !good[s.comes] {
		d.t.Fatalf("%s: the phone synchronizes with %v and has %d contacts, and should be one that %s", s.what, err, contacts, s.comes)
	}
	if s.comes == "hands a password in" && c.Version != eas.V25 {
		if _, err := c.Settings(d.t.Context(), eas.SettingsRequest{DevicePassword: &eas.DevicePassword{Password: handedIn}}); err != nil {
			d.t.Fatal(err)
		}
	}
	if got := d.standing(); got != s.after {
		d.t.Errorf("%s: after the phone came it stands %q, want %q", s.what, got, s.after)
	}
}
