package main

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/notify"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// listenForNotices answers the path of a socket, and what arrives there.
func listenForNotices(t *testing.T) (path string, got chan notify.Notice) {
	t.Helper()
	path = fcgitest.SocketPath(t)
	l, err := notify.Listen("unixgram:" + path)
	if err != nil {
		t.Fatal(err)
	}
	got = make(chan notify.Notice, 100)
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := l.Serve(t.Context(), slog.New(slog.DiscardHandler), func(n notify.Notice) { got <- n }); !errors.Is(err, net.ErrClosed) {
			t.Errorf("listening ended with %v", err)
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return path, got
}

// TestNotify runs the command as hooks do: whatever happens, its exit status is
// 0, and it says something only if it is asked to.
func TestNotify(t *testing.T) {
	socket, got := listenForNotices(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "p.toml")
	text := "listen = \"tcp:127.0.0.1:0\"\nstate = \"" + dir + "\"\nnotify = \"unixgram:" + socket + "?mode=0660\"\n[backend.c]\nplugin = \"caldav\"\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	off := filepath.Join(dir, "off.toml")
	if err := os.WriteFile(off, []byte("notify = \"off\"\n[backend.c]\nplugin = \"caldav\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const cwd = "/var/lib/radicale/collections"
	at := "--socket=" + socket
	for _, tc := range []struct {
		name string
		args []string
		want []notify.Notice
		says string // with -v
	}{
		{"a user alone", []string{at, "--user=ann"}, []notify.Notice{{User: "ann"}}, ""},
		{"Radicale with a path", []string{at, "--user=ann", "--cwd=" + cwd, "--path=" + cwd + "/collection-root/ann/team/1.ics", "--to-path="},
			[]notify.Notice{{User: "ann", Path: "/ann/team/1.ics"}}, ""},
		{"Radicale with two paths", []string{at, "--user=ann", "--cwd=" + cwd, "--path=" + cwd + "/collection-root/ann/team/1.ics", "--to-path=" + cwd + "/collection-root/ann/home/1.ics"},
			[]notify.Notice{{User: "ann", Path: "/ann/team/1.ics"}, {User: "ann", Path: "/ann/home/1.ics"}}, ""},
		{"Radicale with a path elsewhere", []string{at, "--user=ann", "--cwd=" + cwd, "--path=/etc/passwd"}, []notify.Notice{{User: "ann"}}, ""},
		{"a path of anything else", []string{at, "--backend=contacts", "--path", "ann/people"}, []notify.Notice{{Backend: "contacts", Path: "/ann/people"}}, ""},
		{"by the configuration", []string{"--config", config, "--user", "ann"}, []notify.Notice{{User: "ann"}}, ""},
		{"a path upwards", []string{at, "--path=/ann/../bob/"}, nil, "upwards"},
		{"nothing to say", []string{at}, nil, "neither a user nor a path"},
		{"nobody listens", []string{"--socket=" + filepath.Join(dir, "none.sock"), "--user=ann"}, nil, "none.sock"},
		{"a configuration that is not there", []string{"--config", filepath.Join(dir, "none.toml"), "--user=ann"}, nil, "none.toml"},
		{"a worker that takes none", []string{"--config", off, "--user=ann"}, nil, "off"},
		{"a mistyped flag", []string{at, "--usr=ann"}, nil, "--usr"},
		{"a flag without a value", []string{at, "--user"}, nil, "--user"},
		{"a superfluous argument", []string{at, "--user=ann", "now"}, nil, "now"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, verbose := range []bool{false, true} {
				args := append([]string{"notify"}, tc.args...)
				if verbose {
					args = append([]string{"notify", "-v"}, tc.args...)
				}
				var out bridgetest.Log
				if status := run(t.Context(), args, &out, &out); status != exitOK {
					t.Errorf("exit status %d", status)
				}
				if said := out.String(); verbose && tc.says != "" && !strings.Contains(said, tc.says) || (!verbose || tc.says == "") && said != "" {
					t.Errorf("with -v=%v it says %q, want %q in it only with -v", verbose, said, tc.says)
				}
				var notices []notify.Notice
				for range tc.want {
					notices = append(notices, <-got)
				}
				if d := cmp.Diff(tc.want, notices); d != "" {
					t.Errorf("it sent otherwise (-want +got):\n%s", d)
				}
			}
		})
	}
	if len(got) > 0 {
		t.Errorf("it sent %+v in addition", <-got)
	}
}

func TestNotifySaysWhatItIs(t *testing.T) {
	var out bridgetest.Log
	if status := run(t.Context(), []string{"notify", "--help"}, &out, &out); status != exitOK || !strings.Contains(out.String(), "%(user)s") || !strings.Contains(out.String(), "--to-path") {
		t.Errorf("exit status %d, it says\n%s", status, &out)
	}
}

// TestRadicaleHook lets Python run the module that is printed for Radicale's
// [hook] type. Radicale from 3.2 on is not in Debian 12, so that its classes
// stand in testdata, with the names and arguments that they have there.
func TestRadicaleHook(t *testing.T) {
	python := fcgitest.Need(t, "python3")
	socket, got := listenForNotices(t)
	var module bytes.Buffer
	if status := run(t.Context(), []string{"notify", "--radicale-hook"}, &module, &module); status != exitOK {
		t.Fatalf("exit status %d:\n%s", status, &module)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pushbridge_hook.py"), module.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `
import sys
from radicale.config import Configuration
from radicale.hook import HookNotificationItem, HookNotificationItemTypes as Types
import pushbridge_hook

hook = pushbridge_hook.Hook(Configuration({"hook": {"pushbridge_socket": sys.argv[1]}}))
hook.notify(HookNotificationItem(Types.UPSERT, "/ann/team/1.ics", uid="1", new_content="BEGIN:VCALENDAR"))
hook.notify(HookNotificationItem(Types.DELETE, "/ann/people/", uid="2"))
hook.notify(HookNotificationItem(Types.CPATCH, "/bob/büro/", content="<x/>"))
hook.notify(HookNotificationItem(Types.CPATCH, "/bob/", content="<x/>"))
# A worker that is not there is no reason to fail.
pushbridge_hook.Hook(Configuration({"hook": {"pushbridge_socket": sys.argv[1] + ".none"}})).notify(HookNotificationItem(Types.DELETE, "/ann/people/x.vcf", uid="3"))
# Without the key it is the usual place.
assert pushbridge_hook.Hook(Configuration({}))._path == "/run/pushbridge/notify.sock"
`
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), python, "-B", "-c", script, socket)
	c.Env = append(os.Environ(), "PYTHONPATH="+dir+":"+testdata)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, want := range []notify.Notice{{Path: "/ann/team/"}, {Path: "/ann/people/"}, {Path: "/bob/büro/"}} {
		if n := <-got; n != want {
			t.Errorf("it sent %+v, want %+v", n, want)
		}
	}
	if len(got) > 0 {
		t.Errorf("it sent %+v in addition", <-got)
	}
}
