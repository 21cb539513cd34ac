package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/trace"
)

// TestTrace records a phone's first sync from the command line.
func TestTrace(t *testing.T) {
	o := openOffice(t)
	path := filepath.Join(t.TempDir(), "phone.trace")
	ctx, interrupt := context.WithCancel(t.Context())
	var log bridgetest.Log
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"admin", "--config", o.config, "trace", "ann", "TRACED", "--for", "10m", "-o", path}, &log, &log)
	}()
	w := &world{t: t, log: o.log}
	w.await("it records", func() bool { return strings.Contains(log.String(), "Recording phone TRACED of ann") })
	bridgetest.Sync(t, o.phone(eas.V141, "TRACED"))
	bridgetest.Sync(t, o.phone(eas.V141, "OTHER"))
	interrupt()
	if status := <-ended; status != exitOK {
		t.Fatalf("it ends with status %d:\n%s", status, &log)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, word := range []string{"FolderSync version=14.1 http=200", "<SyncKey>", "masked"} {
		if !strings.Contains(text, word) {
			t.Errorf("the recording lacks %q:\n%.3000s", word, text)
		}
	}
	for _, word := range []string{"Person", "secret", "+49", "Authorization", "Basic"} {
		if strings.Contains(text, word) {
			t.Errorf("%q stands in the recording", word)
		}
	}
	list, err := trace.Parse(text)
	if err != nil || len(list) < 3 {
		t.Errorf("the recording is read as %d exchanges, %v", len(list), err)
	}
	folders := 0
	for _, e := range list {
		if e.Command == "FolderSync" {
			folders++
		}
	}
	if folders != 1 {
		t.Errorf("%d phones stand in the recording, want 1", folders)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v, want one for its owner only", info.Mode(), err)
	}
}
