package bridgetest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/trace/tracetest"
)

// A failing test is one that may: it keeps what was said, and ends.
type failing struct {
	testing.TB
	ctx  context.Context
	said string
}

func (f *failing) Helper()                   {}
func (f *failing) Context() context.Context  { return f.ctx }
func (f *failing) Errorf(s string, a ...any) { f.said += fmt.Sprintf(s, a...) + "\n" }
func (f *failing) Fatalf(s string, a ...any) { f.Errorf(s, a...); runtime.Goexit() }
func (f *failing) Fatal(a ...any)            { f.Errorf("%s", fmt.Sprint(a...)); runtime.Goexit() }

// A conversation that goes otherwise than the recorded one fails the test, which
// says at which request, and how.
func TestReplayFailsWhereTheConversationDiffers(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "phone-16.1.trace"))
	if err != nil {
		t.Fatal(err)
	}
	recorded := string(text)
	other := func(old, new string) string {
		t.Helper()
		if !strings.Contains(recorded, old) {
			t.Fatalf("the recording lacks %q", old)
		}
		return strings.Replace(recorded, old, new, 1)
	}
	const folders = "<Status>1</Status>\n  <SyncKey>"
	for _, tt := range []struct {
		name     string
		recorded string // "" means as it is
		edit     func(*bridgetest.House, *easclient.Client)
		says     []string // none: it does not fail
	}{
		{name: "nothing is otherwise"},
		{name: "a contact less", edit: func(h *bridgetest.House, _ *easclient.Client) { h.Backend.Remove(bridgetest.User, "contacts", "c2") }, says: []string{"Sync", "lacks", "Add"}},
		{name: "a contact more", edit: func(h *bridgetest.House, _ *easclient.Client) {
			h.Store("contacts", "c3", bridgetest.Card("c3", "Carla"))
		}, says: []string{"Sync", "Add"}},
		{name: "a contact with more in it", edit: func(h *bridgetest.House, _ *easclient.Client) {
			h.Store("contacts", "c1", strings.Replace(bridgetest.Card("c1", "Anna Beispiel"), "END:", "TITLE:Head\r\nEND:", 1))
		}, says: []string{"JobTitle"}},
		{name: "a folder less", edit: func(h *bridgetest.House, _ *easclient.Client) { h.Backend.RemoveCollection(bridgetest.User, "notes") }, says: []string{"FolderSync"}},
		{name: "another password", edit: func(_ *bridgetest.House, c *easclient.Client) { c.Password = "wrong" }, says: []string{"request 1, Provision", "401", "200"}},
		{name: "another status", recorded: other(folders, strings.Replace(folders, "1", "9", 1)), says: []string{"request 2, FolderSync", "Status is 1, and was 9"}},
		{name: "another status of HTTP", recorded: other("FolderSync version=16.1 http=200", "FolderSync version=16.1 http=503"), says: []string{"request 2, FolderSync", "503"}},
		{name: "an answer that was shorter", recorded: other("  <Status>1</Status>\n  <Policies>", "  <Policies>"), says: []string{"request 1, Provision", "Status"}},
		{name: "an answer that was longer", recorded: other("<Count>5</Count>", "<Count>5</Count><Delete><ServerId>9</ServerId></Delete>"), says: []string{"request 2", "Delete"}},
		{name: "a request that nobody sends", recorded: other("== 1 ", "== 1 2026-11-28T06:27:22Z FolderSync version=16.1 http=200 took=0s\n-- request\n<FolderSync xmlns=\"FolderHierarchy\">\n  <SyncKey>1</SyncKey>\n</FolderSync>\n-- answer\n<FolderSync xmlns=\"FolderHierarchy\">\n  <Status>1</Status>\n</FolderSync>\n\n== 1 "),
			says: []string{"request 1, FolderSync", "Status is 9, and was 1"}},
		{name: "nothing", recorded: "# nothing", says: []string{"no recording"}},
		{name: "a recording of nothing", recorded: recorded[:strings.Index(recorded, "\n")+1], says: []string{"empty"}},
		{name: "a version that there is not", recorded: strings.ReplaceAll(recorded, "version=16.1", "version=99.9"), says: []string{"99.9"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := furnish(t)
			c := h.Client(0, "REPLAYED")
			c.Trace = nil
			if tt.edit != nil {
				tt.edit(h, c)
			}
			if tt.recorded == "" {
				tt.recorded = recorded
			}
			f := &failing{TB: t, ctx: t.Context()}
			played := make(chan struct{})
			go func() {
				defer close(played)
				tracetest.Replay(f, tt.recorded, c)
			}()
			<-played
			if (f.said == "") != (tt.says == nil) {
				t.Errorf("the replay says %q", f.said)
			}
			for _, word := range tt.says {
				if !strings.Contains(f.said, word) {
					t.Errorf("the replay says %q, want %q in it", f.said, word)
				}
			}
		})
	}
}
