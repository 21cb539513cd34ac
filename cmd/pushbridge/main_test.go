package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
)

// TestMain lets the test's binary stand for the program: the worker starts its
// plugins as "THIS plugin NAME", benchmarks start workers and phones, and a
// storage's hook calls "THIS notify".
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{"plugin", "serve", "cgi", "notify", "phone"}, os.Args[1]) {
		main()
	}
	os.Exit(m.Run())
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	mistyped := write("mistyped.toml", "lisen = \"unix:/x\"\nheartbeat_max = 99999\n[backend.contacts]\nplugin = \"carddav\"\nurl = \"http://127.0.0.1/\"\n")
	wrongSetting := write("setting.toml", "http = \"127.0.0.1:0\"\nstate = \""+dir+"/state\"\n[backend.contacts]\nplugin = \"carddav\"\nulr = \"http://127.0.0.1/\"\n[backend.files]\nplugin = \"carrdav\"\n")
	nothing := write("nothing.toml", "state = \""+dir+"/state\"\n[backend.files]\nplugin = \"localdir\"\ndir = \""+dir+"\"\nusers = {a = \"b\"}\n")
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	good := "state = \"" + dir + "/state\"\n[backend.files]\nplugin = \"localdir\"\ndir = \"" + dir + "\"\nusers = {a = \"b\"}\n"
	again := write("again.toml", "http = \""+busy.Addr().String()+"\"\n"+good)
	homeless := write("homeless.toml", "listen = \"unix:"+dir+"/none/x.sock\"\n"+good)
	unreachable := write("unreachable.toml", "http = \"127.0.0.1:0\"\nstate = \""+dir+"/state\"\n[backend.away]\nplugin = \"carddav\"\nurl = \"http://127.0.0.1:1/\"\n")
	t.Setenv(passwordVariable, "")
	tests := []struct {
		name   string
		args   []string
		status int
		says   []string
	}{
		{"help", []string{"help"}, exitOK, []string{"demo", "serve", "phone", "Exit status"}},
		{"version", []string{"--version"}, exitOK, []string{"pushbridge version"}},
		{"no arguments", nil, exitOK, []string{"demo"}},
		{"an unknown command", []string{"srve"}, exitUsage, []string{"srve"}},
		{"an unknown flag", []string{"demo", "--htp", "x"}, exitUsage, []string{"--htp", "help"}},
		{"a superfluous argument", []string{"serve", "now"}, exitUsage, []string{"now"}},
		{"a missing configuration", []string{"serve", "--config", filepath.Join(dir, "none.toml")}, exitUsage, []string{"none.toml"}},
		{"all mistakes of a configuration at once", []string{"serve", "--config", mistyped}, exitUsage,
			[]string{"mistyped.toml:1", "lisen", "listen", "mistyped.toml:2", "heartbeat_max"}},
		{"all mistakes that plugins find at once", []string{"serve", "--config", wrongSetting}, exitUsage,
			[]string{"setting.toml:3: [backend.contacts]", "ulr", "url", "setting.toml:6: [backend.files]", "carrdav", "carddav"}},
		{"a configuration that is a directory", []string{"serve", "--config", dir}, exitUsage, []string{dir, "--config FILE"}},
		{"a socket in a directory that is not there", []string{"serve", "--config", homeless}, exitFailure, []string{"none/x.sock", "create the directory"}},
		{"an address that is taken", []string{"serve", "--config", again}, exitFailure, []string{busy.Addr().String(), "end the program that listens there"}},
		{"a check beside the running worker", []string{"serve", "--check", "--config", again}, exitOK, []string{"runs already", "configuration is fine"}},
		{"a check of a backend that is not there", []string{"serve", "--check", "--config", unreachable}, exitFailure,
			[]string{"unreachable.toml:3: [backend.away]", "connection refused", "is the url right?"}},
		{"a demo where another program listens", []string{"demo", "--http", busy.Addr().String()}, exitFailure, []string{"in use", "--http 127.0.0.1:8081"}},
		{"a demo without a port", []string{"demo", "--http", "8080"}, exitUsage, []string{"--http", "127.0.0.1:8080"}},
		{"nothing to listen on", []string{"serve", "--config", nothing}, exitUsage, []string{"listen ="}},
		{"a phone without a server", []string{"phone", "probe"}, exitUsage, []string{"--url"}},
		{"a phone without a password", []string{"phone", "probe", "--url", "http://127.0.0.1:1", "--user", "x"}, exitUsage, []string{"--password-file", passwordVariable}},
		{"a phone with half a URL", []string{"phone", "probe", "--url", "mail.example.org", "--user", "x"}, exitUsage, []string{"https://"}},
		{"a phone of an unknown version", []string{"phone", "probe", "--url", "http://127.0.0.1:1", "--user", "x", "--eas", "3.11"}, exitUsage, []string{"16.1"}},
		{"a doctor without a patient", []string{"doctor"}, exitUsage, []string{"--url", "--config"}},
		{"a doctor without a user", []string{"doctor", "--url", "https://mail.example.org"}, exitUsage, []string{"--user"}},
		{"a doctor without a password", []string{"doctor", "--url", "https://mail.example.org", "--user", "x"}, exitUsage, []string{"--password-file", passwordVariable}},
		{"a CGI program without a worker", []string{"cgi", "--socket", "sock"}, exitUsage, []string{"tcp:HOST:PORT"}},
		{"a server that is not there", []string{"phone", "probe", "--url", "http://127.0.0.1:1", "--user", "x", "--password", "y"}, exitFailure, []string{"127.0.0.1:1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bridgetest.Log
			if status := run(t.Context(), tt.args, &out, &out); status != tt.status {
				t.Errorf("exit status %d, want %d", status, tt.status)
			}
			for _, word := range tt.says {
				if !strings.Contains(out.String(), word) {
					t.Errorf("it says\n%s\nwant %q in it", &out, word)
				}
			}
		})
	}
}

// TestCheckOfAServerWithoutPasswords warns those who would let everybody in.
func TestCheckOfAServerWithoutPasswords(t *testing.T) {
	for _, anonymous := range []bool{true, false} {
		t.Run(fmt.Sprintf("anonymous=%v", anonymous), func(t *testing.T) {
			open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if user, _, _ := r.BasicAuth(); user == "" && !anonymous {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				w.WriteHeader(http.StatusMultiStatus)
				fmt.Fprintf(w, `<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><response><href>%s</href><propstat><prop>
<current-user-principal><href>/ann/</href></current-user-principal><C:addressbook-home-set><href>/ann/</href></C:addressbook-home-set>
</prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`, r.URL.Path)
			}))
			defer open.Close()
			path := filepath.Join(t.TempDir(), "open.toml")
			text := fmt.Sprintf("http = \"127.0.0.1:0\"\nstate = %q\n[backend.contacts]\nplugin = \"carddav\"\nurl = %q\n", t.TempDir(), open.URL)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			var out bridgetest.Log
			status := run(t.Context(), []string{"serve", "--check", "--config", path}, &out, &out)
			if status != exitOK || !strings.Contains(out.String(), "asks nobody for a password") {
				t.Errorf("exit status %d, it says\n%s\nwant 0 and a warning", status, &out)
			}
		})
	}
}

func TestPhoneAgainstHouse(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	h.Store("contacts", "c.vcf", bridgetest.Card("c", "Somebody Here"))
	account := []string{"--url", h.URL, "--user", bridgetest.User, "--password", bridgetest.Password}
	for _, tt := range []struct {
		name string
		args []string
		says []string
	}{
		{"probe", []string{"phone", "probe"}, []string{"OPTIONS", "FolderSync", "Contacts", "Ping"}},
		{"probe of an old version", []string{"phone", "probe", "--eas", "2.5"}, []string{"using 2.5", "FolderSync"}},
		{"sync", []string{"phone", "sync"}, []string{"Somebody Here"}},
		{"sync as JSON", []string{"phone", "sync", "--json"}, []string{`"Somebody Here"`}},
		{"base64 query", []string{"phone", "sync", "--base64"}, []string{"Somebody Here"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if status := run(t.Context(), append(tt.args, account...), &out, &errs); status != exitOK {
				t.Errorf("exit status %d: %s", status, &errs)
			}
			for _, word := range tt.says {
				if !strings.Contains(out.String(), word) {
					t.Errorf("it printed\n%s\nwant %q in it", &out, word)
				}
			}
		})
	}
	t.Run("the log has a line for Autodiscover, too", func(t *testing.T) {
		if log := h.Log.String(); !strings.Contains(log, "command=Autodiscover user="+bridgetest.User) {
			t.Errorf("the log says\n%s\nwant a line for Autodiscover", log)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		var out, errs bytes.Buffer
		status := run(t.Context(), []string{"phone", "sync", "--url", h.URL, "--user", bridgetest.User, "--password", "nope"}, &out, &errs)
		if status != exitFailure || !strings.Contains(errs.String(), "password") {
			t.Errorf("exit status %d, it says %q; want 1 and a word of the password", status, &errs)
		}
	})
}
