package easserver_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// What is wrong with a request as a whole.
func TestRequestsThatNameNothingKnown(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	body := func(v eas.Version) []byte { return mustMarshal(t, &eas.FolderSyncRequest{SyncKey: "0"}, v) }
	for _, tt := range []struct {
		name   string
		v      eas.Version
		device string
		header http.Header
		cmd    eas.Command
		http   int
		status string
	}{
		{name: "a version that there is not", v: eas.V141, header: http.Header{"Ms-Asprotocolversion": {"16.2"}}, cmd: eas.CmdFolderSync, http: 505},
		{name: "a version that is too old", v: eas.V141, header: http.Header{"Ms-Asprotocolversion": {"1.0"}}, cmd: eas.CmdFolderSync, http: 505},
		{name: "a DeviceId that is none", v: eas.V121, device: "a b", cmd: eas.CmdFolderSync, http: 400},
		{name: "a DeviceId that is none, later", v: eas.V141, device: "a b", cmd: eas.CmdFolderSync, http: 200, status: "<Status>108</Status>"},
		{name: "no command", v: eas.V141, http: 400},
		{name: "a command that is not known", v: eas.V141, cmd: "Sing", http: 501},
		{name: "a command that is not announced", v: eas.V121, cmd: eas.CmdGetHierarchy, http: 501},
	} {
		c := h.Client(tt.v, "phone1")
		if tt.device != "" {
			c.DeviceID = tt.device
		}
		answer, _, err := c.Do(t.Context(), easclient.Call{Query: eas.Query{Command: tt.cmd}, Body: body(tt.v), Header: tt.header})
		if status, _ := httpStatus(t, err); status != tt.http || !strings.Contains(xml(t, answer), tt.status) {
			t.Errorf("%s: HTTP status %d and %s, want %d and %s", tt.name, status, xml(t, answer), tt.http, tt.status)
		}
	}
}

// lastOf is the last version that knows a command.
func lastOf(command string) eas.Version {
	for _, v := range slices.Backward(eas.Versions) {
		if eas.Command(command).KnownIn(v) {
			return v
		}
	}
	return eas.V161
}

// The wire below the commands. See [MS-ASHTTP].
func TestWire(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{Edit: requirePolicy})
	for i := range 50 {
		h.Store("contacts", backend.ItemID(fmt.Sprint(i)), bridgetest.Card(fmt.Sprint(i), "N"))
	}
	r := newRaw(t, h, eas.V141)
	key := r.PolicyKey
	do := func(method, query, user string, header http.Header, body []byte) (*http.Response, []byte) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, h.URL+"/Microsoft-Server-ActiveSync"+query, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range header {
			req.Header[name] = values
		}
		if user != "" {
			req.SetBasicAuth(user, bridgetest.Password)
		}
		res, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, text
	}
	typ := http.Header{"Content-Type": {"application/vnd.ms-sync.wbxml"}}
	folders := mustMarshal(t, &eas.FolderSyncRequest{SyncKey: "0"}, eas.V141)

	res, _ := do("OPTIONS", "", "", nil, nil)
	if res.StatusCode != 401 || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), `Basic realm="`) {
		t.Errorf("OPTIONS without a login: %d %v", res.StatusCode, res.Header)
	}
	for _, user := range []string{"ann", "ANN\\ann", "EXAMPLE\\ann", "ann@example.org"} {
		if res, _ = do("OPTIONS", "", user, nil, nil); res.StatusCode != 200 && user == "ann" {
			t.Errorf("OPTIONS as %s: %d", user, res.StatusCode)
		}
	}
	res, text := do("OPTIONS", "?Cmd=OPTIONS&User=ann&DeviceId=x&DeviceType=y", "ann", nil, nil)
	if res.StatusCode != 200 || len(text) != 0 || res.Header.Get("Content-Length") != "0" || res.Header["Content-Type"] != nil ||
		res.Header.Get("MS-ASProtocolVersions") != "2.5,12.0,12.1,14.0,14.1,16.0,16.1" || res.Header.Get("MS-Server-ActiveSync") == "" || res.Header.Get("X-MS-RP") != "" {
		t.Errorf("OPTIONS: %d %v", res.StatusCode, res.Header)
	}
	for _, command := range strings.Split(res.Header.Get("MS-ASProtocolCommands"), ",") {
		if res, text = do("POST", "?Cmd="+command+"&User=ann&DeviceId=phone1&DeviceType=t", "ann", http.Header{"Ms-Asprotocolversion": {lastOf(command).String()}}, nil); res.StatusCode == 501 || res.StatusCode >= 500 {
			t.Errorf("%s is announced, and answered %d %s", command, res.StatusCode, text)
		}
	}
	for _, method := range []string{"GET", "HEAD", "PUT"} {
		if res, _ = do(method, "", "ann", nil, nil); res.StatusCode != 405 || res.Header.Get("Allow") == "" {
			t.Errorf("%s: %d %v", method, res.StatusCode, res.Header)
		}
	}
	// The policy key in a base64 query and in the header.
	query := eas.Query{Base64: true, Version: eas.V141, Command: eas.CmdFolderSync, DeviceID: "phone1", DeviceType: "t", PolicyKey: &key}
	encoded, err := query.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{encoded, strings.TrimRight(encoded, "="), strings.NewReplacer("+", "-", "/", "_").Replace(encoded), strings.ReplaceAll(encoded, "=", "%3D")} {
		if res, text = do("POST", "?"+q, "ann", typ, folders); res.StatusCode != 200 || !strings.Contains(xml(t, text), "<Count>") {
			t.Errorf("the query %s: %d %s", q, res.StatusCode, xml(t, text))
		}
	}
	plain := http.Header{"Content-Type": {"application/vnd.ms-sync"}, "Ms-Asprotocolversion": {"14.1"}, "X-Ms-Policykey": {fmt.Sprint(key)}, "Expect": {"100-continue"}}
	for _, q := range []string{"?Cmd=FolderSync&User=ann&DeviceId=phone1&DeviceType=t", "?DeviceID=phone1&devicetype=t&CMD=foldersync&User=somebody"} {
		if res, text = do("POST", q, "ann", plain, folders); res.StatusCode != 200 || !strings.Contains(xml(t, text), "<Count>") {
			t.Errorf("the query %s: %d %s", q, res.StatusCode, xml(t, text))
		}
	}
	// Compression is for those who ask.
	c := r.collection("Contacts")
	c.SyncKey = "0"
	c.SyncKey = r.one(c).SyncKey
	sync := mustMarshal(t, &eas.SyncRequest{Collections: []eas.SyncCollection{c}}, eas.V141)
	plain.Set("Accept-Encoding", "gzip, deflate")
	res, text = do("POST", "?Cmd=Sync&User=ann&DeviceId=phone1&DeviceType=t", "ann", plain, sync)
	if res.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("Sync with gzip: %d %v", res.StatusCode, res.Header)
	}
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if text, err = io.ReadAll(z); err != nil || !strings.Contains(xml(t, text), "<Add>") {
		t.Errorf("what was compressed is %v %s", err, xml(t, text))
	}
	plain.Set("Accept-Encoding", "identity")
	if res, again := do("POST", "?Cmd=Sync&User=ann&DeviceId=phone1&DeviceType=t", "ann", plain, sync); res.Header.Get("Content-Encoding") != "" || !bytes.Equal(again, text) {
		t.Errorf("the same request without gzip: %v", res.Header)
	}
}
