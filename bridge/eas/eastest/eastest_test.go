package eastest

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// recorder is a test that may fail without failing this one.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Failed() bool     { return len(r.errors) > 0 }
func (r *recorder) Helper()          {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) end() {
	for _, f := range r.cleanups {
		f()
	}
}

func TestValidateTellsGoodFromBad(t *testing.T) {
	if os.Getenv("PUSHBRIDGE_XSD") == "" {
		t.Skip("PUSHBRIDGE_XSD is not set")
	}
	if _, err := exec.LookPath("xmllint"); err != nil && os.Getenv("PUSHBRIDGE_CI") != "1" {
		t.Skip("xmllint is not installed")
	}
	good, err := eas.Marshal(eas.PingResponse{Status: eas.PingChanges, Folders: []string{"7"}}, eas.V141)
	if err != nil {
		t.Fatal(err)
	}
	bad, err := eas.Marshal(eas.FolderSyncRequest{SyncKey: "0"}, eas.V141) // an answer has a status
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		docs [][]byte
		want int
	}{
		{"a valid answer", [][]byte{good}, 0},
		{"a valid answer again", [][]byte{good}, 0},
		{"an answer without status", [][]byte{bad}, 1},
		{"both", [][]byte{good, bad}, 1},
		{"an empty answer", [][]byte{nil}, 0},
		{"no WBXML", [][]byte{{1, 2}}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &recorder{TB: t}
			for _, doc := range c.docs {
				Validate(r, doc)
			}
			r.end()
			if len(r.errors) != c.want {
				t.Errorf("complaints: %q, want %d", r.errors, c.want)
			}
		})
	}
}

func TestXMLShowsTheNamespaceOfEachPage(t *testing.T) {
	doc := eas.Failure(eas.CmdPing, eas.DeviceNotProvisioned)
	if got := XML(doc); !strings.Contains(got, `<Ping xmlns="Ping">`) || !strings.Contains(got, "<Status>142</Status>") {
		t.Errorf("got %s", got)
	}
}
