//go:build unix

package notify

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestListen(t *testing.T) {
	for _, tc := range []struct {
		name, options string
		before        func(t *testing.T, path string)
		mode          fs.FileMode
		err           error  // nil if none, or says
		says          string // in the error
	}{
		{name: "nothing there", mode: 0o660},
		{name: "another mode", options: "?mode=0600", mode: 0o600},
		{name: "our own group", options: fmt.Sprintf("?mode=0620&group=%d", os.Getgid()), mode: 0o620},
		{name: "a stale socket", before: func(t *testing.T, path string) {
			l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
			if err != nil {
				t.Fatal(err)
			}
			f, err := l.File() // closing the copy leaves the file behind
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path, path+".x"); err != nil {
				t.Fatal(err)
			}
			l.Close()
			f.Close()
			if err := os.Rename(path+".x", path); err != nil {
				t.Fatal(err)
			}
		}, mode: 0o660},
		{name: "somebody listens", before: func(t *testing.T, path string) {
			l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
		}, err: syscall.EADDRINUSE},
		{name: "a file", before: func(t *testing.T, path string) {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, says: "not a socket"},
		{name: "an unknown option", options: "?owner=x", says: "owner"},
		{name: "an unknown group", options: "?group=nobody-has-this-name", says: "nobody-has-this-name"},
		{name: "a mode that is none", options: "?mode=9", says: "octal"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := socketPath(t)
			if tc.before != nil {
				tc.before(t, path)
			}
			l, err := Listen("unixgram:" + path + tc.options)
			if (tc.err != nil || tc.says != "") != (err != nil) || tc.err != nil && !errors.Is(err, tc.err) || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Fatalf("Listen: %v, want %v %s", err, tc.err, tc.says)
			}
			if err != nil {
				return
			}
			defer l.Close()
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != tc.mode {
				t.Errorf("the socket has mode %v, %v; want %v", info.Mode(), err, tc.mode)
			}
		})
	}
}

// TestClose leaves nothing behind, and nothing of the next one's away.
func TestClose(t *testing.T) {
	path := socketPath(t)
	first, err := Listen("unixgram:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket's file after Close: %v, want none", err)
	}
	next, err := Listen("unixgram:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if err := first.Close(); err != nil {
		t.Errorf("closing it again: %v", err)
	}
	if err := Send(path, Notice{User: "ann", Path: "/ann/team/"}); err != nil {
		t.Errorf("nobody hears at the next one's socket: %v", err)
	}
}

// TestSend sends good and bad datagrams; the good ones arrive, and the bad ones
// harm nobody.
func TestSend(t *testing.T) {
	path := socketPath(t)
	l, err := Listen("unixgram:" + path)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	got := make(chan Notice, 10)
	var serving sync.WaitGroup
	serving.Go(func() {
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		if err := l.Serve(t.Context(), logger, func(n Notice) { got <- n }); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve ended with %v", err)
		}
	})
	raw := func(data string) {
		conn, err := net.Dial("unixgram", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	raw("")
	raw("\x00\xff junk")
	raw(`{"user":"ann","path":"/../etc"}`)
	raw(`{"user":"` + strings.Repeat("a", 2*MaxDatagram) + `"}`)
	want := []Notice{{User: "ann"}, {Backend: "contacts", User: "ann", Path: "/ann/people/x.vcf"}}
	for _, n := range want {
		if err := Send(path, n); err != nil {
			t.Errorf("Send(%+v): %v", n, err)
		}
		if g := <-got; g != n {
			t.Errorf("got %+v, want %+v", g, n)
		}
	}
	if err := Send(path, Notice{Path: "no root"}); err == nil {
		t.Error("a bad path was sent")
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	serving.Wait()
	if n := strings.Count(log.String(), "\n"); n != 4+len(want) {
		t.Errorf("the log has %d lines, want one for each datagram:\n%s", n, &log)
	}
	if err := Send(path, want[0]); err == nil {
		t.Error("it was sent though nobody is there")
	}
}

// TestSendNeverWaits fills the socket of a worker that does not read.
func TestSendNeverWaits(t *testing.T) {
	path := socketPath(t)
	l, err := Listen("unixgram:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 100_000 {
		if err = Send(path, Notice{User: "ann"}); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.ENOBUFS) {
		t.Errorf("a full socket: %v, want EAGAIN", err)
	}
}
