package bridge_test

import (
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

func TestWhereTheControlDoorIs(t *testing.T) {
	for _, tc := range []struct{ name, admin, state, listen, socket string }{
		{"by default", "", "/var/lib/pushbridge", "unix:/var/lib/pushbridge/admin.sock?mode=0600", "/var/lib/pushbridge/admin.sock"},
		{"without a directory", "", bridge.Memory, "", ""},
		{"switched off", "off", "/var/lib/pushbridge", "", ""},
		{"elsewhere", "unix:/run/a.sock", "/s", "unix:/run/a.sock?mode=0600", "/run/a.sock"},
		{"elsewhere without a directory", "unix:/run/a.sock", bridge.Memory, "unix:/run/a.sock?mode=0600", "/run/a.sock"},
		{"for a group", "unix:/run/a.sock?group=adm", "/s", "unix:/run/a.sock?group=adm&mode=0660", "/run/a.sock"},
		{"with a mode", "unix:/run/a.sock?mode=0666", "/s", "unix:/run/a.sock?mode=0666", "/run/a.sock"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := config.File{Admin: tc.admin, State: tc.state}
			if listen, socket := bridge.AdminListen(f), bridge.AdminSocket(f); listen != tc.listen || socket != tc.socket {
				t.Errorf("it is %q at %q, want %q at %q", listen, socket, tc.listen, tc.socket)
			}
		})
	}
}

// TestControlDoorOfAnotherWorker replaces the socket of a worker that died, and
// never that of one that lives.
func TestControlDoorOfAnotherWorker(t *testing.T) {
	for _, tc := range []struct {
		name        string
		named, dead bool
		opens       bool
		fails       bool
	}{
		{name: "dead", dead: true, opens: true},
		{name: "dead, of a name that was asked for", dead: true, named: true, opens: true},
		{name: "living", opens: false},
		{name: "living, of a name that was asked for", named: true, fails: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "pb") // short enough for a socket
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			socket := filepath.Join(dir, "admin.sock")
			other, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			if tc.dead {
				other.SetUnlinkOnClose(false)
				other.Close()
			}
			f := config.Default()
			f.State, f.HTTP = dir, "127.0.0.1:0"
			if tc.named {
				f.Admin = "unix:" + socket
			}
			var log bridgetest.Log
			b, err := bridge.New(t.Context(), bridge.Options{
				Config: f, Logger: slog.New(slog.NewTextHandler(&log, nil)),
				Backends: []account.Named{{Name: "memory", Backend: memory.New()}},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			l, err := b.Listen()
			if (err != nil) != tc.fails {
				t.Fatalf("listening: %v", err)
			}
			if err != nil {
				if !strings.Contains(err.Error(), "admin") || !strings.Contains(err.Error(), "choose another address") {
					t.Errorf("it says %v, want the key and what to do", err)
				}
				return
			}
			defer l.Close()
			if opened := l.Admin != nil; opened != tc.opens || opened == strings.Contains(log.String(), "no control door") {
				t.Errorf("the door is open: %v, want %v; the log says\n%s", opened, tc.opens, &log)
			}
			if info, err := os.Stat(socket); tc.opens && (err != nil || info.Mode() != fs.ModeSocket|0o600) {
				t.Errorf("the socket is %v, %v; want nobody but its owner to open it", info, err)
			}
		})
	}
}
