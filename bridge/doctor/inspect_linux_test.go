package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// closed is a directory into which nobody may look.
func closed(t *testing.T) string {
	dir := filepath.Join(fcgitest.PublicDir(t), "closed")
	if err := os.Mkdir(dir, 0); err != nil {
		t.Fatal(err)
	}
	return dir
}

// limited has what the kernel says of this process, with other limits.
func limited(t *testing.T, files int) string {
	dir := t.TempDir()
	of := filepath.Join(dir, strconv.Itoa(os.Getpid()))
	text := fmt.Sprintf("Limit                     Soft Limit           Hard Limit           Units     \n"+
		"Max processes             127180               127180               processes \nMax open files            %-20d %-20d files     \n", files, files)
	if err := errors.Join(os.Mkdir(of, 0o700), os.WriteFile(filepath.Join(of, "limits"), []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// foreign puts a database into a state that is another user's.
func foreign(t *testing.T, dir string) string {
	path := filepath.Join(dir, "pushbridge.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 1, 1); err != nil {
		t.Skip("only root can give files away")
	}
	return dir
}

// bound does something as a user that is not root, as far as files are concerned.
func bound(t *testing.T, yes bool, do func()) {
	if !yes || os.Geteuid() != 0 {
		do()
		return
	}
	var nobody error
	done := make(chan struct{})
	go func() { // with its thread, which is thrown away
		defer close(done)
		runtime.LockOSThread()
		if nobody = unix.Setfsuid(65534); nobody == nil {
			do()
		}
	}()
	<-done
	if nobody != nil {
		t.Fatal(nobody)
	}
}

func TestInspect(t *testing.T) {
	nobody := "nobody"
	if _, err := user.Lookup(nobody); err != nil {
		if os.Getenv("PUSHBRIDGE_CI") == "1" {
			t.Fatal("there is no user nobody")
		}
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
		edit         func(*testing.T, *doctor.Inspection)
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
		{name: "a state below a closed directory", state: func(t *testing.T) string { return filepath.Join(closed(t), "state") }, code: "state-hidden", remedy: "as root"},
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
		{name: "a directory that nobody may look into", socket: func(t *testing.T) string { return filepath.Join(closed(t), "s") }, code: "socket-hidden", remedy: "as root"},
		{name: "a socket below a file", socket: func(*testing.T) string { return "/etc/passwd/s" }, code: "socket-missing", remedy: "correct the path"},
		{name: "no web server's user", edit: func(_ *testing.T, o *doctor.Inspection) { o.WebUsers = []string{"nobody-at-all"} }, code: "socket-nobody", remedy: "may open"},
		{name: "a worker in another room", edit: func(t *testing.T, o *doctor.Inspection) { o.Proc = t.TempDir() }, code: "limits-hidden", remedy: "as root"},
		{name: "few files for the worker", edit: func(t *testing.T, o *doctor.Inspection) { o.Proc = limited(t, 1024) }, code: "descriptors", remedy: "LimitNOFILE"},
		{name: "a file for a state", state: func(*testing.T) string { return "/etc/passwd" }, code: "state-file", remedy: "another one"},
		{name: "a state of another user", state: func(t *testing.T) string { return foreign(t, private(t)) }, code: "state-owner", remedy: "chown"},
		{name: "a clock that was never set", edit: func(_ *testing.T, o *doctor.Inspection) { o.Now = func() time.Time { return time.Unix(0, 0) } }, code: "clock", remedy: "NTP"},
		{name: "events from everywhere", edit: func(t *testing.T, o *doctor.Inspection) {
			o.Events = doctor.Events{Notify: serve(t, 0o755, 0o666), Push: "https://mail.example.org", StorageUsers: []string{nobody}, Hooks: []doctor.Hook{{"cal", "nextcloud", "b"}, {"all", "generic", ""}}}
		}},
		{name: "nobody who would call notify", edit: func(t *testing.T, o *doctor.Inspection) {
			o.Events = doctor.Events{Notify: serve(t, 0o755, 0o600), StorageUsers: []string{"nobody-at-all"}}
		}},
		{name: "no socket for notices", edit: func(t *testing.T, o *doctor.Inspection) {
			o.Events.Notify = filepath.Join(t.TempDir(), "none")
		}, code: "notify-missing", remedy: "running"},
		{name: "a hidden socket for notices", edit: func(t *testing.T, o *doctor.Inspection) { o.Events.Notify = filepath.Join(closed(t), "s") }, code: "notify-hidden", remedy: "as root"},
		{name: "a socket for notices that hooks may not use", edit: func(t *testing.T, o *doctor.Inspection) {
			o.Events = doctor.Events{Notify: serve(t, 0o755, 0o600), StorageUsers: []string{nobody}}
		}, code: "notify-permission", remedy: "?group=nobody"},
		{name: "a server that knows where phones are", backends: []doctor.Backend{{Name: "a", Plugin: "carddav", Forwards: true, Brakes: true}}},
		{name: "a server that takes all phones for one", backends: []doctor.Backend{{Name: "a", Plugin: "carddav", Brakes: true}}, code: "forward-address", remedy: "trusted_proxies"},
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
			o := doctor.Inspection{Listen: "unix:" + tt.socket(t) + "?mode=0660", State: tt.state(t), Space: tt.space, WebUsers: []string{nobody, "nobody-at-all"},
				Backends: func(context.Context) ([]doctor.Backend, error) { return tt.backends, tt.err }}
			if tt.edit != nil {
				tt.edit(t, &o)
			}
			// As somebody whom permissions bind, which root is not.
			var r doctor.Report
			bound(t, strings.HasSuffix(tt.code, "-hidden") && tt.code != "limits-hidden", func() { r = doctor.Inspect(t.Context(), o) })
			hold(t, r, tt.code, tt.remedy)
		})
	}
}
