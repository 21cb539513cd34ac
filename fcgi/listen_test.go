//go:build unix

package fcgi_test

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

func TestListenUnix(t *testing.T) {
	tests := []struct {
		name, options string
		before        func(t *testing.T, path string)
		want          fs.FileMode // of the socket
		err           string      // in the error, "" if none
	}{
		{name: "nothing there", want: 0o660},
		{name: "another mode", options: "?mode=0600", want: 0o600},
		{name: "our own group", options: fmt.Sprintf("?mode=666&group=%d", os.Getgid()), want: 0o666},
		{name: "a stale socket", before: leaveSocket, want: 0o660},
		{name: "somebody listens", before: func(t *testing.T, path string) {
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
		}, err: "another process listens"},
		{name: "a file", before: func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, err: "is not a socket"},
		{name: "a link", before: func(t *testing.T, path string) {
			leaveSocket(t, path+".real")
			if err := os.Symlink(path+".real", path); err != nil {
				t.Fatal(err)
			}
		}, err: "is not a socket"},
		{name: "a mode that is none", options: "?mode=rw", err: "octal"},
		{name: "a group that is none", options: "?group=no-such-group-here", err: "no-such-group-here"},
		{name: "an option that is none", options: "?colour=red", err: "colour"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := fcgitest.SocketPath(t)
			if tt.before != nil {
				tt.before(t, path)
			}
			l, err := fcgi.Listen("unix:" + path + tt.options)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error = %v, want one about %q", err, tt.err)
				}
				if tt.before != nil {
					if _, err := os.Lstat(path); err != nil {
						t.Errorf("what was there is gone: %v", err)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != tt.want {
				t.Errorf("mode = %v, %v, want %v", info.Mode(), err, tt.want)
			}
			l.Close()
			if _, err := os.Lstat(path); !os.IsNotExist(err) {
				t.Errorf("the socket is left behind: %v", err)
			}
		})
	}
}

// leaveSocket leaves a socket behind as a killed process does.
func leaveSocket(t *testing.T, path string) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

// Of many who find the same stale socket, exactly one gets to listen.
func TestListenUnixAtOnce(t *testing.T) {
	path := fcgitest.SocketPath(t)
	leaveSocket(t, path)
	var wg sync.WaitGroup
	var won atomic.Int32
	for range 20 {
		wg.Go(func() {
			if l, err := fcgi.Listen("unix:" + path); err == nil {
				won.Add(1)
				t.Cleanup(func() { l.Close() })
			}
		})
	}
	wg.Wait()
	if got := won.Load(); got != 1 {
		t.Errorf("%d listeners on one path, want 1", got)
	}
}

func TestListenRefuses(t *testing.T) {
	for _, spec := range []string{"", "unix:", "/run/x.sock", "tcp:", "tcp:nowhere", "tcp::9000", "udp:127.0.0.1:1", "spawn-fcgi", "systemd", "systemd:web"} {
		t.Run(spec, func(t *testing.T) {
			l, err := fcgi.Listen(spec)
			if err == nil {
				l.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), fmt.Sprintf("%q", spec)) {
				t.Errorf("error %q does not name what was asked for", err)
			}
		})
	}
}

// passedSpec tells the test's own program to serve what it was passed.
const passedSpec = "FCGI_TEST_PASSED"

func TestMain(m *testing.M) {
	if spec := os.Getenv(passedSpec); spec != "" {
		os.Exit(servePassed(spec))
	}
	os.Exit(m.Run())
}

func servePassed(spec string) int {
	l, err := fcgi.Listen(spec)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	s := &fcgi.Server{Handler: echo}
	if err := s.Serve(l); err != nil {
		fmt.Println(err)
	}
	return 0
}

func TestPassedSockets(t *testing.T) {
	tests := []struct {
		name, spec, script string
		stdin              bool
		err                string
	}{
		{name: "spawn-fcgi", spec: "spawn-fcgi", stdin: true},
		{name: "systemd", spec: "systemd", script: "LISTEN_PID=$$ LISTEN_FDS=1"},
		{name: "systemd by name", spec: "systemd:web", script: "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web"},
		{name: "systemd by another name", spec: "systemd:admin", script: "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web", err: "admin"},
		{name: "passed to somebody else", spec: "systemd", script: "LISTEN_PID=1 LISTEN_FDS=1", err: "LISTEN_PID"},
		{name: "no socket", spec: "systemd", script: "LISTEN_PID=$$ LISTEN_FDS=0", err: "LISTEN_FDS"},
		{name: "not a socket", spec: "spawn-fcgi", err: "descriptor 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := fcgitest.SocketPath(t)
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			f, err := l.File()
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "/bin/sh", "-c", "export "+tt.script+" X=; exec "+os.Args[0])
			cmd.Env = append(os.Environ(), passedSpec+"="+tt.spec)
			if tt.stdin {
				cmd.Stdin = f
			} else {
				cmd.ExtraFiles = []*os.File{f}
			}
			if tt.err != "" {
				out, err := cmd.CombinedOutput()
				if err == nil || !strings.Contains(string(out), tt.err) {
					t.Errorf("it ended with %v, saying %q, want a complaint about %q", err, out, tt.err)
				}
				return
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if got := text(t, fcgitest.Do(t, "unix:"+path, fcgitest.Request{})); got != "GET / 0 " {
				t.Errorf("answer = %q", got)
			}
			cmd.Process.Signal(syscall.SIGKILL)
			cmd.Wait()
			if _, err := os.Stat(path); err != nil {
				t.Errorf("the socket that was passed is gone: %v", err)
			}
		})
	}
}
