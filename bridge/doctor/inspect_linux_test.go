package doctor_test

import (
	"context"
	"errors"
	"math"
	"net"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/doctor"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

func splitPort(s string) (host, port string, err error) {
	u, err := url.Parse(s)
	if err != nil {
		return "", "", err
	}
	return net.SplitHostPort(u.Host)
}

func TestInspect(t *testing.T) {
	nobody := "nobody"
	if _, err := user.Lookup(nobody); err != nil {
		t.Skip("there is no user nobody")
	}
	serve := func(t *testing.T, dirMode, mode os.FileMode) string {
		dir := fcgitest.PublicDir(t)
		path := filepath.Join(dir, "s")
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		if err := errors.Join(os.Chmod(path, mode), os.Chmod(dir, dirMode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	private := func(t *testing.T) string {
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	well := []doctor.Backend{{Name: "a", Plugin: "localdir", Abilities: []string{"watch"}, Shows: "1 of contacts"}, {Name: "b", Plugin: "caldav", Abilities: []string{"probe"}}}
	tests := []struct {
		name         string
		socket       func(*testing.T) string
		state        func(*testing.T) string
		backends     []doctor.Backend
		err          error
		space        uint64
		code, remedy string
	}{
		{name: "nothing is wrong"},
		{name: "the socket is for its group only", socket: func(t *testing.T) string { return serve(t, 0o755, 0o660) }, code: "socket-permission", remedy: "?group=www-data"},
		{name: "the directory is closed", socket: func(t *testing.T) string { return serve(t, 0o700, 0o666) }, code: "socket-permission", remedy: "directories above"},
		{name: "there is no socket", socket: func(t *testing.T) string { return filepath.Join(t.TempDir(), "s") }, code: "socket-missing", remedy: "systemctl start"},
		{name: "a file in its place", socket: func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "s")
			if err := os.WriteFile(path, nil, 0o666); err != nil {
				t.Fatal(err)
			}
			return path
		}, code: "socket-file", remedy: "remove it"},
		{name: "the worker is gone", socket: func(t *testing.T) string {
			path := filepath.Join(fcgitest.PublicDir(t), "s")
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			if err != nil {
				t.Fatal(err)
			}
			l.SetUnlinkOnClose(false)
			l.Close()
			if err := os.Chmod(path, 0o666); err != nil {
				t.Fatal(err)
			}
			return path
		}, code: "socket-dead", remedy: "restart"},
		{name: "no state directory", state: func(t *testing.T) string { return filepath.Join(t.TempDir(), "none") }, code: "state-missing", remedy: "owned by"},
		{name: "a state that others may read", state: func(t *testing.T) string {
			dir := t.TempDir()
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			return dir
		}, code: "state-open", remedy: "chmod 700"},
		{name: "a state that cannot be written", state: func(*testing.T) string { return "/proc/self" }, code: "state-readonly", remedy: "for writing"},
		{name: "a disk that is full", space: math.MaxUint64, code: "state-full", remedy: "make room"},
		{name: "a backend that is away", backends: []doctor.Backend{{Name: "a", Problem: "connection refused"}}, code: "backend-away", remedy: "url"},
		{name: "a backend without passwords", backends: []doctor.Backend{{Name: "a", Open: true}}, code: "backend-open", remedy: "htpasswd"},
		{name: "settings that are wrong", err: errors.New("unknown key ulr"), code: "configuration", remedy: "--check"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.socket == nil {
				tt.socket = func(t *testing.T) string { return serve(t, 0o755, 0o666) }
			}
			if tt.state == nil {
				tt.state = private
			}
			if tt.backends == nil {
				tt.backends = well
			}
			r := doctor.Inspect(t.Context(), doctor.Inspection{Listen: "unix:" + tt.socket(t) + "?mode=0660", State: tt.state(t), Space: tt.space, WebUsers: []string{nobody, "nobody-at-all"},
				Backends: func(context.Context) ([]doctor.Backend, error) { return tt.backends, tt.err }})
			hold(t, r, tt.code, tt.remedy)
		})
	}
}
