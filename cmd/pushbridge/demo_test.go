package main

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
)

// TestDemo starts the demo twice upon the same directory and ends it.
func TestDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's here")
	for _, run1 := range []string{"the first time", "again"} {
		t.Run(run1, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			said, wrote := make(chan struct{}), new(bridgetest.Log)
			ended := make(chan int, 1)
			go func() {
				ended <- run(ctx, []string{"demo", "--http", "127.0.0.1:0", "--dir", dir, "--people", "2"}, &firstWrite{wrote, said, false}, new(bridgetest.Log))
			}()
			select {
			case <-said:
			case status := <-ended:
				t.Fatalf("the demo ended with status %d", status)
			}
			stop()
			if status := <-ended; status != exitOK {
				t.Errorf("exit status %d, want %d", status, exitOK)
			}
			for _, want := range []string{"phone watch --url http://127.0.0.1:", "/it'\\''s here/data/demo/contacts/first-push.vcf'", "Ctrl-C", "/state/admin.sock"} {
				if !strings.Contains(wrote.String(), want) {
					t.Errorf("it says\n%s\nwant %q in it", wrote, want)
				}
			}
		})
	}
}

// firstWrite tells of the first write.
type firstWrite struct {
	*bridgetest.Log
	told chan<- struct{}
	done bool
}

func (f *firstWrite) Write(p []byte) (int, error) {
	n, err := f.Log.Write(p)
	if !f.done {
		f.done = true
		close(f.told)
	}
	return n, err
}

func TestExplainDemo(t *testing.T) {
	for _, tt := range []struct{ name, address, says, saysNot string }{
		{"on this computer", "127.0.0.1:8080", "only if you start the demo with --http 0.0.0.0:8080", "[::]"},
		{"everywhere", "[::]:8080", "--url http://127.0.0.1:8080", "[::]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := net.ResolveTCPAddr("tcp", tt.address)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			explainDemo(&out, a, "/data", "/state/admin.sock")
			if !strings.Contains(out.String(), tt.says) || strings.Contains(out.String(), tt.saysNot) {
				t.Errorf("it says\n%s\nwant %q in it and not %q", &out, tt.says, tt.saysNot)
			}
		})
	}
}
