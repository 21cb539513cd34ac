package bridge

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pushbridge/pushbridge/bridge/config"
)

// TestReceive has more connections come between two workers than the socket's
// backlog has room for.
func TestReceive(t *testing.T) {
	const callers, backlog = 64, 4
	path := filepath.Join(t.TempDir(), "s")
	b := &Bridge{config: config.File{Listen: "unix:" + path}}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	narrow(t, l, backlog)
	p, err := b.Keep(Listeners{FastCGI: l})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Receive(); err != nil {
		t.Fatal(err)
	}
	l.Close() // the worker that ends
	words := call(t, path, callers)

	passed, err := p.Environment()
	if err != nil {
		t.Fatal(err)
	}
	key, value, _ := strings.Cut(passed, "=")
	t.Setenv(key, value)
	all, err := takePassed()
	if err != nil {
		t.Fatal(err)
	}
	got := all[passedFastCGI+b.config.Listen]
	t.Cleanup(got.close)
	came := newCameBefore(got.listener, got.came)
	heard := map[string]bool{}
	for range got.came {
		heard[hear(t, came)] = true
	}
	for range callers - len(got.came) { // nobody was quick enough for these, who wait in the backlog
		heard[hear(t, got.listener)] = true
	}
	for _, word := range words {
		if !heard[word] {
			t.Errorf("caller %s was lost", word)
		}
	}
	came.Close()
	if _, err := came.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the last caller: %v", err)
	}
}

// TestReceiveTakesAllDescriptors has so many come between two workers that no
// descriptor is left.
func TestReceiveTakesAllDescriptors(t *testing.T) {
	const callers, left = 32, 6
	path := filepath.Join(t.TempDir(), "s")
	b := &Bridge{config: config.File{Listen: "unix:" + path}}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.Keep(Listeners{FastCGI: l})
	if err != nil {
		t.Fatal(err)
	}
	words := call(t, path, callers)
	allow := limitDescriptors(t, left)
	if err := p.Receive(); err != nil {
		t.Fatal(err)
	}
	l.Close() // the worker that ends
	for err = nil; !errors.Is(err, unix.EMFILE); runtime.Gosched() {
		var f *os.File
		if f, err = os.Open(os.DevNull); err == nil {
			f.Close()
		}
	}
	passed, err := p.Environment()
	allow()
	if err != nil {
		t.Fatal(err)
	}
	key, value, _ := strings.Cut(passed, "=")
	t.Setenv(key, value)
	all, err := takePassed()
	if err != nil {
		t.Fatal(err)
	}
	got := all[passedFastCGI+b.config.Listen]
	t.Cleanup(got.close)
	if len(got.came) == 0 {
		t.Error("nobody was received")
	}
	came := newCameBefore(got.listener, got.came)
	heard := map[string]bool{}
	for i := range callers {
		if i < len(got.came) {
			heard[hear(t, came)] = true
		} else {
			heard[hear(t, got.listener)] = true
		}
	}
	for _, word := range words {
		if !heard[word] {
			t.Errorf("caller %s was lost", word)
		}
	}
}

// limitDescriptors leaves so many until allow is called, or the test ends.
func limitDescriptors(t *testing.T, left uint64) (allow func()) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	allow = sync.OnceFunc(func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(allow)
	f, err := os.Open(os.DevNull) // the lowest that is free
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(f.Fd()) + left, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	return allow
}

// narrow gives a listening socket another backlog.
func narrow(t *testing.T, l net.Listener, backlog int) {
	t.Helper()
	raw, err := l.(*net.UnixListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = unix.Listen(int(fd), backlog) }); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
}

// call connects so often, and says a word each time. It tries again where the
// backlog is full, which would be for ever if nobody accepted.
func call(t *testing.T, path string, n int) []string {
	t.Helper()
	var words []string
	for i := range n {
		c, err := net.Dial("unix", path)
		for errors.Is(err, unix.EAGAIN) && t.Context().Err() == nil {
			runtime.Gosched()
			c, err = net.Dial("unix", path)
		}
		if err != nil {
			t.Fatalf("caller %d: %v", i, err)
		}
		t.Cleanup(func() { c.Close() })
		word := fmt.Sprintf("%d of %d", i, n)
		fmt.Fprint(c, word)
		words = append(words, word)
	}
	return words
}

// hear accepts a connection, and answers the word.
func hear(t *testing.T, l net.Listener) string {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	word := make([]byte, 64)
	n, err := c.Read(word)
	if err != nil {
		t.Fatal(err)
	}
	return string(word[:n])
}

func TestRanges(t *testing.T) {
	for _, tc := range []struct {
		name    string
		numbers []int
		room    int
		text    string
		said    int
	}{
		{"nothing", nil, 100, "", 0},
		{"one", []int{7}, 100, "7", 1},
		{"in a row", []int{7, 8, 9}, 100, "7-9", 3},
		{"with gaps", []int{7, 8, 10, 3}, 100, "7-8,10,3", 4},
		{"without room for the last", []int{7, 8, 10, 12}, 6, "7-8,10", 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text, said := ranges(tc.numbers, tc.room)
			if text != tc.text || said != tc.said {
				t.Errorf("%q says %d, want %q and %d", text, said, tc.text, tc.said)
			}
			if back, err := numbers(text); err != nil || !slices.Equal(back, tc.numbers[:said]) {
				t.Errorf("back they are %v, %v", back, err)
			}
		})
	}
	for _, text := range []string{"x", "7-", "-7", "7,,8"} {
		if all, err := numbers(text); err == nil {
			t.Errorf("%q is %v", text, all)
		}
	}
}
