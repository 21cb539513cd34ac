package autodiscover_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/autodiscover"
	"github.com/pushbridge/pushbridge/bridge/eas/conformance"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	mobilesync = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"
	outlook    = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
)

func request(address, schema string) string {
	return `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006"><Request><EMailAddress>` +
		address + `</EMailAddress><AcceptableResponseSchema>` + schema + `</AcceptableResponseSchema></Request></Autodiscover>`
}

func login(_ context.Context, login, password string) (autodiscover.Person, error) {
	switch {
	case password == "down":
		return autodiscover.Person{}, backend.E(backend.Transient, "test", nil)
	case login != "ann@example.org" || password != "secret":
		return autodiscover.Person{}, backend.E(backend.Denied, "test", nil)
	}
	return autodiscover.Person{Name: "Ann <Ä> & Co", Address: "ann@example.org"}, nil
}

// elsewhere is where people are who are not here.
func elsewhere(login string) string {
	return map[string]string{"bob@old.example.org": "https://old.example.org", "bob@moved.example.org": "bob@example.net"}[login]
}

// An answer is what an XML answer says.
type answer struct {
	Name    string `xml:"Response>User>DisplayName"`
	Address string `xml:"Response>User>EMailAddress"`
	Type    string `xml:"Response>Action>Settings>Server>Type"`
	URL     string `xml:"Response>Action>Settings>Server>Url"`
	Code    int    `xml:"Response>Error>ErrorCode"`
	Other   string `xml:"Response>Action>Redirect"`
}

func TestXML(t *testing.T) {
	conformance.Shows(t, "mobilesync", "Autodiscover errors", "Autodiscover redirect", "Autodiscover login")
	const good = "Basic YW5uQGV4YW1wbGUub3JnOnNlY3JldA==" // ann@example.org:secret
	found := answer{Name: "Ann <Ä> & Co", Address: "ann@example.org", Type: "MobileSync", URL: "https://mail.example.org/Microsoft-Server-ActiveSync"}
	unnamed := found
	unnamed.Name = ""
	latin := strings.Replace(request("ann@example.org", mobilesync), "utf-8", "ISO-8859-1", 1)
	for _, tc := range []struct {
		name          string
		body          string
		authorization string
		options       autodiscover.Options
		path, method  string
		status        int
		want          answer
	}{
		{name: "found", body: request("ann@example.org", mobilesync), authorization: good, options: autodiscover.Options{Login: login}, status: 200, want: found},
		{name: "another case of letters", path: "/AutoDiscover/AutoDiscover.xml", body: request("ann@example.org", mobilesync), authorization: good, options: autodiscover.Options{Login: login}, status: 200, want: found},
		{name: "another encoding", body: latin, authorization: good, options: autodiscover.Options{Login: login}, status: 200, want: found},
		{name: "without a login nobody is named", body: request("ann@example.org", mobilesync), status: 200, want: unnamed},
		{name: "a configured place", body: request("ann@example.org", mobilesync), options: autodiscover.Options{URL: "https://eas.example.net/x"}, status: 200,
			want: answer{Address: "ann@example.org", Type: "MobileSync", URL: "https://eas.example.net/x"}},
		{name: "a configured host", body: request("ann@example.org", mobilesync), options: autodiscover.Options{URL: "https://eas.example.net/"}, status: 200,
			want: answer{Address: "ann@example.org", Type: "MobileSync", URL: "https://eas.example.net/Microsoft-Server-ActiveSync"}},
		{name: "another server", body: request("bob@old.example.org", mobilesync), authorization: "Basic Ym9iQG9sZC5leGFtcGxlLm9yZzp4", options: autodiscover.Options{Login: login, Elsewhere: elsewhere}, status: 200,
			want: answer{Address: "bob@old.example.org", Type: "MobileSync", URL: "https://old.example.org/Microsoft-Server-ActiveSync"}},
		{name: "another address", body: request("bob@moved.example.org", mobilesync), authorization: "Basic Ym9iQG1vdmVkLmV4YW1wbGUub3JnOng=", options: autodiscover.Options{Login: login, Elsewhere: elsewhere}, status: 200,
			want: answer{Address: "bob@moved.example.org", Other: "bob@example.net"}},
		{name: "another address where nobody logs in", body: request("bob@moved.example.org", mobilesync), options: autodiscover.Options{Elsewhere: elsewhere}, status: 200,
			want: answer{Address: "bob@moved.example.org", Other: "bob@example.net"}},
		{name: "another server's person without credentials", body: request("bob@old.example.org", mobilesync), options: autodiscover.Options{Login: login, Elsewhere: elsewhere}, status: 401},
		{name: "no credentials", body: request("ann@example.org", mobilesync), options: autodiscover.Options{Login: login}, status: 401},
		{name: "a wrong password", body: request("ann@example.org", mobilesync), authorization: "Basic YW5uOng=", options: autodiscover.Options{Login: login}, status: 401},
		{name: "garbage for credentials", body: request("ann@example.org", mobilesync), authorization: "Basic %%%", options: autodiscover.Options{Login: login}, status: 401},
		{name: "a backend that is down", body: request("ann@example.org", mobilesync), authorization: "Basic YW5uOmRvd24=", options: autodiscover.Options{Login: login}, status: 503},
		{name: "Outlook's schema", body: request("ann@example.org", outlook), status: 200, want: answer{Code: 601}},
		{name: "no address", body: request(" ", mobilesync), status: 200, want: answer{Code: 600}},
		{name: "garbage", body: "hello", status: 200, want: answer{Code: 600}},
		{name: "cut off", body: request("ann@example.org", mobilesync)[:200], status: 200, want: answer{Code: 600}},
		{name: "nothing", method: http.MethodGet, status: 200, want: answer{Code: 600}},
		{name: "a document type", body: `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>` + request("&b;", mobilesync), status: 200, want: answer{Code: 600}},
		{name: "nested without end", body: strings.Repeat("<a>", 1000), status: 200, want: answer{Code: 600}},
		{name: "long without end", body: "<a>" + strings.Repeat("x", autodiscover.MaxRequest) + "</a>", status: 200, want: answer{Code: 600}},
		{name: "another method", method: http.MethodDelete, status: 405},
		{name: "another page", path: "/autodiscover/x", status: 404},
	} {
		t.Run(tc.name, func(t *testing.T) {
			method, path := tc.method, tc.path
			if method == "" {
				method = http.MethodPost
			}
			if path == "" {
				path = "/autodiscover/autodiscover.xml"
			}
			r := httptest.NewRequest(method, "http://mail.example.org"+path, strings.NewReader(tc.body))
			if tc.authorization != "" {
				r.Header.Set("Authorization", tc.authorization)
			}
			w := httptest.NewRecorder()
			autodiscover.New(tc.options).ServeHTTP(w, r)
			if w.Code != tc.status {
				t.Fatalf("status %d, want %d", w.Code, tc.status)
			}
			if (w.Code == 401) != (w.Header().Get("WWW-Authenticate") != "") || (w.Code == 503) != (w.Header().Get("Retry-After") != "") {
				t.Errorf("status %d with headers %v", w.Code, w.Header())
			}
			if w.Code != 200 {
				if strings.Contains(w.Body.String(), "Ann") {
					t.Error("a name is revealed before the login")
				}
				return
			}
			var got answer
			if err := xml.Unmarshal(w.Body.Bytes(), &got); err != nil || got != tc.want {
				t.Errorf("answer %+v, %v, want %+v", got, err, tc.want)
			}
		})
	}
}

// TestAnswersFollowTheSchema holds answers against Microsoft's schema.
func TestAnswersFollowTheSchema(t *testing.T) {
	schemas := os.Getenv("PUSHBRIDGE_XSD")
	if schemas == "" {
		t.Skip("PUSHBRIDGE_XSD is not set: Microsoft's schemas are not at hand")
	}
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("PUSHBRIDGE_CI") == "1" {
			t.Fatal("xmllint is missing")
		}
		t.Skip("xmllint is missing")
	}
	h := autodiscover.New(autodiscover.Options{Login: login, Elsewhere: elsewhere})
	for name, body := range map[string]string{
		"moved": request("ann@example.org", mobilesync), "found": request("ann@example.org", mobilesync), "no provider": request("ann@example.org", outlook), "garbage": "hello",
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "http://mail.example.org/autodiscover/autodiscover.xml", strings.NewReader(body))
			r.SetBasicAuth("ann@example.org", "secret")
			if name == "moved" {
				r.SetBasicAuth("bob@moved.example.org", "whatever")
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			doc := w.Body.String()
			cmd := exec.Command(xmllint, "--nonet", "--noout", "--schema", filepath.Join(schemas, "AutodiscoverResponse.xsd"), "-")
			cmd.Stdin = strings.NewReader(doc)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("the answer breaks the schema: %v\n%s\n%s", err, out, doc)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	for _, tc := range []struct {
		name, target, host string
		status             int
		want               string
	}{
		{name: "query", target: "/autodiscover/autodiscover.json?Email=ann@example.org&Protocol=ActiveSync&RedirectCount=1", status: 200,
			want: `{"Protocol":"ActiveSync","Url":"https://mail.example.org/Microsoft-Server-ActiveSync"}`},
		{name: "path", target: "/autodiscover/autodiscover.json/v1.0/ann@example.org?protocol=activesync", status: 200,
			want: `{"Protocol":"ActiveSync","Url":"https://mail.example.org/Microsoft-Server-ActiveSync"}`},
		{name: "the older form", target: "/Autodiscover/Autodiscover.json?Protocol=AutodiscoverV1", status: 200,
			want: `{"Protocol":"AutodiscoverV1","Url":"https://mail.example.org/autodiscover/autodiscover.xml"}`},
		{name: "a port", target: "/autodiscover/autodiscover.json?Protocol=ActiveSync", host: "mail.example.org:8443", status: 200,
			want: `{"Protocol":"ActiveSync","Url":"https://mail.example.org:8443/Microsoft-Server-ActiveSync"}`},
		{name: "an address for a host", target: "/autodiscover/autodiscover.json?Protocol=ActiveSync", host: "[2001:db8::1]", status: 200,
			want: `{"Protocol":"ActiveSync","Url":"https://[2001:db8::1]/Microsoft-Server-ActiveSync"}`},
		{name: "another protocol", target: "/autodiscover/autodiscover.json?Protocol=Ews", status: 400, want: "InvalidProtocol"},
		{name: "no protocol", target: "/autodiscover/autodiscover.json", status: 400, want: "MandatoryParameterMissing"},
		{name: "a host that is none", target: "/autodiscover/autodiscover.json?Protocol=ActiveSync", host: "<script>", status: 400, want: "InvalidRequest"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "http://mail.example.org"+tc.target, nil)
			if tc.host != "" {
				r.Host = tc.host
			}
			w := httptest.NewRecorder()
			autodiscover.New(autodiscover.Options{Login: login}).ServeHTTP(w, r)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.want) {
				t.Errorf("status %d, %s, want %d, %s", w.Code, w.Body, tc.status, tc.want)
			}
		})
	}
}

func FuzzXML(f *testing.F) {
	f.Add([]byte(request("ann@example.org", mobilesync)))
	f.Add([]byte("<a b='c'>&amp;<!-- x --><![CDATA[y]]></a>"))
	h := autodiscover.New(autodiscover.Options{})
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "http://mail.example.org/autodiscover/autodiscover.xml", strings.NewReader(string(body)))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var got answer
		err := xml.NewDecoder(w.Body).Decode(&got)
		if w.Code != 200 || err != nil || (got.Code == 0) != (got.URL != "") {
			t.Errorf("status %d, answer %+v, %v: want a server or an error, in XML", w.Code, got, err)
		}
		if _, err := w.Body.ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("something comes after the answer: %v", err)
		}
	})
}

// FuzzJSON: whatever is asked under whatever name, the answer is JSON with an
// error or with an address of this server under that name.
func FuzzJSON(f *testing.F) {
	f.Add("mail.example.org", "Email=ann%40example.org&Protocol=ActiveSync&RedirectCount=1")
	f.Add("[::1]:8080", "protocol=autodiscoverv1")
	f.Add("a b/../\"", "Protocol=%zz;&&=")
	f.Add("a:b:c", "Protocol=ActiveSync")
	f.Add("mail.example.org:imap", "Protocol=ActiveSync")
	f.Add("mail.example.org:99999", "Protocol=ActiveSync")
	h := autodiscover.New(autodiscover.Options{})
	f.Fuzz(func(t *testing.T, host, query string) {
		r := httptest.NewRequest(http.MethodGet, "http://mail.example.org/autodiscover/autodiscover.json", nil)
		r.Host, r.URL.RawQuery = host, query
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var got struct{ Protocol, Url, ErrorCode, ErrorMessage string }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("status %d, %q: %v", w.Code, w.Body, err)
		}
		if (w.Code == http.StatusOK) != (got.Url != "") || (w.Code == http.StatusBadRequest) != (got.ErrorCode != "") {
			t.Errorf("status %d, answer %+v: want a server or an error", w.Code, got)
		}
		if got.Url == "" {
			return
		}
		u, err := url.Parse(got.Url)
		if err != nil || u.User != nil || u.RawQuery != "" || u.Path != "/Microsoft-Server-ActiveSync" && u.Path != "/autodiscover/autodiscover.xml" ||
			!strings.Contains(strings.ToLower(host), strings.ToLower(strings.Trim(u.Hostname(), "[]"))) {
			t.Errorf("under the name %q phones are sent to %q", host, got.Url)
		}
	})
}
