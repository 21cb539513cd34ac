package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// A gate is a worker behind another web server than nginx.
type gate struct {
	*office
	fastCGI string // the path of the socket
	program string // the CGI program
}

// openGate starts a worker whose socket everybody may open, and writes the CGI
// program as the README has it.
func openGate(t *testing.T) *gate {
	dir := fcgitest.PublicDir(t)
	g := &gate{fastCGI: filepath.Join(dir, "s"), program: filepath.Join(dir, "pushbridge.cgi")}
	g.office = openOfficeAt(t, "listen = \"unix:"+g.fastCGI+"?mode=0666\"\n")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	public := filepath.Join(dir, "pushbridge") // the tests' own program is in a directory for its owner only
	if os.Link(self, public) != nil {
		b, err := os.ReadFile(self)
		if err == nil {
			err = os.WriteFile(public, b, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	script := strings.NewReplacer("/usr/local/bin/pushbridge", public, "/run/pushbridge/pushbridge.sock", g.fastCGI).Replace(example(t, "sh", "pushbridge cgi"))
	if err := os.WriteFile(g.program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return g
}

// example finds the block of a language in the README that holds some words.
func example(t *testing.T, language, words string) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)\n```"+language+"\n(.*?)```").FindAllSubmatch(text, -1) {
		if bytes.Contains(block[1], []byte(words)) {
			return string(block[1])
		}
	}
	t.Fatalf("the README has no %s with %q", language, words)
	return ""
}

// conf is an example with the paths of this test.
func (g *gate) conf(language, words string) string {
	return strings.NewReplacer("/usr/lib/cgi-bin/pushbridge", g.program, "/run/pushbridge/pushbridge.sock", g.fastCGI).Replace(example(g.t, language, words))
}

func TestOtherFrontEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache and lighttpd")
	}
	tests := []struct {
		name  string
		cgi   bool
		start func(*testing.T, *gate) *fcgitest.FrontEnd
	}{
		{"Apache with mod_proxy_fcgi", false, func(t *testing.T, g *gate) *fcgitest.FrontEnd {
			return fcgitest.StartApache(t, g.conf("apache", "fcgi://"), "mpm_event", "proxy", "proxy_fcgi")
		}},
		{"Apache with mod_cgid", true, func(t *testing.T, g *gate) *fcgitest.FrontEnd {
			return fcgitest.StartApache(t, g.conf("apache", "ScriptAliasMatch"), "mpm_event", "cgid")
		}},
		{"Apache with mod_cgi", true, func(t *testing.T, g *gate) *fcgitest.FrontEnd {
			return fcgitest.StartApache(t, g.conf("apache", "ScriptAliasMatch"), "mpm_prefork", "cgi")
		}},
		{"lighttpd with mod_fastcgi", false, func(t *testing.T, g *gate) *fcgitest.FrontEnd {
			return fcgitest.StartLighttpd(t, g.conf("lighttpd", "mod_fastcgi"))
		}},
		{"lighttpd with mod_cgi", true, func(t *testing.T, g *gate) *fcgitest.FrontEnd {
			return fcgitest.StartLighttpd(t, g.conf("lighttpd", "mod_cgi"))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := openGate(t)
			f := tt.start(t, g)
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the web server's log:\n%s", f.ErrorLog())
				}
			})
			g.serves(t, f)
			g.stop()
			g.isAway(t, f, tt.cgi)
		})
	}
}

// serves is a story of a phone behind a web server.
func (g *gate) serves(t *testing.T, f *fcgitest.FrontEnd) {
	c := &easclient.Client{URL: f.URL, User: "ann", Password: "secret", Version: eas.V141, DeviceID: "GATE", DeviceType: "test",
		UserAgent: "e2e", HTTP: f.Client}
	wrong := *c
	wrong.Password = "wrong"
	_, err := wrong.Options(t.Context())
	if e, ok := errors.AsType[*easclient.HTTPError](err); !ok || e.Status != http.StatusUnauthorized || !strings.Contains(e.Realm, "Basic") {
		t.Fatalf("a wrong password is answered %v, want 401 with a realm", err)
	}
	if a, err := c.Autodiscover(t.Context(), "ann@example.org"); err != nil || a.URL == "" {
		t.Errorf("Autodiscover answers %+v, %v", a, err)
	}
	p := bridgetest.Checked(t, phone.New(c, phone.Settings{}))
	bridgetest.Sync(t, p)
	folder := bridgetest.FolderOf(t, p, "Contacts")
	if len(folder.Items) != cardsOf {
		t.Fatalf("the phone holds %d cards, want %d", len(folder.Items), cardsOf)
	}
	// A long body goes through whole.
	long := strings.Repeat("A line of a long note.\r\n", 20_000)
	if _, err := p.Add(folder.ServerID, eas.Properties{eas.T(tag.ContactsFileAs, "Long"), eas.T(tag.ContactsLastName, "Long"),
		eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, long))}); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, p)
	if folder, _ = p.Folder(folder.ServerID); len(folder.Items) != cardsOf+1 {
		t.Fatalf("after an Add the phone holds %d cards, want %d", len(folder.Items), cardsOf+1)
	}
	if status := g.waiting(p, "GATE", func() { g.put("pushed.vcf", bridgetest.Card("pushed", "Pushed")) }); status != eas.PingChanges {
		t.Errorf("the Ping was answered %d, want a change", status)
	}
	bridgetest.Sync(t, p)
	if _, ok := titles(p, "Contacts")["Pushed"]; !ok {
		t.Error("the phone lacks the card that it was told of")
	}
}

// isAway is what a phone sees while the worker does not run.
func (g *gate) isAway(t *testing.T, f *fcgitest.FrontEnd, cgi bool) {
	req, err := http.NewRequest(http.MethodOptions, f.URL+"/Microsoft-Server-ActiveSync", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := f.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode < 500 {
		t.Errorf("without a worker the answer is %s, want one that the phone takes for a trouble of the server", resp.Status)
	}
	if cgi && (resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "") {
		t.Errorf("without a worker the answer is %s %v, want 503 with Retry-After", resp.Status, resp.Header)
	}
}

// TestCGIHangsUp ends a CGI program as web servers do, and expects the worker to
// notice that the phone is gone.
func TestCGIHangsUp(t *testing.T) {
	for _, how := range []string{"a signal", "a closed pipe"} {
		t.Run(how, func(t *testing.T) {
			arrived, left := make(chan struct{}), make(chan error, 1)
			addr := fcgitest.Serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				close(arrived)
				<-r.Context().Done()
				left <- context.Cause(r.Context())
			}))
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			var stderr bytes.Buffer
			cmd := exec.Command(self, "cgi", "--socket", addr)
			cmd.Env = append(os.Environ(), "REQUEST_METHOD=POST", "REQUEST_URI=/Microsoft-Server-ActiveSync", "SERVER_PROTOCOL=HTTP/1.1", "CONTENT_LENGTH=0")
			cmd.Stderr = &stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-arrived
			if how == "a signal" {
				cmd.Process.Signal(syscall.SIGTERM)
			} else {
				out.Close()
			}
			if cause := <-left; cause == nil || !strings.Contains(cause.Error(), "hung up") {
				t.Errorf("the worker was told %v, want that the web server hung up", cause)
			}
			if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
				t.Errorf("it ends with %v and says %q, want nothing of the kind", err, &stderr)
			}
		})
	}
}
