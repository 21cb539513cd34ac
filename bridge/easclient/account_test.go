package easclient

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

func TestOptions(t *testing.T) {
	c := newClient(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions || r.URL.RawQuery != "" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		w.Header().Set("MS-ASProtocolVersions", "2.0,2.5, 12.1,14.1,16.1,17.0")
		w.Header().Set("MS-ASProtocolCommands", "Sync,Ping,")
		w.Header().Set("MS-Server-ActiveSync", "16.0")
	})
	got, err := c.Options(t.Context())
	want := ServerOptions{Versions: []eas.Version{eas.V25, eas.V121, eas.V141, eas.V161}, Commands: []string{"Sync", "Ping"}, Server: "16.0"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got.Best() != eas.V161 || (ServerOptions{}).Best() != 0 {
		t.Errorf("best are %v and %v", got.Best(), ServerOptions{}.Best())
	}
}

func TestAutodiscover(t *testing.T) {
	const head = `<?xml version="1.0"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"><Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006">`
	const tail = `</Response></Autodiscover>`
	for _, c := range []struct {
		name, answer string
		want         Autodiscovery
	}{
		{"a server", head + `<Culture>en:us</Culture><User><DisplayName>Ada</DisplayName><EMailAddress>ada@example.org</EMailAddress></User><Action><Settings><Server><Type>CertEnroll</Type><Url>x</Url></Server><Server><Type>MobileSync</Type><Url>https://mail.example.org/Microsoft-Server-ActiveSync</Url></Server></Settings></Action>` + tail,
			Autodiscovery{URL: "https://mail.example.org/Microsoft-Server-ActiveSync", DisplayName: "Ada", Email: "ada@example.org", Culture: "en:us"}},
		{"another address", head + `<Action><Redirect>ada@other.example.org</Redirect></Action>` + tail, Autodiscovery{Redirect: "ada@other.example.org"}},
		{"an error", head + `<Error><ErrorCode>600</ErrorCode><Message>Invalid</Message></Error>` + tail, Autodiscovery{ErrorCode: 600, Message: "Invalid"}},
		{"an error in the action", head + `<Action><Error><Status>1</Status><Message>No</Message></Error></Action>` + tail, Autodiscovery{ErrorCode: 1, Message: "No"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := newClient(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if r.URL.Path != "/autodiscover/autodiscover.xml" || !strings.Contains(string(body), "<EMailAddress>ada@example.org</EMailAddress>") {
					t.Errorf("asked %s %s", r.URL, body)
				}
				io.WriteString(w, c.answer)
			})
			got, err := client.Autodiscover(t.Context(), "ada@example.org")
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestAutodiscoverJSON(t *testing.T) {
	c := newClient(func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); ok || r.URL.Query().Get("Email") != "ada@example.org" {
			t.Errorf("asked %s, with a password: %v", r.URL, ok)
		}
		io.WriteString(w, `{"Protocol":"ActiveSync","Url":"https://mail.example.org/x"}`)
	})
	if got, err := c.AutodiscoverJSON(t.Context(), "ada@example.org"); err != nil || got.URL != "https://mail.example.org/x" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestProvision(t *testing.T) {
	policy := func(status eas.PolicyStatus, key string) []eas.Policy {
		return []eas.Policy{{PolicyType: eas.PolicyTypeWBXML, Status: status, PolicyKey: key}}
	}
	for _, c := range []struct {
		name    string
		version eas.Version
		answers []eas.ProvisionResponse
		want    Provisioning
		status  int // of a *StatusError
		fails   bool
	}{
		{"both phases", eas.V141, []eas.ProvisionResponse{{Status: 1, Policies: policy(1, "11")}, {Status: 1, Policies: policy(1, "22")}}, Provisioning{PolicyKey: 22}, 0, false},
		{"both phases in 2.5", eas.V25, []eas.ProvisionResponse{{Status: 1, Policies: policy(1, "11")}, {Status: 1, Policies: policy(1, "22")}}, Provisioning{PolicyKey: 22}, 0, false},
		{"no policy", eas.V141, []eas.ProvisionResponse{{Status: 1, Policies: policy(2, "")}}, Provisioning{}, 0, false},
		{"a wipe", eas.V141, []eas.ProvisionResponse{{Status: 1, RemoteWipe: true}}, Provisioning{Wipe: true}, 0, false},
		{"a wipe of the account", eas.V161, []eas.ProvisionResponse{{Status: 1, AccountOnlyRemoteWipe: true}}, Provisioning{WipeAccountOnly: true}, 0, false},
		{"a refusal", eas.V141, []eas.ProvisionResponse{{Status: 2}}, Provisioning{}, 2, true},
		{"a refusal of the acknowledgement", eas.V141, []eas.ProvisionResponse{{Status: 1, Policies: policy(1, "11")}, {Status: 1, Policies: policy(5, "")}}, Provisioning{}, 5, true},
		{"a temporary key that is none", eas.V141, []eas.ProvisionResponse{{Status: 1, Policies: policy(1, "x")}}, Provisioning{}, 0, true},
		{"a final key that is none", eas.V141, []eas.ProvisionResponse{{Status: 1, Policies: policy(1, "11")}, {Status: 1, Policies: policy(1, "x")}}, Provisioning{}, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var keys []string
			client := newClient(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				var m eas.ProvisionRequest
				if err := eas.Unmarshal(body, &m); err != nil {
					t.Fatal(err)
				}
				keys = append(keys, r.Header.Get("X-MS-PolicyKey")+" "+m.Policies[0].PolicyKey)
				answer(t, w, c.version, c.answers[len(keys)-1])
			})
			client.Version, client.PolicyKey = c.version, 99
			got, err := client.Provision(t.Context(), nil)
			if (err != nil) != c.fails {
				t.Fatal(err)
			}
			var se *StatusError
			if c.status != 0 && (!errors.As(err, &se) || se.Status != c.status) {
				t.Errorf("got %v, want status %d", err, c.status)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if keys[0] != "0 " || len(keys) > 1 && keys[1] != "11 11" {
				t.Errorf("keys in header and message were %q, want 0 and then the temporary one", keys)
			}
			if !c.fails && client.PolicyKey != c.want.PolicyKey {
				t.Errorf("the client keeps %s", strconv.Itoa(int(client.PolicyKey)))
			}
		})
	}
}
